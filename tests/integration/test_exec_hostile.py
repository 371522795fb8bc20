"""exec into a hostile container: what enters is out of its reach until it is the container's own program.

The attacker is the container's first process, root, and attacks whatever is called slinger-init in its /proc: the
hands, from the moment that they are in its pid namespace until they exec (CVE-2016-9962, CVE-2019-5736).
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
from pathlib import Path

import pytest

from tests.bundles import Drop, Json
from tests.integration.box import INSIDE, Box
from tests.integration.exec_support import process_file, refusal, report, wait_inside
from tests.peers.case import MAPPED_OWNER, USER_NAMESPACE, capabilities
from tests.requires import requires

pytestmark = requires("root", "gcc")

ALL = tuple(f"CAP_{name}" for name in (
    "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP",
    "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER", "SYS_MODULE", "SYS_RAWIO",
    "SYS_CHROOT", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE", "SYS_TIME", "MKNOD", "LEASE", "SETFCAP",
))  # fmt: skip
EXECS = 12
SEEN = 5  # how often the attacker must have met one; it meets each many times, or the test would say nothing


def granted(*names: str) -> dict[str, Json | Drop]:
    """These capabilities, and no new_privs: as far as a container's root may go."""
    members = dict.fromkeys(("bounding", "effective", "permitted"), names)
    return {**capabilities(**members), "process.noNewPrivileges": False}


def digest(box: Box) -> str:
    """Of everything that is installed for slinger and executed."""
    hands = sorted(Path(box.program).parents[1].glob("lib/python*/site-packages/**/slinger-init"))
    assert len(hands) == 1
    return "".join(hashlib.sha256(path.read_bytes()).hexdigest() for path in (Path(box.program), *hands))


def attacked(box: Box, changes: dict[str, Json | Drop], *options: str) -> dict[str, int]:
    """Execs in a container that attacks them; what worked how often."""
    before = digest(box)
    box.configure({"process.args": [INSIDE, "attack-entering", "slinger-init"], **changes})
    # Not by `run`, whose own hands would live as long as the container and keep their program busy.
    process, name = box.launch(*box.creating())
    assert box.end_of(process, name).status == 0
    box.start()
    for number in range(EXECS):
        assert box.call("exec", *options, box.id, INSIDE, "exit", str(number)).status == number
    box.succeed("kill", box.id, "TERM")
    box.wait_status("stopped")
    counts: dict[str, int] = json.loads(Path(f"{name}.out").read_text())
    assert digest(box) == before
    return counts


@pytest.mark.parametrize("options", [(), ("--user", "1000:1000"), ("--cap", "SYS_PTRACE")])
def test_root_of_the_container_cannot_look_into_what_enters(box: Box, options: tuple[str, ...]) -> None:
    """With all that a privileged container has but CAP_SYS_PTRACE; not as the user either that it will be."""
    counts = attacked(box, granted(*ALL), *options)
    assert counts.pop("seen") >= SEEN
    assert set(counts.values()) == {0}, counts


def test_root_of_a_user_namespace_cannot_trace_what_enters(box: Box) -> None:
    """Its CAP_SYS_PTRACE is for what belongs to its namespace, and the hands do not."""
    for path in (box.directory.parent, *box.directory.parent.parents):
        if str(path) != "/" and not path.stat().st_mode & 0o001:
            path.chmod(path.stat().st_mode | 0o011)
    for path in (box.bundle.rootfs, *box.bundle.rootfs.rglob("*")):
        os.chown(path, MAPPED_OWNER, MAPPED_OWNER, follow_symlinks=False)
    counts = attacked(box, {**granted(*ALL, "CAP_SYS_PTRACE"), **USER_NAMESPACE})
    assert counts.pop("seen") >= SEEN
    assert set(counts.values()) == {0}, counts


def test_not_even_a_container_that_may_trace_all_reaches_the_hosts_program(box: Box) -> None:
    """With CAP_SYS_PTRACE on the host it can look; what it finds is a sealed copy (CVE-2019-5736)."""
    counts = attacked(box, granted(*ALL, "CAP_SYS_PTRACE", "CAP_SYS_RESOURCE"))
    assert counts["exeRead"] > 0
    assert (counts["exeOpenedForWriting"], counts["exeWritten"]) == (0, 0)


@pytest.mark.parametrize("program", ["/proc/self/exe", "/start"])
def test_the_program_cannot_be_the_runtime(box: Box, program: str) -> None:
    """/proc/self/exe, or a script that has it as its interpreter, is the sealed copy, which runs no such call."""
    script = box.bundle.rootfs / "start"
    script.write_text("#!/proc/self/exe\n")
    script.chmod(0o755)
    before = digest(wait_inside(box))
    done = box.call("exec", box.id, program, "x")
    assert done.status != 0
    assert done.stdout == ""
    assert digest(box) == before


@pytest.mark.parametrize("number", [0, 3, 5, 7, 9])
def test_a_directory_is_never_a_descriptor_of_ours(box: Box, number: int) -> None:
    """CVE-2024-21626: by --cwd, by a symlink to it, by the process file."""
    hint = "a link such as /proc/self/fd/N leads out of the container and is not followed"
    link = box.bundle.rootfs / "tmp/link"
    link.symlink_to(f"/proc/self/fd/{number}")
    wait_inside(box)
    for path in (f"/proc/self/fd/{number}", f"/proc/self/fd/{number}/../../..", "/tmp/link", "/proc/self/cwd"):
        message = refusal(box, "--cwd", path, box.id, INSIDE, "true")
        assert message in {
            f"process.cwd ({path}): chdir: too many levels of symbolic links ({hint})",
            f"process.cwd ({path}): chdir: no such file or directory",
        }
    message = refusal(box, "--process", process_file(box, cwd=f"/proc/self/fd/{number}"), box.id)
    assert message.startswith("process.cwd (/proc/self/fd/")


def test_the_program_is_not_found_through_a_descriptor_of_ours(box: Box) -> None:
    """None of them leads to the host: those that could be named are the program's stdio and memfds."""
    wait_inside(box)
    for number in range(3, 20):
        path = f"/proc/self/fd/{number}/../../../bin/sh"
        assert refusal(box, box.id, path).startswith(f'process.args[0]: exec: "{path}": ')


def test_inside_nothing_of_ours_is_left(box: Box) -> None:
    """No descriptor, no variable of the caller, no signal ignored or blocked, no parent that can be seen."""
    wait_inside(box)
    done = box.call("exec", box.id, INSIDE, "report", env={**os.environ, "SECRET": "1"}, open_fds=7)
    shown = json.loads(done.stdout)
    assert sorted(shown["descriptors"]) == ["0", "1", "2"]
    assert not any(entry.startswith("SECRET=") for entry in shown["env"])
    zero = "0" * 16
    assert (shown["signalsIgnored"], shown["signalsBlocked"], shown["signalsCaught"]) == (zero, zero, zero)
    assert (shown["ppid"], shown["parentDeathSignal"], shown["subreaper"]) == (0, 0, 0)
    assert report(box)["namespaces"] == shown["namespaces"]


def test_a_container_that_ends_meanwhile_is_no_trap(box: Box) -> None:
    """Its pid may be another's by then: exec fails, and its process is gone."""
    wait_inside(box)
    calls = [box.launch("exec", box.id, INSIDE, "sleep", "600") for _ in range(6)]
    os.kill(box.pid(), signal.SIGKILL)
    for process, name in calls:
        assert box.end_of(process, name).status in {137, 255}
