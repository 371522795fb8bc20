"""hooks.d: files with a hook, its stages, and when it applies (oci-hooks(5), schema 1.0.0).

What differs from the engines that read such files is in docs/decisions/0014-injecting.md: the stage prestart stays
prestart, and every bind mount of the configuration counts for hasBindMounts.
"""

from __future__ import annotations

from slinger.errors import ConfigError
from slinger.inject.draft import Draft, Injected, LeftOut, Source
from slinger.inject.files import in_file, unknown_names
from slinger.inject.patterns import compile_pattern
from slinger.lifecycle import STAGE_NAMES
from slinger.linux.flags import parse_options
from slinger.record import Record
from slinger.spec.features import HOOKS_D_VERSION
from slinger.spec.jsontext import load
from slinger.spec.parse_hooks import HOOK_PROPERTIES, read_hook, similar_name
from slinger.spec.reader import Reader, key_path
from slinger.spec.validate import check_hook
from slinger.spec.values import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.inject.patterns import Pattern
    from slinger.spec.config import Config, Hook

PROPERTIES = ("version", "hook", "when", "stages")
CONDITIONS = ("always", "annotations", "commands", "hasBindMounts")
# Stages that are no runtime's: engines that know them run them themselves.
ENGINE_STAGES = ("precreate",)


class When(Record):
    """The conditions, all of which must hold; None and empty: not given. Patterns with the text that they are of."""

    always: bool | None
    annotations: tuple[tuple[Pattern, Pattern], ...]
    commands: tuple[Pattern, ...]
    has_bind_mounts: bool | None


class HookFile(Record):
    """One file: ``file`` is its path."""

    file: str
    hook: Hook
    when: When
    stages: tuple[str, ...]


def in_order(paths: tuple[str, ...]) -> tuple[str, ...]:
    """Of the paths, listed directory by directory, those that count, in the order in which their hooks are added.

    A file replaces those of the same name in directories before; the order is that of the names in lower case.
    """
    by_name = {path.rpartition("/")[2]: path for path in paths}
    return tuple(by_name[name] for name in sorted(by_name, key=lambda name: (name.lower(), name)))


def parse_hook_file(file: str, text: bytes) -> tuple[HookFile, tuple[str, ...]]:
    """A file, and warnings. ConfigError that names file and JSON path."""
    try:
        return _read(file, Reader(load(text, file), "", file))
    except ConfigError as error:
        raise in_file(file, error) from None


def _read(file: str, reader: Reader) -> tuple[HookFile, tuple[str, ...]]:
    unknown = unknown_names(reader, PROPERTIES)
    version = reader.demanded_text("version")
    if version != HOOKS_D_VERSION:
        hint = "the old schema 0.1.0 is not read" if version == "0.1.0" else ""
        raise ConfigError("version", f"expected {quote(HOOKS_D_VERSION)}, got {quote(version)}", hint=hint)
    for path, why in unknown:
        if "did you mean" in why:  # it stands in the place of one that is demanded, or of a condition
            raise ConfigError(path, why)
    entry, when = reader.demanded_object("hook"), reader.demanded_object("when")
    unknown += unknown_names(entry, HOOK_PROPERTIES)
    hook = read_hook(entry)
    check_hook(hook, "hook")
    for path, why in unknown_names(when, CONDITIONS):
        raise ConfigError(path, why, hint=f"the conditions are {', '.join(CONDITIONS)}")
    stages, warnings = _stages(reader)
    found = HookFile(file, hook, _read_when(when), stages)
    return found, (*(f"{file}: {path}: {why}, ignored" for path, why in unknown), *(f"{file}: {w}" for w in warnings))


