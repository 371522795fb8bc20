"""The hook lists of config.json, and warnings for what looks like a hook but is none.

A misspelt stage is valid by the spec (an unknown property), so the hook would silently never run:
containers/crun issue 1501. The stages are those of lifecycle.STAGES.
"""

from __future__ import annotations

from slinger.lifecycle import STAGE_NAMES
from slinger.spec.config import Hook, Hooks
from slinger.spec.reader import INT64, Reader

HOOK_PROPERTIES = ("path", "args", "env", "timeout")

_LONGEST_SLIP = 2  # letters wrong, missing or too many, for a name to be taken for a misspelling


def read_hooks(config: Reader) -> tuple[Hooks, tuple[str, ...]]:
    """The hooks of a document, and warnings about names that are not hooks. Raises ConfigError."""
    hooks = config.object("hooks")
    lists: list[tuple[str, tuple[Hook, ...]]] = []
    for stage in STAGE_NAMES if hooks is not None else ():
        entries = hooks.objects(stage) if hooks is not None else []
        if entries:
            lists.append((stage, tuple(read_hook(entry) for entry in entries)))
    return Hooks(tuple(lists)), hook_warnings(config)


def hook_warnings(config: Reader) -> tuple[str, ...]:
    """Warnings about names that are not hooks; where the document is wrong it is left to ``read_hooks`` to say so."""
    warnings = [
        f'{name}: not a property here, ignored (did you mean "hooks.{name}"?)'
        for name in config.members
        if name in STAGE_NAMES
    ]
    hooks = config.members.get("hooks")
    if not isinstance(hooks, dict):
        return tuple(warnings)
    warnings += _warn_unknown_names(Reader(hooks, "hooks"), STAGE_NAMES, "not a hook stage, ignored")
    for stage in STAGE_NAMES:
        entries = hooks.get(stage)
        for index, entry in enumerate(entries if isinstance(entries, list) else ()):
            if isinstance(entry, dict):
                reader = Reader(entry, f"hooks.{stage}[{index}]")
                warnings += _warn_unknown_names(reader, HOOK_PROPERTIES, "unknown property, ignored")
    return tuple(warnings)


def similar_name(name: str, known: tuple[str, ...]) -> str:
    """The known name that this one was probably meant to be, or ""; another case counts as similar."""
    folded = name.casefold()
    for each in known:
        if folded == each.casefold():
            return each
    for each in known:
        near = len(each) > 2 * _LONGEST_SLIP or _distance(folded, each.casefold()) == 1
        if near and _distance(folded, each.casefold()) <= _LONGEST_SLIP:
            return each
    return ""


def warn_unknown(path: str, meant: str) -> str:
    """The warning for a property that the spec does not know, but nearly."""
    return f'{path}: unknown property, ignored (did you mean "{meant}"?)'


def read_hook(entry: Reader) -> Hook:
    """One hook. Raises ConfigError."""
    return Hook(
        path=entry.demanded_text("path"),
        # An empty list is no argv; Go's runtimes cannot tell it from an absent one either.
        args=entry.texts_or_none("args") or None,
        env=entry.texts_or_none("env"),
        timeout=entry.number_or_none("timeout", INT64),
    )


def _warn_unknown_names(reader: Reader, known: tuple[str, ...], otherwise: str) -> list[str]:
    """A warning for each member that is not known; ``otherwise`` where nothing known is similar."""
    warnings: list[str] = []
    for name in reader.members:
        if name not in known:
            meant = similar_name(name, known)
            path = reader.path(name)
            warnings.append(warn_unknown(path, meant) if meant else f"{path}: {otherwise}")
    return warnings


def _distance(one: str, other: str) -> int:
    """How many letters must change, come or go (Levenshtein); names so different in length count as far."""
    if abs(len(one) - len(other)) > _LONGEST_SLIP:
        return _LONGEST_SLIP + 1
    row = list(range(len(other) + 1))
    for line, letter in enumerate(one, start=1):
        diagonal, row[0] = row[0], line
        for column, against in enumerate(other, start=1):
            diagonal, row[column] = (
                row[column],
                min(row[column] + 1, row[column - 1] + 1, diagonal + (letter != against)),
            )
    return row[-1]
