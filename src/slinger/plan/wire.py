"""A plan as bytes, and the messages between brain and hands. Drawn in docs/protocol.md.

All integers are little-endian. A plan is

    magic "SLPL" | u32 version | u32 ops | u32 slots | op ...
    op:     u16 kind | u8 actor | u8 zero | fields in the order of the class
    int:    u64 (two's complement)        str:   u32 size | bytes | NUL
    bytes:  u32 size | bytes              list:  u32 count | str ...
    slot and what ends in _slot: an int from 0 on and less than slots

A message is one datagram of a SOCK_SEQPACKET pair: u32 kind, then fields in the same encoding.
"""

from __future__ import annotations

from slinger.plan.ops import ACTORS, OPS, Op
from slinger.record import Record

MAGIC = b"SLPL"
VERSION = 1

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class Message(Record):
    """What the hands report."""


class InitPid(Message):
    """Init was cloned; ``pid`` as the brain's pid namespace shows it."""

    pid: int


class AtGate(Message):
    """The hands stand at the gate that is op ``op``."""

    op: int


class Failed(Message):
    """Op ``op`` failed in ``syscall`` with ``errno``; ``detail`` is the path or step, if any."""

    op: int
    errno: int
    syscall: str
    detail: str


class HookRan(Message):
    """A hook's run. Times in nanoseconds (``started``: CLOCK_REALTIME); tails are the last bytes of the streams.

    ``how``: 0 exit status, 1 signal, 2 timeout, 3 could not be started; ``value`` is the status, signal,
    seconds or errno; ``capabilities`` are the effective ones of the program, as a bit mask; ``step`` names
    what failed before the program ran.
    """

    op: int
    started: int
    duration: int
    pid: int
    how: int
    value: int
    capabilities: int
    step: str
    stdout_size: int
    stderr_size: int
    stdout: bytes
    stderr: bytes


class ConsoleMaster(Message):
    """The pseudo-terminal's master rides on this message (SCM_RIGHTS)."""

    name: str


class Exited(Message):
    """Init ended with this wait status (wait(2)); from a supervising outer process."""

    status: int


class Executing(Message):
    """All that could be told has been told: what follows is the exec of op ``op``'s program, or a failure."""

    op: int


class SeccompListener(Message):
    """The descriptor of the notifications of op ``op``'s filter rides on this message; go is awaited."""

    op: int


class NetworkSocket(Message):
    """A socket of rtnetlink(7), opened in the container's network namespace, rides on this message."""

    op: int


class Handle(Message):
    """A descriptor of where init is rides on this message: a namespace by its name in /proc/PID/ns, "root" or "cwd"."""

    name: str


class Times(Message):
    """When ops began and ended: two int64 for each op of the plan, CLOCK_MONOTONIC in nanoseconds or 0."""

    times: bytes


MESSAGES: tuple[type[Message], ...] = (
    InitPid, AtGate, Failed, HookRan, ConsoleMaster, Exited, Executing, SeccompListener,
    NetworkSocket, Handle, Times,
)  # fmt: skip
HOW_EXIT, HOW_SIGNAL, HOW_TIMEOUT, HOW_NOT_STARTED = range(4)

# What the brain says: one byte.
GO = b"G"


def own_fields(kind: type[Record]) -> tuple[tuple[str, str], ...]:
    """(name, annotation) of the fields that travel, in order."""
    return tuple(
        (name, str(annotation))
        for name, annotation in kind.__dict__.get("__annotations__", {}).items()
        if not str(annotation).startswith("ClassVar")
    )


_KINDS = {kind: number for number, kind in enumerate(OPS)}
_ACTORS = {name: number for number, name in enumerate(ACTORS)}
_OP_FIELDS = {kind: tuple(name for name, _ in own_fields(kind)) for kind in OPS}


def _put(out: bytearray, value: object) -> None:
    if isinstance(value, int):
        out += (value & 0xFFFF_FFFF_FFFF_FFFF).to_bytes(8, "little")
    elif isinstance(value, str):
        data = value.encode("utf-8", "surrogateescape")
        if b"\0" in data:
            message = f"NUL in {value!r}"
            raise ValueError(message)
        out += len(data).to_bytes(4, "little") + data + b"\0"
    elif isinstance(value, bytes):
        out += len(value).to_bytes(4, "little") + value
    elif isinstance(value, tuple):
        items: tuple[object, ...] = value  # pyright: ignore[reportUnknownVariableType]
        out += len(items).to_bytes(4, "little")
        for item in items:
            _put(out, item)
    else:
        message = f"cannot travel: {value!r}"
        raise TypeError(message)


def encode(ops: Iterable[Op], slots: int) -> bytes:
    """The plan as the hands read it."""
    body = bytearray()
    count = 0
    for op in ops:
        body += _KINDS[type(op)].to_bytes(2, "little") + bytes((_ACTORS[op.by], 0))
        values = op.__dict__
        for name in _OP_FIELDS[type(op)]:
            _put(body, values[name])
        count += 1
    head = MAGIC + VERSION.to_bytes(4, "little") + count.to_bytes(4, "little") + slots.to_bytes(4, "little")
    return head + bytes(body)


def decode_message(data: bytes) -> Message:
    """A datagram of the hands as a record; ValueError if it is not one."""
    number = int.from_bytes(data[:4], "little")
    if len(data) < 4 or number >= len(MESSAGES):  # noqa: PLR2004 - the size of the kind
        message = f"not a message of the hands: {data[:16]!r}"
        raise ValueError(message)
    kind = MESSAGES[number]
    at = 4
    values: list[object] = []
    for _, annotation in own_fields(kind):
        if annotation == "int":
            values.append(int.from_bytes(data[at : at + 8], "little", signed=True))
            at += 8
            continue
        size = int.from_bytes(data[at : at + 4], "little")
        raw = data[at + 4 : at + 4 + size]
        at += 4 + size
        if annotation == "str":
            values.append(raw.decode("utf-8", "replace"))
            at += 1
        else:
            values.append(raw)
    return kind(*values)
