"""The second machine by hand, on the tree this file is in and slinger as it is in .venv (`make install` before).

.venv/bin/python -m tests.vm run 'cat /proc/1/comm'       a shell command, as root, in /project; its status
.venv/bin/python -m tests.vm run --user 'podman info'     as the user `plain`, in a session of its own
.venv/bin/python -m tests.vm test tests/integration/x.py  pytest with these words (those of selection.py without)
.venv/bin/python -m tests.vm shell                        a shell on this terminal; `exit` ends the machine
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from tests.vm.image import ImageError
from tests.vm.machine import Machine, MachineError
from tests.vm.project import Job
from tests.vm.selection import TESTS

# A session of the plain user's, with XDG_RUNTIME_DIR and the bus of its service manager.
SESSION: Final = (
    *("systemd-run", "--quiet", "--pipe", "--wait", "--collect", "--uid=plain", "--property=PAMName=login"),
    *("--property=Delegate=yes", "--property=WorkingDirectory=~", "--setenv=PATH", "--setenv=XDG_CACHE_HOME="),
)


def main() -> int:
    """Do what the command line says, and return its status."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.vm", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=1200.0, help="how long all of it may take (1200)")
    parser.add_argument("--console", type=Path, help="where the machine's console goes (a temporary file)")
    parser.add_argument("what", choices=("run", "test", "shell"))
    parser.add_argument("words", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    words: list[str] = options.words
    console = options.console or Path(tempfile.mkdtemp(prefix="slinger-vm-console-"), "console.log")
    try:
        return boot(job(options.what, words), Machine(options.seconds, console))
    except (ImageError, MachineError) as error:
        sys.stderr.write(f"{error}\n")
        return 125


def job(what: str, words: list[str]) -> Job:
    """The job of a command line."""
    if what == "shell":
        return Job(("bash", "--login"), {"TERM": "xterm"}, terminal=True)
    if what == "test":
        return Job(("python", "-m", "pytest", "-p", "no:cacheprovider", *(words or TESTS)))
    session = SESSION if words[:1] == ["--user"] else ()
    (command,) = words[1:] if session else words
    return Job((*session, "bash", "-c", command))


def boot(job: Job, machine: Machine) -> int:
    """Run it, its output on stdout."""
    status = 125

    def output(data: bytes) -> None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    for told in machine.run(job, output):
        status = int(told.get("status", status))
    if job.terminal:
        subprocess.run(["stty", "sane"], check=False)
    return status


if __name__ == "__main__":
    sys.exit(main())
