"""A container as it stands on this machine: its record, and what the kernel shows of it.

What most verbs need and nothing more: they load no plan, no parser and no hands.
"""

from __future__ import annotations

import os

from slinger import lifecycle
from slinger.errors import NotFoundError
from slinger.host import cgroup, store
from slinger.host.process import Process
from slinger.host.store import Home
from slinger.spec.state import SPEC_VERSION, State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    from slinger.hooks.tracing import Observer
    from slinger.host.resctrl import Groups
    from slinger.host.store import Saved
    from slinger.spec.config import Call


class Existing:
    """The container's directory, its record as it was last read, and what follows from both."""

    def __init__(self, home: Home, saved: Saved) -> None:
        self.home = home
        self.saved = saved
        self.calls: Mapping[str, Call] = {}  # hooks that are functions, by JSON path: of the program that created it
        self.observe: Observer | None = None

    @classmethod
    def find(cls, container_id: str, root: str) -> Self:
        """The container of this id. NotFoundError if there is none."""
        home = Home.find(root, container_id)
        saved = home.read()
        if saved is None:
            home.close()
            raise NotFoundError("container does not exist")
        return cls(home, saved)

    def refresh(self) -> None:
        """Read the record again. NotFoundError if the container was deleted meanwhile."""
        saved = self.home.read() if self.home.is_current() else None
        if saved is None:
            raise NotFoundError("container does not exist")
        self.saved = saved

    def init(self) -> Process | None:
        """Init as create saw it, whether or not it still runs; None before it was made."""
        return Process(*self.saved.init) if self.saved.init else None

    def pid(self) -> int:
        """Init's pid on the host; 0 when it is gone."""
        init = self.init()
        return init.pid if init is not None and init.alive() else 0

    def cgroup(self) -> cgroup.Ref:
        """The container's cgroups, as they were made."""
        return cgroup.Ref.parse(self.saved.cgroup)

    def groups(self) -> Groups | None:
        """The container's groups in resctrl, as they were made; None without linux.intelRdt."""
        if not any(self.saved.resctrl):
            return None
        from slinger.host.resctrl import Groups  # noqa: PLC0415 - hardly any container needs it

        return Groups(*self.saved.resctrl)

    def pids(self) -> tuple[int, ...]:
        """The processes in its cgroup, or init alone where it has none."""
        ref = self.cgroup()
        return cgroup.pids(ref) if ref.places else tuple(pid for pid in (self.pid(),) if pid)

    def status(self) -> str:
        """creating, created, running, paused or stopped; derived from what the kernel shows."""
        alive = self.pid() != 0
        return lifecycle.derive(
            creating=self.saved.creating,
            alive=alive,
            start_pending=self.home.start_pending(),
            frozen=alive and cgroup.frozen(self.cgroup()),
        )

    def state(self) -> State:
        """The state of the specification, with the fields that runc adds."""
        self.refresh()
        saved = self.saved
        status = self.status()
        return State(
            oci_version=SPEC_VERSION,
            id=saved.container_id,
            status=status,
            pid=self.pid() if status != lifecycle.STOPPED else 0,
            bundle=saved.bundle,
            annotations=saved.annotations,
            rootfs=saved.rootfs,
            created=saved.created,
            owner="",
        )

    def missing_calls(self, *points: str) -> tuple[str, ...]:
        """Hooks of these points that are functions of another program, by their JSON paths."""
        names = {stage.name for point in points for stage in lifecycle.stages_at(point)}
        absent = (origin for origin in self.saved.calls if origin not in self.calls)
        return tuple(origin for origin in absent if origin.removeprefix("hooks.").partition("[")[0] in names)

    def has_hooks_at(self, point: str) -> bool:
        """Whether there are hooks at a point after the container's own plan."""
        return any(stage.name in self.saved.late_hooks for stage in lifecycle.stages_at(point))


def absolute_root(root: str) -> str:
    """The state root: the default one for ""."""
    return os.path.abspath(root or store.default_root())
