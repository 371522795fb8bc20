"""Every way in which a hook can behave, in every stage, for root, with a user namespace, and for a plain user."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.bundles import find_runtime
from tests.integration.hook_matrix import (
    AT_CREATE,
    BEHAVIOURS,
    MANY,
    STAGES,
    Life,
    Matrix,
    as_root,
    rootless,
    with_user_namespace,
)
from tests.requires import requires

pytestmark = requires("root")

CALLERS: Final = {"root": as_root, "user namespace": with_user_namespace, "rootless": rootless}
PEERS: Final = ("runc", "crun")


class Matrices:
    """A matrix by caller and runtime, made when it is first asked for."""

    def __init__(self, programs: dict[str, str], directory: Path) -> None:
        self._programs = programs
        self._directory = directory
        self._made: dict[tuple[str, str], Matrix] = {}

    def of(self, caller: str, runtime: str = "slinger") -> Matrix:
        """All its lives."""
        key = caller, runtime
        if key not in self._made:
            self._made[key] = Matrix(CALLERS[caller](self._programs[runtime]), self._directory)
        return self._made[key]

    def close(self) -> None:
        """Wait for all of them."""
        for matrix in self._made.values():
            matrix.close()


@pytest.fixture(scope="session")
def matrices(common_slinger: str) -> Iterator[Matrices]:
    """In a directory that others may enter: the root of a user namespace must reach its root file system."""
    programs = {"slinger": common_slinger, **{name: find_runtime(name) or name for name in PEERS}}
    with tempfile.TemporaryDirectory(prefix="slinger-matrix-") as directory:
        Path(directory).chmod(0o755)
        matrices = Matrices(programs, Path(directory))
        yield matrices
        matrices.close()


def expected(stage: str, behaviour: str, path: str) -> Life:
    """By the table of docs/lifecycle.md."""
    why = BEHAVIOURS[behaviour][1]
    text = f"{stage} hook #0 ({path}): {why}"
    if not why:
        return Life(create=0, start=0, delete=0, path=path, poststop=1)
    if stage == "poststop":
        return Life(create=0, start=0, delete=0, said=f"slinger: warning: {text}\n", path=path, poststop=1)
    said = f"slinger: {text}\n"
    if stage in AT_CREATE:
        return Life(create=1, said=said, path=path, poststop=1)
    return Life(create=0, start=1, said=said, path=path, poststop=1)


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("caller", CALLERS)
def test_what_comes_of_a_hook(matrices: Matrices, caller: str, stage: str, behaviour: str) -> None:
    """The verbs' exit statuses, the whole error text, that nothing is left, and that poststop hooks ran once."""
    life = matrices.of(caller).life(stage, behaviour)
    assert life == expected(stage, behaviour, life.path)


FAILING: Final = tuple(name for name, (_, why) in BEHAVIOURS.items() if why)
UNREAD: Final = ("is missing", "is not executable", "has no interpreter", "closes stdin")


@dataclass(frozen=True)
class Difference:
    """Where a peer does otherwise, and why. One that is not seen fails, unless it is seen by chance."""

    runtime: str
    stages: tuple[str, ...]
    behaviours: tuple[str, ...]
    why: str
    by_chance: bool = False

    def covers(self, stage: str, behaviour: str) -> bool:
        """Whether it explains this one."""
        return stage in self.stages and behaviour in self.behaviours


DIFFERENCES: Final = (
    Difference("runc", ("startContainer",), FAILING, "runc 1.1's start does not wait for startContainer hooks"),
    Difference("runc", ("poststart",), FAILING, "runc 1.1 runs poststart hooks at the end of create"),
    Difference("runc", ("poststop",), FAILING, "the spec: the next hook runs; runc 1.1 runs no more of them"),
    Difference("crun", AT_CREATE, FAILING, "the spec: then the poststop hooks run; crun 1.8 runs none after a create"),
    Difference("crun", ("startContainer",), FAILING, "crun 1.8's start does not wait for startContainer hooks"),
    Difference("crun", ("poststart",), FAILING, "crun 1.8 takes no notice of a failing poststart hook"),
    Difference("crun", STAGES, UNREAD, "crun 1.8 fails where it cannot write the state to the hook", by_chance=True),
    Difference("crun", STAGES, ("takes too long", f"is one of {MANY}"), "crun 1.8 on a busy machine", by_chance=True),
)


def verdict(life: Life) -> tuple[object, ...]:
    """What can be compared: success or failure of each verb, poststop hooks, what is left."""
    verbs = (life.create, life.start, life.delete)
    return (*(None if each is None else each == 0 for each in verbs), life.poststop, life.remembered)


@requires("runc", "crun")
@pytest.mark.parametrize("runtime", PEERS)
@pytest.mark.parametrize("caller", ["root", "user namespace"])
def test_what_comes_of_it_is_what_the_peers_do(matrices: Matrices, caller: str, runtime: str) -> None:
    """But for what is listed, with its reason; and what is listed does differ."""
    theirs, ours = matrices.of(caller, runtime), matrices.of(caller)
    found = {
        (stage, behaviour)
        for stage in STAGES
        for behaviour in BEHAVIOURS
        if verdict(theirs.life(stage, behaviour)) != verdict(ours.life(stage, behaviour))
    }
    rows = [row for row in DIFFERENCES if row.runtime == runtime]
    assert sorted(each for each in found if not any(row.covers(*each) for row in rows)) == []
    for row in rows:
        unseen = {(stage, each) for stage in row.stages for each in row.behaviours} - found
        assert row.by_chance or not unseen, f"{row.why}: not seen: {sorted(unseen)}"
