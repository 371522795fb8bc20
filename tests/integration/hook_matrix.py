"""Every way in which a hook can behave, in every stage, for every kind of caller, by every runtime: what comes of it.

All lives are lived at once when the first is asked for, since most of their time they wait.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final

from tests.bundles import PREPARE, Bundle, Json, Outcome, base_config, changed, make_bundle
from tests.integration.plain import BECOME, USER, rootless_config
from tests.payload.build import build_payload

STAGES: Final = ("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop")
AT_CREATE: Final = STAGES[:3]
INSIDE: Final = "/bin/payload"
MANY: Final = 100
LONG_STATE: Final[Json] = {"org.example.long": "x" * 100_000}  # more than a pipe takes at once
MAPPED: Final[Json] = [{"containerID": 0, "hostID": 3_000_000_000, "size": 65536}]
TOGETHER: Final = 8
NUMBERS: Final = count(1)

# All read their state but those that say otherwise, since crun fails by chance where a hook does not.
# How a hook behaves -> (its words, what the error says of it; "" where it succeeds).
BEHAVIOURS: Final[Mapping[str, tuple[tuple[str, ...], str]]] = {
    "succeeds": (("drain", "true"), ""),
    "exits with 3": (("drain", "exit", "3", "it broke"), "exit status 3: it broke"),
    "is killed": (("drain", "kill", "9"), "killed by SIGKILL"),
    "takes too long": (("drain", "sleep", "30"), "timed out after 1 s"),
    "is missing": ((), "not started: execve: no such file or directory"),
    "is not executable": ((), "not started: execve: permission denied"),
    "has no interpreter": ((), "not started: execve: no such file or directory"),
    "closes stdin": (("close-stdin",), ""),
    "writes 10 MB": (("drain", "spam", "10000000"), ""),
    "leaves a daemon": (("drain", "daemon", "2"), ""),
    "reads slowly": (("read-slowly",), ""),
    f"is one of {MANY}": (("drain", "true"), ""),
}
FILES: Final = {"is missing": "no-hook", "is not executable": "plain-hook", "has no interpreter": "script-hook"}


@dataclass(frozen=True, kw_only=True)
class Life:
    """What a container came to: exit statuses of the verbs (None: not called), and what was seen on the way."""

    create: int
    start: int | None = None
    delete: int | None = None
    said: str = ""  # by the verb that ran the hooks of the stage
    path: str = ""
    poststop: int = 0  # how often the last poststop hook ran
    remembered: bool = False  # whether the runtime still knows it in the end


@dataclass(frozen=True)
class Caller:
    """Who calls which runtime: the words before its arguments, and the common config."""

    words: tuple[str, ...]
    config: Callable[[], dict[str, Json]]
    owner: int = 0


def as_root(program: str) -> Caller:
    """On the host."""
    return Caller((*PREPARE, program), base_config)


def with_user_namespace(program: str) -> Caller:
    """By root, for a container whose root is nobody on the host."""
    kinds = ("user", "pid", "network", "ipc", "uts", "mount")
    changes: dict[str, Json] = {
        "linux.namespaces": [{"type": kind} for kind in kinds],
        "linux.uidMappings": MAPPED,
        "linux.gidMappings": MAPPED,
    }
    return Caller((*PREPARE, program), lambda: changed(base_config(), changes), 3_000_000_000)


def rootless(program: str) -> Caller:
    """By a plain user."""
    become = ("unshare", "--mount", "--propagation", "private", "sh", "-c", BECOME, "sh", "--")
    return Caller((*become, program), rootless_config, USER)


class Matrix:
    """All lives of one caller, begun at once."""

    def __init__(self, caller: Caller, directory: Path, behaviours: Sequence[str] = tuple(BEHAVIOURS)) -> None:
        self._caller = caller
        self._directory = directory
        build_payload()  # once, before many want it
        self._pool = ThreadPoolExecutor(TOGETHER)
        self._lives: dict[tuple[str, str], Future[Life]] = {
            (stage, behaviour): self._pool.submit(self._live, stage, behaviour)
            for behaviour in sorted(behaviours, key=lambda each: each != "takes too long")
            for stage in STAGES
        }

    def life(self, stage: str, behaviour: str) -> Life:
        """What came of it."""
        return self._lives[stage, behaviour].result()

    def close(self) -> None:
        """Wait for what nobody has asked for."""
        self._pool.shutdown(cancel_futures=True)

    def _live(self, stage: str, behaviour: str) -> Life:
        place = self._directory / f"life-{next(NUMBERS)}"
        bundle = make_bundle(place, {}, owner=self._caller.owner)
        state = place / "state"
        state.mkdir()
        for directory in (place, state):
            os.chown(directory, self._caller.owner if self._caller.config is rootless_config else 0, -1)
        log = place / "poststop"
        path, hooks = _hooks(bundle, stage, behaviour)
        last: dict[str, Json] = {"path": "/bin/sh", "args": ["sh", "-c", f"cat >/dev/null; echo >>{log}"]}
        lists: dict[str, Json] = {stage: hooks}
        lists["poststop"] = [*(hooks if stage == "poststop" else []), last]
        changes: dict[str, Json] = {"process.args": [INSIDE, "sleep", "600"], "hooks": lists}
        if behaviour == "reads slowly":
            changes["annotations"] = LONG_STATE
        bundle.write_config(changed(self._caller.config(), changes))
        verbs = _Verbs((*self._caller.words, "--root", str(state)), place, bundle.container)
        return verbs.live(stage, path, log)


def _hooks(bundle: Bundle, stage: str, behaviour: str) -> tuple[str, list[Json]]:
    """The path of the stage's hooks, and these."""
    words, _ = BEHAVIOURS[behaviour]
    inside = stage == "startContainer"
    name = FILES.get(behaviour, "payload")
    (bundle.rootfs / "bin/plain-hook").write_text("#!/bin/payload\n")
    script = bundle.rootfs / "bin/script-hook"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)
    path = f"/bin/{name}" if inside else str(bundle.rootfs / "bin" / name)
    hook: dict[str, Json] = {"path": path, "args": ["hook", *words]}
    if behaviour == "takes too long":
        hook["timeout"] = 1
    return path, [hook] * (MANY if str(MANY) in behaviour else 1)


