"""Show that the tests of this folder can fail: build slinger with one guard taken out, run the tests that watch it.

    .venv/bin/python -m tests.security.guards [NAME...]      all guards, or those named; prints the table of docs/security.md

A guard is taken out by replacing a piece of the source, which must be there exactly once (tests/security/test_table.py
looks at that on every run), in a copy of the tree. The copy is installed into a prefix of its own that is a virtual
environment like .venv, so that the tests do not know the difference; nothing in slinger itself can be switched off.
Every test that is named must go red in at least one of its cases. Exit status 1 when one stays green.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).parents[2]
TIMEOUT: Final = 180  # seconds for the tests of one guard


@dataclass(frozen=True)
class Guard:
    """One guard: what is replaced by what, as (file, old, new), and the tests, as FILE::NAME, that must go red."""

    name: str
    edits: tuple[tuple[str, str, str], ...]
    tests: tuple[str, ...]
    only: str = ""  # pytest's -k, where not every case may be tried without the guard


PATHS, MASKS, HANDS = "test_paths.py", "test_masks.py", "test_hands.py"
IDENTITY, INPUT = "test_identity.py", "test_input.py"
LOOKUP = "    return open_at(dir, path, flags, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve);\n"
# The path stays below the root unless a symlink leads out: an attack reaches what the image points at, no more.
RELATIVE = "    while (*path == '/')\n        path++;\n    if (*path == '\\0')\n        path = \".\";\n"
SWAPPED = (
    f"{PATHS}::test_mounts_in_a_directory_that_is_swapped_for_a_symlink_stay_inside",
    f"{PATHS}::test_nodes_in_a_directory_that_is_swapped_for_a_symlink_stay_inside",
)
MAGIC = ("init/op_process.c", "fstatfs(fd, &fs) != 0 || fs.f_type != PROC_SUPER_MAGIC", "fstatfs(fd, &fs) != 0")

GUARDS: Final = (
    Guard(
        "paths: RESOLVE_IN_ROOT",
        (("init/path.c", LOOKUP, RELATIVE + "    return open_at(dir, path, flags, RESOLVE_NO_MAGICLINKS | resolve);\n"),),
        (
            *SWAPPED,
            f"{PATHS}::test_a_dev_that_is_a_symlink_to_the_host_changes_nothing_there",
            f"{PATHS}::test_a_bind_mount_on_a_symlink_to_the_host_stays_inside",
        ),
    ),
    Guard(
        "paths: looked up once",
        (
            (
                "init/path.c",
                LOOKUP,
                "    int seen = open_at(dir, path, flags, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve);\n"
                "    if (seen < 0)\n        return -1;\n    close(seen);\n"
                + RELATIVE
                + "    return openat(dir, path, (int)flags | O_CLOEXEC);\n",
            ),
        ),
        SWAPPED,
    ),
    Guard(
        "paths: proc and sysfs on real directories",
        (("src/slinger/plan/mounts.py", 'REAL_DIRECTORY = frozenset({"proc", "sysfs"})', "REAL_DIRECTORY = frozenset()"),),
        (f"{PATHS}::test_kernel_file_systems_are_not_mounted_through_a_symlink",),
    ),
    Guard(
        "paths: no detour into procfs",
        (("init/op_mount.c", "fs.f_type == PROC_SUPER_MAGIC && !plain", "fs.f_type == 1 && !plain"),),
        (f"{PATHS}::test_nothing_is_mounted_into_proc_by_the_detour_of_a_symlink",),
    ),
    Guard(
        "paths: nothing over /proc",
        (
            ("src/slinger/spec/validate_mounts.py", 'if destination == "/proc" and', 'if destination == "" and'),
            ("src/slinger/spec/validate_mounts.py", 'if destination.startswith("/proc/") and', "if not destination and"),
        ),
        (f"{PATHS}::test_nothing_is_mounted_over_proc",),
    ),
    Guard(
        "nodes: given away by descriptor",
        (
            (
                "init/op_device.c",
                'fchownat(node, "", (uid_t)op->uid, (gid_t)op->gid, AT_EMPTY_PATH)',
                "fchownat(parent, name, (uid_t)op->uid, (gid_t)op->gid, AT_SYMLINK_NOFOLLOW)",
            ),
        ),
        (f"{PATHS}::test_a_node_that_is_swapped_for_a_file_does_not_give_the_file_away",),
    ),
    Guard(
        "copying up: no link followed",
        (
            ("init/copy.c", "fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW)", "fstatat(from, name, &st, 0)"),
            ("init/copy.c", "O_RDONLY | O_NOFOLLOW | O_NONBLOCK", "O_RDONLY | O_NONBLOCK"),
        ),
        (f"{PATHS}::test_what_a_tmpfs_takes_over_is_copied_without_following_links",),
    ),
    Guard(
        "masks: the null device is one",
        (
            ("init/op_mount.c", '"/dev/null", O_PATH, RESOLVE_NO_SYMLINKS)', '"/dev/null", O_PATH, 0)'),
            ("init/op_mount.c", "int tree = is_null_device(null) ?", "int tree = null >= 0 ?"),
            ("init/op_mount.c", "if (!is_null_device(null))", "if (null < 0)"),
        ),
        (f"{MASKS}::test_a_null_device_that_is_none_masks_nothing_and_fails",),
    ),
    Guard(
        "masks: the null device is looked up once",
        (
            (
                "init/op_mount.c",
                'is_null_device(null) ? sys_open_tree(null, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH)',
                'is_null_device(null) ? sys_open_tree(AT_FDCWD, "/dev/null", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)',
            ),
        ),
        (f"{MASKS}::test_a_null_device_that_is_swapped_while_it_is_looked_at_masks_nothing",),
    ),
    Guard(
        "procfs: our own",
        (
            (
                "init/path.c",
                "    if (h->proc >= 0)\n        return h->proc;\n    int fs = sys_fsopen",
                '    if (h->proc != 1000000)\n        return open("/proc", O_PATH | O_CLOEXEC);\n    int fs = sys_fsopen',
            ),
            MAGIC,
        ),
        (
            f"{MASKS}::test_a_sysctl_lands_in_the_kernel_and_not_in_what_the_image_calls_so",
            f"{MASKS}::test_a_label_is_never_written_to_what_the_image_calls_proc",
        ),
    ),
    Guard("procfs: written to alone", (MAGIC,), (f"{MASKS}::test_a_file_of_ours_in_proc_is_one_of_procfs",)),
    Guard(
        "terminal: a real devpts",
        (("init/op_device.c", "fs.f_type != DEVPTS_SUPER_MAGIC", "fs.f_type == 1"),),
        (f"{MASKS}::test_a_terminal_is_not_taken_from_a_directory_of_the_images",),
    ),
    Guard(
        "terminal: no symlink at /dev/console",
        (("init/op_device.c", '"/dev/console", MAKE_FILE, RESOLVE_NO_SYMLINKS)', '"/dev/console", MAKE_FILE, 0)'),),
        (f"{MASKS}::test_a_console_that_is_a_symlink_is_refused",),
    ),
    Guard(
        "terminal: the other end is asked of the master",
        (
            (
                "init/op_device.c",
                "    int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);\n",
                '    unsigned int number = 0;\n    char name[32] = "/dev/pts/";\n'
                "    (void)ioctl(master, TIOCGPTN, &number);\n    put_decimal(name + 9, number);\n"
                "    int slave = open_in_root(h, name, O_RDWR | O_NOCTTY, 0);\n",
            ),
        ),
        (f"{MASKS}::test_the_terminal_is_the_one_that_was_made_whatever_has_its_name",),
    ),
    Guard(
        "hands: run from a copy",
        (("src/slinger/host/hands.py", 'f"/proc/self/fd/{program}",', "hands_path(),"),),
        (f"{HANDS}::test_a_container_that_may_trace_cannot_overwrite_the_runtime",),
    ),
    Guard(
        "hands: the copy is sealed",
        (
            (
                "src/slinger/host/hands.py",
                "        os.close(source)\n    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, SEALS)",
                "        os.close(source)",
            ),
        ),
        (f"{HANDS}::test_a_container_that_may_trace_cannot_overwrite_the_runtime",),
    ),
    Guard(
        "hands: not dumpable",
        (
            ("init/op_process.c", "return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0", "return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0"),
            ("init/op_user.c", "if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)", "if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)"),
        ),
        (f"{HANDS}::test_nothing_of_a_process_that_enters_can_be_opened",),
    ),
    Guard(
        "hands: strange descriptors are closed",
        (
            ("init/main.c", "            close(fd);\n    }\n    return sys_close_range((unsigned int)last + 1, ~0U, 0);", "            (void)fd;\n    }\n    return 0;"),
            ("init/op_exec.c", "if (sys_close_range((unsigned int)(3 + op->keep_fds), ~0U, CLOSE_RANGE_CLOEXEC) != 0)", "if (op->keep_fds < 0)"),
        ),
        (
            f"{HANDS}::test_a_waiting_init_holds_nothing_of_the_host",
            f"{HANDS}::test_the_program_has_stdio_and_nothing_else",
        ),
    ),
    Guard(
        "hands: the working directory is below the root, and looked at",
        (
            ("init/op_exec.c", "    int fd = open_in_root(h, path, O_PATH | O_DIRECTORY, 0);\n    if (fd < 0)\n", "    int fd = h->root < 0 ? -1 : open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);\n    if (fd < 0)\n"),
            ("init/op_exec.c", "    if (op->create) {", "    if (op->create < 0) {"),
            ("init/op_exec.c", "if (where[0] != '/')", "if (where[0] == '\\0')"),
        ),
        (
            f"{HANDS}::test_a_working_directory_by_a_descriptor_is_refused",
            f"{HANDS}::test_exec_with_a_working_directory_by_a_descriptor_is_refused",
        ),
    ),
    Guard(
        "hands: static",
        (("meson.build", "  link_args += '-static'", "  link_args += '-g0'"),),
        (f"{HANDS}::test_the_hands_load_nothing",),
    ),
    Guard(
        "user: found by number",
        (
            ("init/op_user.c", "strtoull(field[2], &end, 10)", "strtoull(field[0], &end, 10)"),
            ("init/op_user.c", "end == field[2]", "end == field[0]"),
        ),
        (f"{IDENTITY}::test_a_number_is_a_number_whatever_the_image_calls_so",),
    ),
    Guard(
        "user: exec takes numbers alone",
        (
            (
                "src/slinger/verbs/exec.py",
                "    if not (text.isascii() and text.isdigit()) or len(text) > len(str(LARGEST_ID)) or int(text) > LARGEST_ID:\n",
                '    text = "".join(each for each in text if each.isdigit())[:9] or "0"\n    if option == "":\n',
            ),
        ),
        (f"{IDENTITY}::test_a_user_that_is_no_number_is_an_error_and_not_root",),
    ),
    Guard(
        "capabilities: exec --cap is not inheritable",
        (("src/slinger/verbs/exec.py", "            bounding=caps.bounding + added,", "            inheritable=added, bounding=caps.bounding + added,"),),
        (f"{IDENTITY}::test_a_process_of_exec_has_no_inheritable_capabilities",),
    ),
    Guard(
        "capabilities: inheritable is as configured",
        (("init/op_user.c", "(uint32_t)(inheritable >> (32 * i))", "(uint32_t)(permitted >> (32 * i))"),),
        (
            f"{IDENTITY}::test_capabilities_are_not_inheritable_unless_asked_for",
            f"{IDENTITY}::test_a_process_of_exec_has_no_inheritable_capabilities",
        ),
    ),
    Guard(
        "user: groups are the config's",
        (("init/op_user.c", "if (op->set_groups && set_groups(h, &op->groups) != 0)", "if (op->set_groups < 0 && set_groups(h, &op->groups) != 0)"),),
        (f"{IDENTITY}::test_groups_of_the_caller_are_not_the_programs",),
    ),
    Guard(
        "state: closed to others",
        (("src/slinger/host/store.py", "os.O_TRUNC | os.O_CLOEXEC, 0o600", "os.O_TRUNC | os.O_CLOEXEC, 0o644"),),
        (f"{IDENTITY}::test_state_is_closed_to_others",),
    ),
    Guard(
        "plan: lengths are checked",
        (("init/plan.c", "if (r->bad || size > (size_t)(r->end - r->at)) {", "if (r->bad) {"),),
        (f"{INPUT}::test_a_length_that_the_plan_does_not_have_is_refused",),
    ),
    Guard(
        "plan: no NUL in a string",
        (("init/plan.c", "p[size] != 0 || memchr(p, 0, size) != NULL", "p[size] != 0"),),
        (f"{INPUT}::test_a_nul_in_a_string_of_a_plan_is_refused",),
    ),
    Guard(
        "plan: lengths of 32 bits",
        (("init/plan.c", "    const uint8_t *p = take(r, (size_t)size + 1);", "    size &= 0xffff;\n    const uint8_t *p = take(r, (size_t)size + 1);"),),
        (f"{INPUT}::test_long_values_arrive_whole",),
    ),
    Guard(
        "config: no NUL in a string",
        (
            ("src/slinger/spec/values.py", "def refuse_nul(", "def refuse_nul(*_strings: object) -> None: ...\ndef _refuse_nul("),
            ("src/slinger/spec/values.py", "def refuse_nul_in(", "def refuse_nul_in(*_text: object) -> None: ...\ndef _refuse_nul_in("),
        ),
        (f"{INPUT}::test_a_nul_in_a_string_is_an_error_that_names_it",),
    ),
    Guard(
        "state: / is no root (the second check stays)",
        (("src/slinger/cli.py", "must not be the root of the file system", "is the root of the file system"),),
        (f"{INPUT}::test_the_root_of_the_machine_is_no_state_root",),
    ),
    Guard(
        "state: an id is a name",
        (("src/slinger/host/store.py", 'if container_id in {".", ".."} or not ID_CHARACTERS.issuperset(container_id):', "if not container_id:"),),
        (f"{INPUT}::test_an_id_leads_nowhere_else",),
        only="state-",
    ),
)


def stale(guard: Guard, tree: Path = REPOSITORY) -> list[str]:
    """Pieces of source that are not in the tree exactly once."""
    return [f"{file}: {old}" for file, old, _ in guard.edits if (tree / file).read_text().count(old) != 1]


class Build:
    """A copy of the tree and the prefix that it is installed into."""

    def __init__(self, place: Path) -> None:
        self.tree = place / "tree"
        self.prefix = place / "prefix"
        self.tree.mkdir()
        for name in ("src", "init"):
            shutil.copytree(REPOSITORY / name, self.tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("meson.build", "meson.options", "LICENSE", "pyproject.toml"):
            shutil.copy(REPOSITORY / name, self.tree / name)
        venv = Path(sys.prefix)
        (site,) = venv.glob("lib/python3.*/site-packages")
        self.site = self.prefix / site.relative_to(venv)
        self.site.mkdir(parents=True)
        for entry in site.iterdir():
            if entry.name != "slinger":
                (self.site / entry.name).symlink_to(entry)
        (self.prefix / "bin").mkdir()
        shutil.copy(venv / "pyvenv.cfg", self.prefix)
        self.python = self.prefix / "bin" / site.parent.name
        self.python.symlink_to(os.path.realpath(sys.executable))
        shutil.copy(venv / "bin/slinger", self.prefix / "bin")
        self.run("meson", "setup", "--buildtype=release", "build")

    def run(self, *command: str) -> None:
        """A tool in the tree; CalledProcessError when it fails."""
        subprocess.run(command, cwd=self.tree, check=True, capture_output=True, timeout=TIMEOUT)

    def install(self) -> None:
        """What the tree has now."""
        self.run("ninja", "-C", "build", "slinger-init")
        package = self.site / "slinger"
        shutil.rmtree(package, ignore_errors=True)
        shutil.copytree(self.tree / "src/slinger", package, ignore=shutil.ignore_patterns("__pycache__"))
        (package / "libexec").mkdir()
        shutil.copy(self.tree / "build/slinger-init", package / "libexec")

    def red(self, guard: Guard) -> dict[str, tuple[int, int]]:
        """Test -> (cases that went red, cases that were run) without the guard."""
        before = {file: (self.tree / file).read_text() for file, _, _ in guard.edits}
        try:
            for file, old, new in guard.edits:
                (self.tree / file).write_text((self.tree / file).read_text().replace(old, new))
            self.install()
            return self.outcomes(guard)
        finally:
            for file, text in before.items():
                (self.tree / file).write_text(text)

    def outcomes(self, guard: Guard) -> dict[str, tuple[int, int]]:
        """Run the guard's tests."""
        tests = [f"tests/security/{name}" for name in guard.tests]
        words = [str(self.python), "-B", "-m", "pytest", "-p", "no:cacheprovider", "-rA", "--tb=no", "-q"]
        only = ["-k", guard.only] if guard.only else []
        done = subprocess.run(
            [*words, *only, *tests], cwd=REPOSITORY, check=False, capture_output=True, text=True, timeout=TIMEOUT
        )
        lines = done.stdout.splitlines()
        found: dict[str, tuple[int, int]] = {}
        for name in guard.tests:
            said = {word: {each.split(" ")[1] for each in lines if each.startswith(f"{word} ") and name in each} for word in ("PASSED", "FAILED", "ERROR")}
            bad = said["FAILED"] | said["ERROR"]
            found[name] = (len(bad), len(said["PASSED"] | bad))
        return found


def main(names: list[str]) -> int:
    """Take out guards one after the other; print a row of the table for each."""
    green = 0
    os.environ["PATH"] = f"{sys.prefix}/bin:{os.environ['PATH']}"
    with tempfile.TemporaryDirectory(prefix="slinger-guards-") as place:
        build = Build(Path(place))
        for guard in GUARDS:
            if names and guard.name not in names:
                continue
            missing = stale(guard)
            counts = {} if missing else build.red(guard)
            for test in guard.tests:
                bad, ran = counts.get(test, (0, 0))
                green += bad == 0
                sys.stdout.write(f"| {guard.name} | `{test.partition('::')[2]}` | {bad} of {ran} |\n")
            sys.stdout.flush()
    return 1 if green else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
