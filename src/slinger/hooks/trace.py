"""The timeline of a container: what was kept of its verbs and hooks, as steps on one clock."""

from __future__ import annotations

from slinger.errors import HostError
from slinger.hooks.records import HookRecord, parse_record, to_shown
from slinger.lifecycle import STAGE_NAMES
from slinger.plan.ops import ACTORS, OPS, op_name
from slinger.record import Record
from slinger.spec.jsontext import load

BRAIN, HOOK = "slinger", "hook"
LANES = (BRAIN, *ACTORS, HOOK)

# What a step belongs to: the words of the legend, in the order of the way through.
LAUNCH, PARSE, COMPILE, CGROUP, NAMESPACES, MOUNTS, PROCESS, GATE, HOOKS, EXEC, CLEANUP = CATEGORIES = (
    *("launch", "parse", "compile", "cgroup", "namespaces", "mounts", "process", "gate", "hook", "exec", "clean up"),
)
NANOSECONDS_PER_MS = 1_000_000

_KINDS = {
    NAMESPACES: "Fork OpenNamespace Join Clone TakeRoot Unshare TimeOffsets Hostname Domainname Sysctl",
    MOUNTS: (
        "OpenTree IdMap MapTree Propagation AttachRoot OpenRoot MountNew MountBind MountChange MakeNode MakeLink Pivot "
        "RootChange Mask ReadonlyPath"
    ),
    GATE: "Gate",
    EXEC: "FindProgram CloseOnExec Announce Seccomp Exec",
}
_CATEGORY = {kind: category for category, kinds in _KINDS.items() for kind in kinds.split()}
_NAMES = {kind.__name__: op_name(kind).replace("_", " ") for kind in OPS}
# Ops that are not work: what waits for somebody else, and what tells the times.
_LEFT_OUT = frozenset({"WaitStart", "KeepTimes", "TellTimes", "Hook"})

# What the brain calls its spans (creation.py, starting.py, ending.py) -> category. Rule of the table: it is the list.
SPANS = {
    "start the interpreter": LAUNCH,
    "load slinger": LAUNCH,
    "read config.json": PARSE,
    "prepare": PROCESS,
    "make the cgroup": CGROUP,
    "compile the plan": COMPILE,
    "start the hands": PROCESS,
    "write the id maps": GATE,
    "join the cgroup": CGROUP,
    "set the limits": CGROUP,
    "move the network devices": NAMESPACES,
    "save the state": GATE,
    "connect to init": PROCESS,
    "poststart hooks": HOOKS,
    "exec": EXEC,
    "the container's processes": CLEANUP,
    "the hands": CLEANUP,
    "the terminal": CLEANUP,
    "the cgroup": CLEANUP,
    "poststop hooks": HOOKS,
    "the container's directory": CLEANUP,
}


class Step(Record):
    """A stretch of time of one actor. ``started`` in nanoseconds since the epoch, ``duration`` in nanoseconds.

    ``lane``: who was at work (LANES); ``origin``: the JSON path that caused it, if one did; ``about``: the path or
    name that it dealt with.
    """

    verb: str
    lane: str
    category: str
    name: str
    about: str
    origin: str
    started: int
    duration: int


class Trace(Record):
    """All that is known of a container's way: ``hooks`` and ``steps`` in the order in which they began.

    ``steps`` has a row for each hook's run as well. ``errors``: the verbs that failed, and what they said.
    ``ended``: nanoseconds since the epoch at which it was deleted, 0 if it is there.
    """

    id: str
    bundle: str
    ended: int
    hooks: tuple[HookRecord, ...]
    steps: tuple[Step, ...]
    errors: tuple[tuple[str, str], ...]

    @property
    def began(self) -> int:
        """The first moment that is known, in nanoseconds since the epoch; 0 if nothing is."""
        return min((step.started for step in self.steps), default=0)


def read_trace(container_id: str, bundle: str, ended: int, lines: bytes, hooks: bytes) -> Trace:
    """The trace of what tracing.Tracer.line and hooks.jsonl have written. HostError for what they have not."""
    records = tuple(sorted((parse_record(line) for line in hooks.splitlines()), key=lambda record: record.started))
    steps = [hook_step(record) for record in records]
    errors: list[tuple[str, str]] = []
    for line in lines.splitlines():
        verb = _Verb(line)
        steps += verb.steps()
        if verb.error:
            errors.append((verb.name, verb.error))
    ordered = tuple(sorted(steps, key=lambda step: (step.started, -step.duration)))
    return Trace(container_id, bundle, ended, records, ordered, tuple(errors))


