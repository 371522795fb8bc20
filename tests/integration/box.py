"""A container under test: a bundle, a state root, and the command called on both.

Rule of the file: what is called is the installed command, as a caller does it; nothing here imports slinger.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
from collections.abc import Callable, Generator, Mapping
from itertools import count
from pathlib import Path
from typing import Final

from tests import leftovers
from tests.bundles import Bundle, Drop, Json, Outcome, base_config, changed, mapping

STAGES: Final = ("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop")
INSIDE: Final = "/bin/payload"
PATIENCE: Final = 5.0
OWNER: Final = 100_000
MAPS: Final[Json] = [{"containerID": 0, "hostID": OWNER, "size": 65536}]
USER_NAMESPACE: Final[Mapping[str, Json | Drop]] = {
    "linux.namespaces+": [{"type": "user"}],
    "linux.uidMappings": MAPS,
    "linux.gidMappings": MAPS,
}
NUMBERS: Final = count(1)
Process = subprocess.Popen[str]


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Until the condition holds; AssertionError that says what was waited for after PATIENCE seconds."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"waited {PATIENCE} s for {what}"
        time.sleep(0.002)


def processes_with(word: str) -> list[int]:
    """The living processes that have this word in their arguments, other than this one."""
    found: list[int] = []
    for entry in os.listdir("/proc"):
        if not entry.isdecimal() or int(entry) == os.getpid():
            continue
        try:
            words = Path("/proc", entry, "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue  # it has ended
        if os.fsencode(word) in words:
            found.append(int(entry))
    return sorted(found)


def namespaces_of(pid: int | str = "self") -> dict[str, str]:
    """Kind -> identity of the namespaces of a process, as the payload reports them."""
    folder = Path("/proc", str(pid), "ns")
    return {name: os.readlink(folder / name) for name in sorted(os.listdir(folder))}


@contextlib.contextmanager
def user_namespace() -> Generator[str]:
    """The path of a user namespace with the maps of USER_NAMESPACE, in which a process waits meanwhile."""
    words = ["unshare", "--user", "sh", "-c", "echo; read line"]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        process.stdout.readline()
        for name in ("uid_map", "gid_map"):
            Path(f"/proc/{process.pid}/{name}").write_text(f"0 {OWNER} 65536\n")
        try:
            yield f"/proc/{process.pid}/ns/user"
        finally:
            process.communicate("\n")


class Box:
    """One bundle with its own state root; `call` is one call of the command."""

    def __init__(self, program: str, root: Path, bundle: Bundle) -> None:
        self.program = program
        self.root = root
        self.bundle = bundle
        self.id = bundle.container
        self.common: Mapping[str, Json | Drop] = {}
        self.prefix: tuple[str, ...] = ()  # the words that a call is wrapped in
        self.configure({})

    @property
    def directory(self) -> Path:
        """The bundle's."""
        return self.bundle.directory

    @property
    def calls(self) -> Path:
        """Where reports and the output of calls go: a bundle may be removed."""
        return self.directory.parent

    @property
    def home(self) -> Path:
        """Where the state of the container is."""
        return self.root / self.id

    def configure(self, changes: Mapping[str, Json | Drop]) -> None:
        """Write the common config with these changes; see tests.bundles.changed. What is `common` comes first."""
        self.bundle.write_config(changed(changed(base_config(), self.common), changes))

    def hook(self, stage: str, *words: str, **more: Json) -> dict[str, Json]:
        """A hook of the stage that runs the payload with these words; `more`: env, timeout, or another path."""
        path = INSIDE if stage == "startContainer" else str(self.bundle.payload)
        return {"path": path, "args": ["hook", *words], **more}

    def report_hook(self, stage: str, name: str = "", **more: Json) -> dict[str, Json]:
        """A hook that reports itself; `reports` reads it."""
        return self.hook(stage, "hook-report", self.report_file(stage, name), **more)

    def report_file(self, stage: str, name: str = "") -> str:
        """Where a hook of the stage writes its report, as the hook sees it."""
        return f"{'/tmp' if stage == 'startContainer' else self.calls}/report-{name or stage}"

    def reports(self, name: str) -> list[Mapping[str, Json]]:
        """What the report hooks of this name have told, in order."""
        folder = self.bundle.rootfs / "tmp" if name.startswith("startContainer") else self.calls
        file = folder / f"report-{name}"
        return [mapping(json.loads(line)) for line in file.read_text().splitlines()] if file.exists() else []

    def command(self, *arguments: str) -> list[str]:
        """The words of a call."""
        return [self.program, "--root", str(self.root), *arguments]

    def launch(
        self,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        open_fds: int = 0,
    ) -> tuple[Process, Path]:
        """Begin a call. Its output goes to files, FILE.out and FILE.err: a container holds what create was given.

        open_fds: how many descriptors it gets beside stdio, from 3 on (at most 7); they lead to /dev/null.
        """
        redirections = " ".join(f"{fd}</dev/null" for fd in range(3, 3 + open_fds))
        shell = ("/bin/sh", "-c", f'unset PWD; exec "$@" {redirections}', "sh") if open_fds else ()
        name = self.calls / f"call-{next(NUMBERS)}"
        with open(f"{name}.out", "wb") as out, open(f"{name}.err", "wb") as err:
            process = subprocess.Popen(
                [*shell, *self.prefix, *self.command(*arguments)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env=env,
                text=True,
            )
        return process, name

    def call(
        self,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        open_fds: int = 0,
        timeout: float = 30,
    ) -> Outcome:
        """One call to its end; subprocess.TimeoutExpired after `timeout` seconds."""
        process, name = self.launch(*arguments, env=env, open_fds=open_fds)
        return self.end_of(process, name, timeout)

    @staticmethod
    def end_of(process: Process, name: Path, timeout: float = 30) -> Outcome:
        """Wait for a call that was launched."""
        try:
            status = process.wait(timeout)
        finally:
            process.kill()
            process.wait()
        return Outcome(status=status, stdout=Path(f"{name}.out").read_text(), stderr=Path(f"{name}.err").read_text())

    def succeed(self, *arguments: str, env: Mapping[str, str] | None = None) -> str:
        """A call that must succeed without a word on stderr: what it prints."""
        done = self.call(*arguments, env=env)
        assert (done.status, done.stderr) == (0, ""), done.stderr
        return done.stdout

    def fail(self, *arguments: str, status: int = 1) -> str:
        """A call that must fail with this status and one line on stderr: its message."""
        done = self.call(*arguments)
        assert (done.status, done.stdout) == (status, ""), done.stderr
        assert done.stderr.startswith("slinger: ")
        return done.stderr.removeprefix("slinger: ").removesuffix("\n")

    def creating(self, *options: str) -> tuple[str, ...]:
        """The arguments of create."""
        return ("create", *options, "--bundle", str(self.directory), self.id)

    def running(self, *options: str) -> tuple[str, ...]:
        """The arguments of run."""
        return ("run", *options, "--bundle", str(self.directory), self.id)

    def create(self, *options: str) -> None:
        """Create it."""
        self.succeed(*self.creating(*options))

    def start(self) -> None:
        """Start it."""
        self.succeed("start", self.id)

    def report(self, *words: str) -> dict[str, Json]:
        """What the program of `run` tells, with these words after `report`; the configuration is as it is."""
        path = self.directory / "config.json"
        config = mapping(json.loads(path.read_text()))
        self.bundle.write_config(changed(config, {"process.args": [INSIDE, "report", *words]}))
        return dict(mapping(json.loads(self.succeed(*self.running()))))

    def state(self) -> Mapping[str, Json]:
        """What `state` answers."""
        return mapping(json.loads(self.succeed("state", self.id)))

    def status(self) -> str:
        """The status that `state` answers."""
        return str(self.state()["status"])

    def pid(self) -> int:
        """Init's pid."""
        pid = self.state()["pid"]
        assert isinstance(pid, int)
        return pid

    def wait_status(self, status: str) -> None:
        """Until `state` answers this status."""
        wait_for(lambda: self.status() == status, f"status {status}")

    def records(self) -> list[Mapping[str, Json]]:
        """The records of the hooks that ran."""
        return [mapping(json.loads(line)) for line in (self.home / "hooks.jsonl").read_text().splitlines()]

    def left(self) -> list[str]:
        """What is left of it: directory, cgroups, mounts, and processes that this one has inherited."""
        directories = [f"directory {self.home}"] if self.home.exists() else []
        cgroups = [line for line in leftovers.cgroups() if self.id in line]
        return [*directories, *cgroups, *leftovers.mounts(self.directory), *leftovers.processes()]
