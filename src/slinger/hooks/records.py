"""What a hook's run leaves: the record that errors quote and the timeline draws."""

from __future__ import annotations

from slinger.errors import HookError, HostError
from slinger.lifecycle import CONTAINER, stage_of
from slinger.linux.signals import name_of
from slinger.plan.wire import HOW_EXIT, HOW_SIGNAL, HOW_TIMEOUT
from slinger.record import Record, frozen
from slinger.spec.jsontext import load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.plan import ops
    from slinger.plan.wire import HookRan

KEPT_BYTES = 8192  # of a stream; TAIL in init/op_hook.c
QUOTED_LINES = 3
QUOTED_BYTES = 400
ALL_BITS = (1 << 64) - 1


class HookRecord(Record):
    """One run. Times in nanoseconds, ``started`` since the epoch; streams are their last 8 KiB.

    ``namespaces``: which of the hook's namespaces are not the runtime's. ``capabilities``: the effective ones of its
    program, a bit mask; they count in the user namespace that it was in. None for a function, which has its caller's.
    """

    stage: str
    index: int
    path: str
    args: tuple[str, ...]
    cwd: str
    namespaces: tuple[str, ...]
    capabilities: int | None
    status: str
    pid_shown: int | None
    pid: int
    started: int
    duration: int
    outcome: str  # "exit status 3", "killed by SIGSEGV", "timed out after 2 s", "not started: ..."
    exit_status: int | None
    stdout: str
    stderr: str
    stdout_size: int
    stderr_size: int

    @property
    def ok(self) -> bool:
        """Whether the hook succeeded."""
        return self.exit_status == 0


def origin_parts(origin: str) -> tuple[str, int]:
    """``hooks.createRuntime[1]`` -> ("createRuntime", 1)."""
    stage, index = origin.removeprefix("hooks.").rstrip("]").split("[")
    return stage, int(index)


def outcome(ran: HookRan, strerror: str) -> str:
    """How the run ended, in words."""
    if ran.how == HOW_EXIT:
        return f"exit status {ran.value}"
    if ran.how == HOW_SIGNAL:
        return f"killed by {name_of(ran.value)}"
    if ran.how == HOW_TIMEOUT:
        return f"timed out after {ran.value} s"
    return f"not started: {ran.step}: {strerror.lower()}"


def make_record(
    op: ops.Hook, ran: HookRan, *, strerror: str, pid_shown: int | None, cwd: str, differs: tuple[str, ...]
) -> HookRecord:
    """The record of a run of ``op``; ``differs``: the container's namespaces that are not the runtime's."""
    name, index = origin_parts(op.origin)
    stage = stage_of(name)
    return HookRecord(
        stage=name,
        index=index,
        path=op.path,
        args=op.args,
        cwd=cwd,
        namespaces=differs if stage.runs_in == CONTAINER else (),
        capabilities=ran.capabilities & ALL_BITS,
        status=stage.status,
        pid_shown=pid_shown,
        pid=ran.pid,
        started=ran.started,
        duration=ran.duration,
        outcome=outcome(ran, strerror),
        exit_status=ran.value if ran.how == HOW_EXIT else None,
        stdout=ran.stdout.decode("utf-8", "replace"),
        stderr=ran.stderr.decode("utf-8", "replace"),
        stdout_size=ran.stdout_size,
        stderr_size=ran.stderr_size,
    )


def failure(record: HookRecord, files: tuple[tuple[str, str], ...] = ()) -> HookError:
    """``createRuntime hook #1 (/opt/x/hook): exit status 3: <last lines of stderr>``.

    ``files``: of hooks that were added, by JSON path; who has installed such a file may have forgotten it.
    """
    origin = f"hooks.{record.stage}[{record.index}]"
    file = dict(files).get(origin)
    path = f"{record.path}, added by {file}" if file else record.path
    text = f"{record.stage} hook #{record.index} ({path}): {record.outcome}"
    quoted = record.stderr.strip() or record.stdout.strip()
    if quoted:
        lines = [line.strip() for line in quoted[-QUOTED_BYTES:].splitlines() if line.strip()]
        text += ": " + " | ".join(lines[-QUOTED_LINES:])
    return HookError(text, origin=origin)


def to_json(record: HookRecord) -> dict[str, object]:
    """The record as JSON data: the field names of runtime-spec's style."""
    shown: dict[str, object] = {}
    for name, value in record.__dict__.items():
        shown[_key(name)] = value
    return shown


def to_shown(record: HookRecord) -> dict[str, object]:
    """As ``to_json``, for people and their tools: with capabilities by name."""
    return {**to_json(record), "capabilities": capability_names(record)}


def capability_names(record: HookRecord) -> tuple[str, ...]:
    """The effective capabilities of a hook's run, by name; () where they are not known."""
    from slinger.linux.capabilities import names_of  # noqa: PLC0415 - whoever records has no need of names

    return names_of(record.capabilities or 0)


def _key(name: str) -> str:
    """``exit_status`` -> ``exitStatus``."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def from_json(values: dict[str, object]) -> HookRecord:
    """The record of a line that ``to_json`` made. HostError for anything else."""
    fields: dict[str, object] = {}
    for name in HookRecord.FIELDS:
        key = _key(name)
        if key not in values:
            raise HostError(f"a hook record without {key}: not written by this version of slinger")
        fields[name] = frozen(values[key])
    wrong = HookRecord.misfit(fields)
    if wrong:
        raise HostError(f"a hook record with another kind of {_key(wrong)}: not written by this version of slinger")
    return HookRecord(**fields)  # type: ignore[arg-type]


def cut_note(size: int) -> str:
    """What to say of a stream of this many bytes where only its end was kept; "" if all was."""
    return f", the last {KEPT_BYTES} of {size} bytes" if size > KEPT_BYTES else ""


def parse_record(line: bytes) -> HookRecord:
    """One line of a hooks.jsonl. HostError for what is none."""
    values = load(line, "a hook record")
    return from_json(values if isinstance(values, dict) else {})  # type: ignore[arg-type]


def parse_records(text: bytes) -> tuple[HookRecord, ...]:
    """All records of a hooks.jsonl, in the order in which the hooks ended."""
    return tuple(map(parse_record, text.splitlines()))
