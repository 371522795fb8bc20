"""A plugin of pytest: the second machine is a process of this one, so that reporting is tested in a second."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator

from tests.vm.machine import Machine, MachineError, Told
from tests.vm.project import Job
from tests.vm.reporting import PORT


def pytest_configure() -> None:
    """From now on."""
    Machine.run = imitated  # type: ignore[method-assign, assignment]


def imitated(_machine: Machine, job: Job, output: Callable[[bytes], object]) -> Iterator[Told]:
    """Do a job of pytest here; one without a word that is a file ends as a machine does that goes off."""
    if not os.path.exists(job.words[-1]):
        yield {"started": True}
        raise MachineError("the second machine: it went off")
    reports, reported = os.pipe()
    words = [sys.executable, *job.words[1:]]
    done = subprocess.run(
        words, check=False, capture_output=True, env={**os.environ, PORT: str(reported)}, pass_fds=(reported,)
    )
    os.close(reported)
    output(done.stdout)
    with open(reports, "rb") as file:
        yield from map(json.loads, file.read().splitlines())
    yield {"status": done.returncode}