def _stages(reader: Reader) -> tuple[tuple[str, ...], list[str]]:
    reader.demand("stages")
    stages: list[str] = []
    warnings: list[str] = []
    for index, name in enumerate(reader.texts("stages")):
        if name in ENGINE_STAGES:
            warnings.append(f"stages[{index}]: {name} is run by engines, not by a runtime: ignored")
        elif name not in STAGE_NAMES:
            meant = similar_name(name, STAGE_NAMES)
            hint = f'did you mean "{meant}"?' if meant else f"the stages are {', '.join(STAGE_NAMES)}"
            raise ConfigError(f"stages[{index}]", f"no such stage: {quote(name)}", hint=hint)
        elif name not in stages:
            stages.append(name)
    return tuple(stages), warnings


def _read_when(when: Reader) -> When:
    return When(
        always=when.flag_or_none("always"),
        annotations=tuple(
            (
                compile_pattern(key, key_path("when.annotations", key)),
                compile_pattern(value, key_path("when.annotations", key)),
            )
            for key, value in when.map("annotations")
        ),
        commands=tuple(
            compile_pattern(pattern, f"when.commands[{index}]") for index, pattern in enumerate(when.texts("commands"))
        ),
        has_bind_mounts=when.flag_or_none("hasBindMounts"),
    )


def applies(when: When, config: Config) -> tuple[bool, str]:
    """Whether all conditions hold for a container, and why or why not.

    ConfigError where the command is to be looked at and there is none, as engines have it.
    """
    reasons: list[str] = []
    for holds, why in _verdicts(when, config):
        if not holds:
            return False, why
        reasons.append(why)
    return (True, ", ".join(reasons)) if reasons else (False, "when: no condition")


def _verdicts(when: When, config: Config) -> list[tuple[bool, str]]:
    """Of each condition that is given. False for ``always`` or ``hasBindMounts`` means: never."""
    verdicts: list[tuple[bool, str]] = []
    if when.always is not None:
        verdicts.append((when.always, f"when.always: {str(when.always).lower()}"))
    if when.has_bind_mounts is not None:
        verdicts.append(_bind_mounts(config, wanted=when.has_bind_mounts))
    verdicts += [_annotation(key, value, config) for key, value in when.annotations]
    if when.commands and config.process is not None:
        verdicts.append(_command(when.commands, config.process.args))
    return verdicts


def _bind_mounts(config: Config, *, wanted: bool) -> tuple[bool, str]:
    if not wanted:
        return False, "when.hasBindMounts: false"
    for index, mount in enumerate(config.mounts):
        if mount.type == "bind" or parse_options(mount.options).bind:
            return True, f"when.hasBindMounts: mounts[{index}]"
    return False, "when.hasBindMounts: there is none"


def _annotation(key: Pattern, value: Pattern, config: Config) -> tuple[bool, str]:
    at = key_path("when.annotations", key.text)
    for name, text in config.annotations:
        if key.matches(name) and value.matches(text):
            return True, f"{at}: {name}={text}"
    return False, f"{at}: no annotation matches"


def _command(patterns: tuple[Pattern, ...], args: tuple[str, ...]) -> tuple[bool, str]:
    if not args:
        raise ConfigError("process.args", "must have at least one entry, when.commands of a hooks.d file asks for it")
    for index, pattern in enumerate(patterns):
        if pattern.matches(args[0]):
            return True, f"when.commands[{index}]: {args[0]}"
    return False, f"when.commands: none matches {args[0]}"


def add_hooks(draft: Draft, files: tuple[HookFile, ...]) -> tuple[tuple[HookFile, ...], tuple[LeftOut, ...]]:
    """Add the hooks of the files that apply to the configuration as it was before. Those files, and the others."""
    used: list[HookFile] = []
    left_out: list[LeftOut] = []
    for each in files:
        holds, why = applies(each.when, draft.config)
        if not holds:
            left_out.append(LeftOut(each.file, why))
            continue
        used.append(each)
        for stage in each.stages:
            draft.add_hook(stage, each.hook, Source(each.file, "hook", why))
    return tuple(used), tuple(left_out)


def inject_hooks(config: Config, files: tuple[HookFile, ...]) -> Injected:
    """The configuration with the hooks of all files that apply to it."""
    draft = Draft(config)
    _, left_out = add_hooks(draft, files)
    return draft.finish(left_out)
