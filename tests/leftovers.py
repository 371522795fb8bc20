"""What a run of the tests left on the machine: processes, mounts, cgroups.

The test process is a subreaper, so that an orphan of a test becomes its child instead of getting lost. Mounts and
cgroups are known by the id prefix and the temporary directory of the run, since others may work on the machine.
"""

from __future__ import annotations

import ctypes
import os
import signal
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
PATIENCE = 5.0  # seconds that a process on its way out gets; podman's conmon ends after podman does

# Every container id that a test makes up begins with it: the container_id fixture.
ID_PREFIX = f"slt{os.getpid()}"


def become_subreaper() -> None:
    """Adopt orphans from now on; OSError when the kernel refuses."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def _reap() -> list[int]:
    """Collect the dead and return the living children."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return []
    threads = Path("/proc/self/task").glob("*/children")
    return [int(pid) for file in threads for pid in file.read_text(encoding="ascii").split()]


def _command(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
        status = Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    except OSError:
        return "gone"
    return words.replace(b"\0", b" ").decode(errors="replace").strip() or f"[{status}]"


def processes() -> list[str]:
    """Children that still live after PATIENCE; told once, and killed, so that no run disturbs the next."""
    end = time.monotonic() + PATIENCE
    while (living := _reap()) and time.monotonic() < end:
        time.sleep(0.05)
    found = [f"process {pid}: {_command(pid)}" for pid in living]
    for pid in living:  # children that were not waited for: no other process can have these pids
        os.kill(pid, signal.SIGKILL)
    return found


def mounts(directory: Path) -> list[str]:
    """Mounts below the run's directory, or with an id of the run in their line."""
    lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    return [f"mount: {line}" for line in lines if f"{directory}/" in line or ID_PREFIX in line]


def cgroups() -> list[str]:
    """Cgroup directories with an id of the run in their name, in every hierarchy."""
    walk = os.walk("/sys/fs/cgroup")
    return [f"cgroup: {folder}/{name}" for folder, names, _ in walk for name in names if ID_PREFIX in name]
