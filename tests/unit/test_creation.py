"""creation.py: whose failure is told, where both the brain and init work at the same time."""

from __future__ import annotations

from typing import cast

import pytest

from slinger.creation import Creation
from slinger.errors import HostError, OpError
from slinger.host import cgroup
from slinger.host.hands import Hands
from slinger.plan import ops
from slinger.plan.wire import AtGate, Failed, Message
from slinger.planning import Request


class Told:
    """Hands that have said these things and are gone."""

    def __init__(self, *messages: Message) -> None:
        self.messages = [*messages, None]

    def receive(self) -> tuple[Message | None, int]:
        """The next of them."""
        return self.messages.pop(0), -1


def entering(monkeypatch: pytest.MonkeyPatch, cause: OSError, *messages: Message) -> None:
    """Move init into its cgroup, which fails with this cause, while the hands have said these things."""

    def join(*_arguments: object) -> None:
        raise HostError("linux.cgroupsPath: moving it") from cause

    monkeypatch.setattr(cgroup, "join", join)
    creation = Creation(cast("Request", None), print)
    creation.ref = cgroup.Ref()
    failing = cast("ops.Op", ops.AttachRoot("root.path", path="/rootfs"))
    creation.ops = {3: failing}
    creation.hands = cast("Hands", Told(*messages))
    creation._enter_cgroup()


def test_an_init_that_failed_cannot_be_moved_and_its_failure_is_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not that it was gone when the brain wanted to move it into its cgroup."""
    with pytest.raises(OpError) as caught:
        entering(monkeypatch, ProcessLookupError(), AtGate(2), Failed(3, 13, "move_mount", ""))
    assert str(caught.value) == "root.path (/rootfs): move_mount: permission denied"


def test_an_init_that_was_killed_has_said_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then that it is gone is all there is to tell."""
    with pytest.raises(HostError) as caught:
        entering(monkeypatch, ProcessLookupError())
    assert str(caught.value) == "linux.cgroupsPath: moving it"


def test_another_failure_of_the_move_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """An init that lives is not waited for."""
    with pytest.raises(HostError) as caught:
        entering(monkeypatch, PermissionError(), Failed(3, 13, "move_mount", ""))
    assert str(caught.value) == "linux.cgroupsPath: moving it"
