"""Other limits for a cgroup in use: only what is asked for changes, and after a failure nothing has."""

from __future__ import annotations

from slinger.errors import HostError
from slinger.host.cgroup import files, limits
from slinger.host.cgroup.setup import pass_on
from slinger.plan.cgroup_update import beside, filled_cpu, filled_memory, undoing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from slinger.host.cgroup.ref import Place, Ref
    from slinger.plan.cgroup_line import Write
    from slinger.spec.config import Resources

DEVICES = "devices"
IDLE = "cpu.idle"


def update(
    ref: Ref,
    resources: Resources,
    name: Callable[[str], str],
    tell: Callable[[tuple[Write, ...]], None] = lambda _lines: None,
) -> None:
    """Set these limits. ``name`` turns the JSON path of a property into what the caller calls it.

    ``tell`` hears of the lines before they are written, those of a restoring too. Devices stay as they are:
    others (a GPU's plug-in) may have added some since create.

    Raises ConfigError for what cannot be converted, HostError for what the kernel refused; the old limits
    then hold, or a note of the error tells which of them do not.
    """
    full = _filled(ref, resources)
    limits.check_usage(ref, full)
    lines = tuple(
        line.replace(origin=name(line.origin)) for line in limits.table(ref, full) if line.controller != DEVICES
    )
    enable(ref, lines)
    old = _before(ref, lines)
    try:
        tell(lines)
        limits.run(ref, lines)
    except HostError as error:
        try:
            tell(tuple(reversed(old)))
        except HostError as problem:
            error.add_note(str(problem))
        for left in _restored(ref, old):
            error.add_note(left)
        raise


def enable(ref: Ref, lines: tuple[Write, ...]) -> None:
    """The controllers of v2 that the lines need, where create or systemd has not enabled them. HostError."""
    unified = ref.unified()
    needed = {line.controller for line in lines if line.version != 1} - {"cgroup"}
    if unified is None or needed.issubset(_read(unified, "cgroup.controllers").split()):
        return
    try:
        pass_on(unified, needed, alone=ref.version != 1 and ref.unit is None)
    except OSError as error:
        raise files.refused(f"{lines[0].origin}: enabling controllers: {error.filename}", error) from error


def _place(ref: Ref, controller: str) -> Place | None:
    """Where v2 has the controller for this container; None if v1 has it, or nobody."""
    return None if limits.on_v1(ref, controller) else ref.unified()


def _filled(ref: Ref, resources: Resources) -> Resources:
    cpu, memory = resources.cpu, resources.memory
    place = _place(ref, "cpu")
    if cpu is not None and place is not None and (text := _read(place, "cpu.max")):
        resources = resources.replace(cpu=filled_cpu(cpu, text))
    place = _place(ref, "memory")
    if memory is not None and place is not None:
        full = filled_memory(memory, _read(place, "memory.max"), _read(place, "memory.swap.max"))
        resources = resources.replace(memory=full)
    return resources


def _before(ref: Ref, lines: tuple[Write, ...]) -> list[Write]:
    """What to write in order to undo the lines, as the files are now."""
    old: list[Write] = []
    names = frozenset(line.file for line in lines)
    for line in lines:
        place = limits.place_of(ref, line)
        if place is None:
            continue  # it will be refused
        for each in (line, *(line.replace(file=file) for file in beside(names) if line.file == IDLE)):
            undo = _undoing(place, each)
            if undo is not None and undo not in old:
                old.append(undo)
    return old


def _undoing(place: Place, line: Write) -> Write | None:
    other = line.otherwise
    text = _read(place, line.file)
    if text:
        return undoing(line, text)
    if other is not None:
        return _undoing(place, other)
    return undoing(line, text) if files.exists(f"{place.path}/{line.file}") else None


def _read(place: Place, file: str) -> str:
    """The file's text; "" if it is not there, or can only be written."""
    try:
        return files.read(f"{place.path}/{file}")
    except OSError:
        return ""


def _restored(ref: Ref, old: list[Write]) -> list[str]:
    """Write the old values; what of them the kernel did not take."""
    idle = any(line.file == IDLE and line.value != "0" for line in old)
    old = [line for line in old if not (idle and line.file in {"cpu.shares", "cpu.weight"})]
    problems: list[str] = []
    for line, error in limits.put_again(ref, tuple(reversed(old))):
        place = limits.place_of(ref, line)
        if place is not None and _undoing(place, line) != line:  # else it is what was refused, and never changed
            problems.append(f"{line.file} could not be set back to {line.value}: {(error.strerror or '').lower()}")
    return problems
