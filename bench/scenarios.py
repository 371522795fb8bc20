"""What is measured: one function per scenario, each given a runtime at work on one bundle."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.spawn import Cost, FailedError, adopted, await_orphan, timed
from tests.bundles import Bundle, Drop, Json, base_config, changed, make_bundle

MEBIBYTE: Final = 1024 * 1024
LIMITS: Final = (0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 32, 48, 64)  # MiB
TRIES: Final = 3  # a limit counts when it holds that often in a row

TRUE: Final[Json] = ["/bin/payload", "true"]
WAIT: Final[Json] = ["/bin/payload", "pause"]


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A runtime with its state directory, and the bundle that it runs."""

    program: str
    bundle: Bundle
    state: Path

    def call(self, verb: str, *arguments: str) -> Cost:
        """Call the runtime for the one container of the bundle."""
        command = [self.program, "--root", str(self.state), verb, *arguments, self.bundle.container]
        return timed(command, log=str(self.state / "stderr"))

    def create(self) -> tuple[Cost, int]:
        """Create the container; the cost and the pid of its init."""
        file = self.state / "pid"
        cost = self.call("create", "--bundle", str(self.bundle.directory), "--pid-file", str(file))
        return cost, int(file.read_text(encoding="ascii"))

    def clean(self) -> None:
        """Remove what a failed measurement left."""
        with contextlib.suppress(FailedError):  # that it failed before has been reported; there is no more to try
            self.call("delete", "--force")
        adopted()


def run(subject: Subject) -> Cost:
    """Do everything with one command."""
    return subject.call("run", "--bundle", str(subject.bundle.directory))


def create_start_delete(subject: Subject) -> Cost:
    """Do it as engines do; the time between `start` and the program's end does not count."""
    create, init = subject.create()
    start = subject.call("start")
    return create + start + await_orphan(init) + subject.call("delete")


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A name for the table, what the config changes, what is done."""

    name: str
    changes: Mapping[str, Json | Drop]
    measure: Callable[[Subject], Cost]


def six_hooks() -> Json:
    """One hook that does nothing for each stage."""
    outside: Json = [{"path": "@PAYLOAD@", "args": ["payload", "true"]}]
    stages: dict[str, Json] = dict.fromkeys(
        ("prestart", "createRuntime", "createContainer", "poststart", "poststop"), outside
    )
    return {**stages, "startContainer": [{"path": "/bin/payload", "args": ["payload", "true"]}]}


def run_traced(subject: Subject) -> Cost:
    """The same, with the records and the timeline kept when the container goes."""
    options = ("--trace-dir", str(subject.state / "traces"))
    return subject.call("run", *options, "--bundle", str(subject.bundle.directory))


MANY_HOOKS: Final = 100
NO_HOOKS: Final[Mapping[str, Json | Drop]] = {"process.args": TRUE}
WITH_HOOKS: Final[Mapping[str, Json | Drop]] = {
    "process.args": TRUE,
    "hooks": {"createRuntime": [{"path": "@PAYLOAD@", "args": ["payload", "true"]}] * MANY_HOOKS},
}


def bare_starts(bundle: Bundle, log: str) -> Cost:
    """As many starts of the same program as there are hooks, by fork, exec and wait from C."""
    return timed([str(bundle.payload), "repeat", str(MANY_HOOKS), str(bundle.payload), "true"], log=log)


SCENARIOS: Final = (
    Scenario(name="run true", changes={"process.args": TRUE}, measure=run),
    Scenario(name="create+start+delete", changes={"process.args": TRUE}, measure=create_start_delete),
    Scenario(name="run with six hooks", changes={"process.args": TRUE, "hooks": six_hooks()}, measure=run),
)

TRACING: Final = (
    Scenario(name="run with six hooks", changes=SCENARIOS[-1].changes, measure=run),
    Scenario(name="the same with --trace-dir", changes=SCENARIOS[-1].changes, measure=run_traced),
)

HOOKS: Final = Scenario(name=f"run with {MANY_HOOKS} hooks", changes=WITH_HOOKS, measure=run)


def bundle_for(directory: Path, changes: Mapping[str, Json | Drop]) -> Bundle:
    """Make a bundle from the common config."""
    return make_bundle(directory, changed(base_config(), changes))


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """Memory of an init that waits for `start`, in KiB: its private pages, and all that its cgroup is charged with."""

    private: int
    charged: int | None


def _kibibytes(text: str, name: str) -> int:
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith(f"{name}:"))


def _charged(container: str) -> int | None:
    """Read the memory of the container's cgroup in KiB; None without a memory controller."""
    for path in (
        f"/sys/fs/cgroup/memory/{container}/memory.usage_in_bytes",
        f"/sys/fs/cgroup/{container}/memory.current",
    ):
        if os.path.exists(path):
            return int(Path(path).read_text(encoding="ascii")) // 1024
    return None


def waiting_init(subject: Subject) -> Waiting:
    """Create a container and look at its init."""
    _, init = subject.create()
    try:
        rollup = Path(f"/proc/{init}/smaps_rollup").read_text(encoding="ascii")
        private = _kibibytes(rollup, "Private_Clean") + _kibibytes(rollup, "Private_Dirty")
        return Waiting(private=private, charged=_charged(subject.bundle.container))
    finally:
        subject.clean()


def smallest_limit(subject: Subject) -> float | None:
    """Find the smallest memory limit of the table, in MiB, with which `run` succeeds; None when none does."""
    for limit in LIMITS:
        changes: dict[str, Json | Drop] = {
            "process.args": TRUE,
            "linux.resources.memory": {"limit": int(limit * MEBIBYTE)},
        }
        subject.bundle.write_config(changed(base_config(), changes))
        try:
            for _ in range(TRIES):
                run(subject)
        except FailedError:
            subject.clean()
            continue
        return limit
    return None
