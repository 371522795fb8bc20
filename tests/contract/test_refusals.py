"""What the hands do not start on: wrong arguments, and anything that is not a whole sealed plan of this version."""

from __future__ import annotations

import _socket
import fcntl
import os
import subprocess
from collections.abc import Callable
from typing import Final

import pytest

from slinger.host.hands import SEALS, hands_path
from slinger.plan import ops
from slinger.plan.plan import Plan
from slinger.plan.wire import Failed, decode_message
from tests.requires import requires

pytestmark = requires("root")

USAGE: Final = 64
GOOD: Final = Plan((ops.Rlimit("", by=ops.OUTER, resource=4, soft=0, hard=0),), 1).encode()


def start(*arguments: str, pass_fds: tuple[int, ...] = ()) -> int:
    """The exit status of the hands with these arguments, which must say nothing."""
    done = subprocess.run(
        [hands_path(), *arguments], check=False, pass_fds=pass_fds, capture_output=True, timeout=10, close_fds=True
    )
    assert (done.stdout, done.stderr) == (b"", b"")
    return done.returncode


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("5",),
        ("5", "6", "7", "0"),
        ("5", "6", "7", "0", "detach", "more"),
        ("x", "6", "-1", "0", "detach"),
        ("", "6", "-1", "0", "detach"),
        ("5x", "6", "-1", "0", "detach"),
        ("-1", "6", "-1", "0", "detach"),
        ("5", "-1", "-1", "0", "detach"),
        ("5", "6", "-2", "0", "detach"),
        ("5", "6", "-1", "-1", "detach"),
        ("5", "6", "-1", "99999999999999999999", "detach"),
        ("5", "6", "-1", "4", "detach"),
        ("500", "600", "-1", "0", "detach"),
    ],
)
def test_wrong_arguments_are_a_usage_error(arguments: tuple[str, ...]) -> None:
    """Status 64 (EX_USAGE), and not a word: stdio is the container's."""
    assert start(*arguments) == USAGE


def given(plan: int) -> tuple[int, Failed | None]:
    """The exit status of the hands for this plan, and what they reported."""
    ours, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
    try:
        ours.settimeout(10)
        status = start(str(theirs.fileno()), str(plan), "-1", "0", "detach", pass_fds=(theirs.fileno(), plan))
        theirs.close()
        data = ours.recv(4096)
    finally:
        ours.close()
        theirs.close()
    message = decode_message(data) if data else None
    assert message is None or isinstance(message, Failed)
    return status, message


def memfd(data: bytes, seals: int = SEALS) -> int:
    """A memfd with these bytes and seals."""
    fd = os.memfd_create("plan", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.write(fd, data)
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, seals)
    return fd


REFUSED: Final = (1, Failed(op=0, errno=22, syscall="plan_read", detail=""))


def test_a_whole_plan_is_walked() -> None:
    """The others here differ from it in one thing."""
    fd = memfd(GOOD)
    assert given(fd) == (0, None)
    os.close(fd)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"SLPL",
        b"XXXX" + GOOD[4:],
        GOOD[:4] + b"\x02" + GOOD[5:],
        GOOD[:-1],
        GOOD + b"\0",
        GOOD[:8] + b"\x02" + GOOD[9:],
        GOOD[:8] + b"\x00" + GOOD[9:],
        GOOD[:16] + b"\xff\xff" + GOOD[18:],
        GOOD[:18] + b"\x03" + GOOD[19:],
        GOOD[:19] + b"\x01" + GOOD[20:],
        Plan((ops.OpenTree("", slot=1, path="/"),), 1).encode(),
        Plan((ops.OpenTree("", slot=-1, path="/"),), 1).encode(),
    ],
    ids=[
        *("empty", "cut in the head", "magic", "version", "cut", "a byte more", "an op too few", "an op too many"),
        *("kind", "actor", "reserved byte", "slot", "negative slot"),
    ],
)
def test_what_is_no_plan_is_refused_and_reported(data: bytes) -> None:
    """Exit status 1, after a report that names plan_read."""
    fd = memfd(data)
    assert given(fd) == REFUSED
    os.close(fd)


def pipe() -> int:
    """A pipe with a plan in it."""
    reader, writer = os.pipe()
    os.write(writer, GOOD)
    os.close(writer)
    return reader


@pytest.mark.parametrize(
    "make",
    [
        lambda: memfd(GOOD, 0),
        lambda: memfd(GOOD, fcntl.F_SEAL_WRITE),
        lambda: memfd(GOOD, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW),
        pipe,
        lambda: os.open("/dev/null", os.O_RDONLY),
    ],
    ids=["unsealed", "may shrink", "may be written", "pipe", "device"],
)
def test_a_plan_that_could_change_under_our_eyes_is_refused(make: Callable[[], int]) -> None:
    """Only a memfd that is sealed against writing and shrinking is mapped."""
    fd = make()
    assert given(fd) == REFUSED
    os.close(fd)
