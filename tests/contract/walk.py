"""The hands on a plan that a test wrote by hand, with the test in the part of the brain.

Rule of the file: nothing is decided here. A test says which ops, answers the gates, and looks at the processes from
outside; what it starts has ended when the `with` has.
"""

from __future__ import annotations

import os
import select
import signal
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

import pytest

from slinger.failures import explain
from slinger.host.hands import Hands
from slinger.linux.flags import CLONE_NEWIPC, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWUSER, CLONE_NEWUTS, MS_PRIVATE
from slinger.plan import ops
from slinger.plan.ops import JOINER, OUTER, Op
from slinger.plan.plan import Plan
from slinger.plan.wire import (
    AtGate,
    ConsoleMaster,
    Executing,
    Exited,
    Failed,
    Handle,
    HookRan,
    InitPid,
    Message,
    NetworkSocket,
    Times,
)

SLOTS: Final = 8
PATIENCE: Final = 10.0  # seconds; more than this means that the hands hang
LOOK: Final = ops.Gate("", name="look")  # the last op where a test looks at init from outside
NOTHING: Final = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)


class Walk:
    """One start of the hands. Messages are kept by kind as they come."""

    def __init__(
        self,
        *plan: Op,
        stdio: tuple[int, int, int] = (NOTHING, NOTHING, NOTHING),
        listener: int = -1,
        mode: str = "detach",
        keep_fds: int = 0,
    ) -> None:
        self.plan = plan
        self.pid = 0
        self.master = -1
        self.sockets: list[socket.socket] = []
        self.hooks: list[HookRan] = []
        self.gates: list[str] = []
        self.failed: Failed | None = None
        self.exited: int | None = None
        self.executing = False
        self.handles: dict[str, int] = {}
        self.times = b""
        self._pidfds: list[int] = []
        data = Plan(plan, SLOTS).encode()
        self.hands = Hands.start(data, stdio=stdio, listener=listener, mode=mode, keep_fds=keep_fds)
        self.hands.channel.settimeout(PATIENCE)
        self._watch(self.hands.pid)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        """Kill what is left; AssertionError if it does not end."""
        self.hands.kill()
        for fd in self._pidfds:
            try:
                signal.pidfd_send_signal(fd, signal.SIGKILL)
            except ProcessLookupError:
                continue
        assert self.ended()
        for fd in (*self._pidfds, *self.handles.values(), *([self.master] if self.master >= 0 else [])):
            os.close(fd)
        for each in self.sockets:
            each.close()
        if self.pid:
            _collect(self.pid)

    def _watch(self, pid: int) -> None:
        try:
            self._pidfds.append(os.pidfd_open(pid))
        except ProcessLookupError:
            return  # it has ended and been collected already

    def receive(self) -> Message | None:
        """The next message, noted; None when the hands have ended."""
        message, fd = self.hands.receive()
        match message:
            case InitPid():
                self.pid = message.pid
                self._watch(message.pid)
            case AtGate():
                gate = self.plan[message.op]
                assert isinstance(gate, ops.Gate)
                self.gates.append(gate.name)
            case HookRan():
                self.hooks.append(message)
            case ConsoleMaster():
                self.master = fd
            case NetworkSocket():
                self.sockets.append(socket.socket(fileno=fd))
            case Handle():
                self.handles[message.name] = fd
            case Failed():
                self.failed = message
            case _:
                self._note(message)
        return message

    def _note(self, message: Message | None) -> None:
        match message:
            case Exited():
                self.exited = message.status
            case Executing():
                self.executing = True
            case Times():
                self.times = message.times
            case _:
                assert message is None

    def reach(self, gate: str = "look") -> Self:
        """Answer gates until the hands stand at this one, unanswered. The test fails where they never do."""
        while self.failed is None:
            message = self.receive()
            if isinstance(message, AtGate):
                if self.gates[-1] == gate:
                    return self
                self.hands.go()
            elif message is None:
                pytest.fail(f"the hands ended before the gate {gate}")
        pytest.fail(f"failed before the gate {gate}: {self.error()}")

    def finish(self) -> Self:
        """Answer all gates until the hands are gone."""
        while (message := self.receive()) is not None:
            if isinstance(message, AtGate):
                self.hands.go()
        return self

    def error(self) -> str:
        """The text of the failure that came home; the test fails without one."""
        if self.failed is None:
            self.finish()
        assert self.failed is not None, "nothing failed"
        return str(explain(dict(enumerate(self.plan)), self.failed))

    def ended(self, seconds: float = PATIENCE) -> bool:
        """Whether all processes that are known end within this time."""
        for fd in self._pidfds:
            poll = select.poll()
            poll.register(fd, select.POLLIN)
            if not poll.poll(seconds * 1000):
                return False
        return True


def _collect(pid: int) -> None:
    """Reap init where it has become ours (tests/conftest.py makes us a subreaper)."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return


def look(*plan: Op) -> Walk:
    """The hands, standing at a gate of init's after these ops."""
    return Walk(*plan, LOOK)


def failure(*plan: Op) -> str:
    """The text of the error that these ops end in."""
    with Walk(*plan) as walk:
        return walk.error()


# ---- beginnings of plans


CLONE: Final = ops.Clone("linux.namespaces", by=OUTER, flags=CLONE_NEWPID)
PRIVATE: Final = ops.Propagation("", flags=MS_PRIVATE)


def cloned(flags: int = 0) -> tuple[Op, ...]:
    """Init, alone in new namespaces."""
    return (ops.Clone("linux.namespaces", by=OUTER, flags=flags),)


def mapped() -> tuple[Op, ...]:
    """Init in a new user namespace, unmapped until the gate has been answered."""
    return (*cloned(CLONE_NEWUSER), ops.Gate("linux.uidMappings", name=ops.GATE_IDS))


def rooted(rootfs: Path, flags: int = 0) -> tuple[Op, ...]:
    """Init with the root attached in its own mount namespace, not yet pivoted into."""
    return (
        ops.OpenTree("root.path", by=OUTER, slot=0, path=str(rootfs), recursive=1),
        *cloned(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | flags),
        PRIVATE,
        ops.AttachRoot("root.path", slot=0, path=str(rootfs)),
    )


def entered(rootfs: Path, flags: int = 0) -> tuple[Op, ...]:
    """Init inside its root, with a procfs."""
    return (
        *rooted(rootfs, flags),
        ops.MountNew("mounts[0]", type="proc", source="proc", destination="/proc", real_directory=1),
        ops.Pivot("root.path"),
    )


def joined(path: str, flag: int, *more: Op) -> tuple[Op, ...]:
    """Init cloned by a joiner that has entered one namespace, and done what else is given."""
    return (
        ops.Fork("linux.namespaces", by=OUTER),
        ops.Join("linux.namespaces[2]", by=JOINER, path=path, flag=flag),
        *more,
        ops.Clone("linux.namespaces", by=JOINER),
    )


def write_maps(pid: int, first: int = 100_000, size: int = 10) -> None:
    """Map ids 0 to 9 of a new user namespace to unused ones of the host."""
    for name in ("uid_map", "gid_map"):
        Path(f"/proc/{pid}/{name}").write_text(f"0 {first} {size}\n", encoding="ascii")


def payload_hook(payload: Path | str, *words: str, env: Sequence[str] = (), **more: int | str) -> ops.Hook:
    """A hook that runs a subcommand of the payload, with the state ``{}``."""
    values: dict[str, object] = {"path": str(payload), "args": ("payload", *words), "env": tuple(env), **more}
    values.setdefault("state_head", "{}")
    return ops.Hook("hooks.createContainer[0]", **values)  # type: ignore[arg-type]