def hook_step(record: HookRecord) -> Step:
    """A hook's run as a step of the timeline."""
    name = f"{record.stage}[{record.index}]"
    return Step(_verb_of(record), HOOK, HOOKS, name, record.path, f"hooks.{name}", record.started, record.duration)


def _verb_of(record: HookRecord) -> str:
    """The verb during which a stage's hooks run."""
    return ("create", "create", "create", "start", "start", "delete")[STAGE_NAMES.index(record.stage)]


class _Verb:
    """One line of trace.jsonl."""

    def __init__(self, line: bytes) -> None:
        values = load(line, "a trace")
        try:
            if not isinstance(values, dict):
                raise TypeError  # noqa: TRY301 - told below, as every other misfit
            self.name = str(values["verb"])
            self.error = str(values["error"])
            # From the monotonic clock to the time of day, as they stood when the verb began.
            self._offset = _whole(values["wall"]) - _whole(values["clock"])
            self._spans = _rows(values["spans"], 3)
            self._ops = _rows(values["ops"], 5)
            self._times = bytes.fromhex(str(values["times"]))
            self._steps = [*self._brain(), *self._hands()]
        except (KeyError, TypeError, ValueError) as error:
            message = "a line of a trace is not as this version of slinger writes it"
            raise HostError(message) from error

    def steps(self) -> list[Step]:
        """What the brain and the hands did, in no order."""
        return self._steps

    def _brain(self) -> list[Step]:
        found: list[Step] = []
        for name, began, ended in self._spans:
            category = SPANS.get(str(name), PROCESS)
            found.append(self._step(BRAIN, category, (str(name), "", ""), (_whole(began), _whole(ended))))
        return found

    def _hands(self) -> list[Step]:
        found: list[Step] = []
        for at, kind, origin, actor, about in self._ops:
            place = _whole(at) * 16
            began = int.from_bytes(self._times[place : place + 8], "little", signed=True)
            ended = int.from_bytes(self._times[place + 8 : place + 16], "little", signed=True)
            if 0 < began <= ended and kind not in _LEFT_OUT:
                words = (_NAMES.get(str(kind), str(kind)), str(about), str(origin))
                found.append(self._step(str(actor), _CATEGORY.get(str(kind), PROCESS), words, (began, ended)))
        return found

    def _step(self, lane: str, category: str, words: tuple[str, str, str], times: tuple[int, int]) -> Step:
        name, about, origin = words
        return Step(self.name, lane, category, name, about, origin, times[0] + self._offset, times[1] - times[0])


def _whole(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError
    return value


def _rows(value: object, width: int) -> list[list[object]]:
    """A list of rows of this width. TypeError for anything else."""
    if not isinstance(value, list):
        raise TypeError
    rows: list[object] = value  # pyright: ignore[reportUnknownVariableType]
    for row in rows:
        if not isinstance(row, list) or len(row) != width:  # pyright: ignore[reportUnknownArgumentType]
            raise TypeError
    return rows  # type: ignore[return-value]


def trace_data(trace: Trace) -> dict[str, object]:
    """The trace as data for JSON; capabilities by name."""
    return {
        "id": trace.id,
        "bundle": trace.bundle,
        "ended": trace.ended,
        "errors": [{"verb": verb, "message": message} for verb, message in trace.errors],
        "hooks": [to_shown(record) for record in trace.hooks],
        "steps": [dict(step.__dict__) for step in trace.steps],
    }


def totals(trace: Trace) -> tuple[tuple[str, int], ...]:
    """Nanoseconds by category; where the hands wait at a gate, what the brain does meanwhile counts and not they."""
    sums = dict.fromkeys(CATEGORIES, 0)
    for step in trace.steps:
        if step.category != GATE or step.lane == BRAIN:
            sums[step.category] += step.duration
    return tuple((name, duration) for name, duration in sums.items() if duration)
