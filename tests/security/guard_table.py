"""The guards that tests/security/guards.py takes out one by one, and the tests that must go red then.

Rule of the file: what takes a guard's place lets an attack of these tests through, and harms only what they made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Guard:
    """One guard: what is replaced by what, as (file, old, new), and the tests, as FILE::NAME, that must go red."""

    name: str
    edits: tuple[tuple[str, str, str], ...]
    tests: tuple[str, ...]
    only: str = ""  # pytest's -k, where not every case may be tried without the guard


PATHS, MASKS, HANDS = "test_paths.py", "test_masks.py", "test_hands.py"
IDENTITY, INPUT, LOCKED = "test_identity.py", "test_input.py", "test_locked.py"
FUNCTIONS = "test_functions.py"
LOOKUP = "    return open_at(dir, path, flags, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve);\n"
# The path stays below the root unless a symlink leads out: an attack reaches what the image points at, no more.
RELATIVE = "    while (*path == '/')\n        path++;\n    if (*path == '\\0')\n        path = \".\";\n"
TWICE = f"""    int seen = open_at(dir, path, flags, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve);
    if (seen < 0)
        return -1;
    close(seen);
{RELATIVE}    return openat(dir, path, (int)flags | O_CLOEXEC);
"""
SWAPPED = (
    f"{PATHS}::test_mounts_in_a_directory_that_is_swapped_for_a_symlink_stay_inside",
    f"{PATHS}::test_nodes_in_a_directory_that_is_swapped_for_a_symlink_stay_inside",
)
MAGIC = ("init/op_process.c", "fstatfs(fd, &fs) != 0 || fs.f_type != PROC_SUPER_MAGIC", "fstatfs(fd, &fs) != 0")

GUARDS: Final = (
    Guard(
        "paths: RESOLVE_IN_ROOT",
        (
            (
                "init/path.c",
                LOOKUP,
                RELATIVE + "    return open_at(dir, path, flags, RESOLVE_NO_MAGICLINKS | resolve);\n",
            ),
        ),
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
                TWICE,
            ),
        ),
        SWAPPED,
    ),
    Guard(
        "paths: proc and sysfs on real directories",
        (
            (
                "src/slinger/plan/mounts.py",
                'REAL_DIRECTORY = frozenset({"proc", "sysfs"})',
                "REAL_DIRECTORY = frozenset()",
            ),
        ),
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
            (
                "src/slinger/spec/validate_mounts.py",
                'if destination.startswith("/proc/") and',
                "if not destination and",
            ),
        ),
        (f"{PATHS}::test_nothing_is_mounted_over_proc",),
    ),
    Guard(
        "paths: a procfs on /proc",
        (("init/op_mount.c", "fs.f_type != PROC_SUPER_MAGIC)) {", "fs.f_type == 1)) {"),),
        (f"{PATHS}::test_only_a_procfs_is_bound_on_proc",),
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
        "masks: no bare procfs without pivot_root",
        (("src/slinger/plan/rootfs.py", "path=each) for each in facts.bare if", "path=each) for each in () if"),),
        (f"{MASKS}::test_without_pivot_root_no_procfs_can_be_mounted_that_shows_what_is_masked",),
    ),
    Guard(
        "procfs: our own",
        (
            (
                "init/path.c",
                "    if (h->proc >= 0)\n        return h->proc;\n    int fs = sys_fsopen",
                '    if (h->proc != 9999)\n        return open("/proc", O_PATH | O_CLOEXEC);\n    int fs = sys_fsopen',
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
                (
                    '    unsigned int number = 0;\n    char name[32] = "/dev/pts/";\n'
                    "    (void)ioctl(master, TIOCGPTN, &number);\n    put_decimal(name + 9, number);\n"
                    "    int slave = open_in_root(h, name, O_RDWR | O_NOCTTY, 0);\n"
                ),
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
            (
                "init/op_process.c",
                "return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0",
                "return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0",
            ),
            ("init/op_user.c", "if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)", "if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)"),
        ),
        (f"{HANDS}::test_nothing_of_a_process_that_enters_can_be_opened",),
    ),
    Guard(
        "hands: strange descriptors are closed",
        (
            (
                "init/main.c",
                "            close(fd);\n    }\n    return sys_close_range((unsigned int)last + 1, ~0U, 0);",
                "            (void)fd;\n    }\n    return 0;",
            ),
            (
                "init/op_exec.c",
                "int done = sys_close_range((unsigned int)(3 + op->keep_fds), ~0U, CLOSE_RANGE_CLOEXEC);",
                "int done = op->keep_fds < 0;",
            ),
        ),
        (
            f"{HANDS}::test_a_waiting_init_holds_nothing_of_the_host",
            f"{HANDS}::test_the_program_has_stdio_and_nothing_else",
        ),
    ),
    Guard(
        "hands: the working directory is below the root, and looked at",
        (
            (
                "init/op_exec.c",
                "    int fd = open_in_root(h, path, O_PATH | O_DIRECTORY, 0);\n    if (fd < 0)\n",
                "    int fd = h->root < 0 ? -1 : open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);\n    if (fd < 0)\n",
            ),
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
                "    if not (text.isascii() and text.isdigit()) or len(text) > len(str(LARGEST_ID)) or int",
                '    text = "".join(each for each in text if each.isdigit())[:9] or "0"\n    if option == "" and int',
            ),
        ),
        (f"{IDENTITY}::test_a_user_that_is_no_number_is_an_error_and_not_root",),
    ),
    Guard(
        "capabilities: exec --cap is not inheritable",
        (
            (
                "src/slinger/verbs/exec.py",
                "        bounding=(*sets.bounding, *added),\n",
                "        inheritable=tuple(added), bounding=(*sets.bounding, *added),\n",
            ),
        ),
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
        (
            (
                "init/op_user.c",
                "if (op->set_groups && set_groups(h, &op->groups) != 0)",
                "if (op->set_groups < 0 && set_groups(h, &op->groups) != 0)",
            ),
        ),
        (f"{IDENTITY}::test_groups_of_the_caller_are_not_the_programs",),
    ),
    Guard(
        "state: closed to others",
        (("src/slinger/host/store.py", "os.O_CLOEXEC | how, 0o600", "os.O_CLOEXEC | how, 0o644"),),
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
        (
            (
                "init/plan.c",
                "    const uint8_t *p = take(r, (size_t)size + 1);",
                "    size &= 0xffff;\n    const uint8_t *p = take(r, (size_t)size + 1);",
            ),
        ),
        (f"{INPUT}::test_long_values_arrive_whole",),
    ),
    Guard(
        "config: no NUL in a string",
        (
            (
                "src/slinger/spec/values.py",
                "def refuse_nul(",
                "def refuse_nul(*_strings: object) -> None: ...\ndef _refuse_nul(",
            ),
            (
                "src/slinger/spec/values.py",
                "def refuse_nul_in(",
                "def refuse_nul_in(*_text: object) -> None: ...\ndef _refuse_nul_in(",
            ),
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
        (
            ("src/slinger/host/store.py", "for character in container_id:", 'for character in "":'),
            ("src/slinger/host/store.py", 'if container_id.startswith("."):', "if not container_id:"),
        ),
        (f"{INPUT}::test_an_id_leads_nowhere_else",),
        only="state-",
    ),
    Guard(
        "mounts: the shelf",
        (("src/slinger/plan/shelf.py", "crosses = namespaces.in_user", "crosses = False and namespaces.in_user"),),
        (
            f"{LOCKED}::test_flags_of_the_hosts_mounts_cannot_be_cleared",
            f"{LOCKED}::test_a_user_namespace_that_is_joined_keeps_the_flags_of_the_hosts_mounts",
            f"{LOCKED}::test_flags_of_the_hosts_mount_of_the_root_cannot_be_cleared",
            f"{LOCKED}::test_a_configuration_that_clears_a_flag_of_the_hosts_is_an_error",
            f"{LOCKED}::test_nothing_that_is_mounted_in_a_user_namespace_reaches_the_host",
        ),
    ),
    Guard(
        "functions: nothing is imported",
        (("src/slinger/host/inside/guard.py", 'if event == "import":', 'if event == "never":'),),
        (f"{FUNCTIONS}::test_nothing_is_imported_from_the_containers_files",),
    ),
    Guard(
        "functions: nothing is loaded",
        (("src/slinger/host/inside/guard.py", 'if event == "ctypes.dlopen"', 'if event == "never"'),),
        (f"{FUNCTIONS}::test_no_library_of_the_containers_is_loaded",),
    ),
    Guard(
        "functions: no file is mapped as code, no program executed",
        (("src/slinger/host/inside/guard.py", "    if program:\n        count", "    if False:\n        count"),),
        (
            f"{FUNCTIONS}::test_no_library_of_the_containers_is_loaded_by_the_c_library",
            f"{FUNCTIONS}::test_no_program_of_the_containers_is_run_by_a_function",
        ),
    ),
    Guard(
        "functions: not dumpable",
        (
            (
                "src/slinger/host/inside/entering.py",
                "    prctl(PR_SET_DUMPABLE, 0)\n",
                "    prctl(PR_SET_DUMPABLE, 1)\n",
            ),
        ),
        (f"{FUNCTIONS}::test_the_programs_memory_cannot_be_looked_into",),
    ),
    Guard(
        "functions: alone in the container",
        (("src/slinger/host/inside/neighbours.py", "    if found:\n", "    if False:\n"),),
        (f"{FUNCTIONS}::test_a_function_is_not_called_beside_processes_of_the_containers_own",),
    ),
)
