"""Containers that stay, one of each kind for each runtime, to be called on: for exec and for the other verbs."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bundles import (
    PREPARE,
    Bundle,
    Drop,
    Json,
    Outcome,
    Runtime,
    base_config,
    changed,
    find_runtime,
    make_bundle,
    runtime_at,
)

SLEEPS: Final[Mapping[str, Json | Drop]] = {"process.args": ["/bin/payload", "sleep", "600"]}
PATIENCE: Final = 10.0


@dataclass(frozen=True, kw_only=True)
class Held:
    """A bundle and the runtime that knows it."""

    runtime: Runtime
    bundle: Bundle

    @property
    def id(self) -> str:
        """The container's."""
        return self.bundle.container

    def quiet(self, *arguments: str) -> Outcome:
        """Call with stdio that a container may keep: an ended pipe and files, never the host's /dev/null."""
        command = [*PREPARE, self.runtime.program, "--root", str(self.runtime.root), *arguments]
        reader, writer = os.pipe()
        os.close(writer)
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            done = subprocess.run(command, stdin=reader, stdout=out, stderr=err, check=False, timeout=30)
            os.close(reader)
            texts: list[str] = []
            for file in (out, err):
                file.seek(0)
                texts.append(file.read())
        return Outcome(status=done.returncode, stdout=texts[0], stderr=texts[1])

    def succeed(self, *arguments: str) -> None:
        """Call quietly; RuntimeError with what the runtime says when it fails."""
        done = self.quiet(*arguments)
        if done.status != 0:
            raise RuntimeError(f"{self.runtime.program} {' '.join(arguments)}: {done.stderr}")

    def status(self) -> str:
        """What `state` says, "absent" when it fails."""
        done = self.runtime.call("state", self.id)
        return str(json.loads(done.stdout)["status"]) if done.status == 0 else "absent"

    def bring(self, status: str) -> None:
        """Bring the container from nothing to a status. TimeoutError when it does not get there."""
        if status != "absent":
            self.succeed("create", "--bundle", str(self.bundle.directory), self.id)
        if status in {"running", "paused", "stopped"}:
            self.succeed("start", self.id)
        if status == "paused":
            self.succeed("pause", self.id)
        if status == "stopped":
            self.succeed("kill", self.id, "KILL")
        self.wait(status)

    def end(self) -> None:
        """Kill init, and collect it if it is ours by now: runc waits ten seconds for what nobody collects."""
        done = self.runtime.call("state", self.id)
        if done.status != 0:
            return
        state = json.loads(done.stdout)
        pid = int(state["pid"])
        if state["status"] in {"paused", "created"}:  # what crun calls created may be frozen, and does not die then
            self.quiet("resume", self.id)
        if pid > 0:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            _collect(pid)

    def wait(self, status: str) -> None:
        """Wait until `state` says so."""
        end = time.monotonic() + PATIENCE
        while self.status() != status:
            if time.monotonic() > end:
                raise TimeoutError(f"{self.id}: {self.status()}, not {status}")
            time.sleep(0.01)


def _collect(pid: int) -> None:
    """Collect a process that ends, if it is our child; and before it what has ended in its pid namespace.

    Those are ours as well since exec let go of them, and the kernel ends no init before they have been collected.
    """
    end = time.monotonic() + PATIENCE
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(pid, os.WNOHANG) == (0, 0):
            for stray in _strays():
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(stray, os.WNOHANG)
            if time.monotonic() > end:
                raise TimeoutError(f"process {pid} does not end")
            time.sleep(0.002)


def _strays() -> list[int]:
    """List our children that have ended in a pid namespace of their own."""
    found: list[int] = []
    for children in Path("/proc/self/task").glob("*/children"):
        for pid in children.read_text().split():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
                if status["State"].strip().startswith("Z") and len(status["NSpid"].split()) > 1:
                    found.append(int(pid))
    return found


@contextlib.contextmanager
def held(runtime: str, changes: Mapping[str, Json | Drop], *, owner: int = 0) -> Generator[Held]:
    """Give a bundle of the runtime's, whose program sleeps; at the end nothing is left of the container."""
    program = find_runtime(runtime)
    if program is None:
        raise FileNotFoundError(runtime)
    with tempfile.TemporaryDirectory(prefix="slinger-peers-") as base:
        Path(base).chmod(0o755)
        bundle = make_bundle(Path(base) / "b", changed(changed(base_config(), SLEEPS), changes), owner=owner)
        with runtime_at(program, Path(base) / "state") as known:
            box = Held(runtime=known, bundle=bundle)
            try:
                yield box
            finally:
                box.end()
        for left in (*Path("/sys/fs/cgroup").glob(f"*/{bundle.container}"),):
            left.rmdir()