class _Verbs:
    """The verbs of one container; output goes to files, since a container holds what create was given."""

    def __init__(self, words: tuple[str, ...], place: Path, container: str) -> None:
        self.words = words
        self.place = place
        self.container = container

    def call(self, *arguments: str) -> Outcome:
        """One call to its end."""
        out, err = self.place / "out", self.place / "err"
        with out.open("wb") as stdout, err.open("wb") as stderr:
            done = subprocess.run(
                [*self.words, *arguments], stdin=subprocess.PIPE, stdout=stdout, stderr=stderr, check=False, timeout=60
            )
        return Outcome(status=done.returncode, stdout=out.read_text(), stderr=err.read_text())

    def live(self, stage: str, path: str, log: Path) -> Life:
        """Create, start, kill and delete, as far as it goes."""
        create = self.call("create", "--bundle", str(self.place), self.container)
        start = self.call("start", self.container) if create.status == 0 else None
        delete = self._end() if start is not None and start.status == 0 else None
        said = create if stage in AT_CREATE else start if stage != "poststop" else delete
        remembered = self.call("state", self.container).status == 0
        if remembered:
            self.call("delete", "--force", self.container)
        return Life(
            create=create.status,
            start=start.status if start else None,
            delete=delete.status if delete else None,
            said=said.stderr if said else "",
            path=path,
            poststop=len(log.read_text().splitlines()) if log.exists() else 0,
            remembered=remembered,
        )

    def _end(self) -> Outcome:
        """Kill it, and delete it as soon as that is allowed."""
        self.call("kill", self.container, "KILL")
        while True:
            done = self.call("delete", self.container)
            if "stopped" not in done.stderr:  # "not stopped", as each runtime words it
                return done
