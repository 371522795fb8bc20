"""What is wrong, or silently ignored somewhere, about the hooks of a bundle, of hooks.d files or of CDI devices.

Rule of the file: it goes on after a fault, and names each by file and JSON path. Sources of the rules: runtime-spec 1.3
config.md ("POSIX-platform Hooks"), oci-hooks(5), and what users lost hours with (crun issue 1501, cri-o issue 7789).
"""

from __future__ import annotations

import os

from slinger.errors import ConfigError, SlingerError, UsageError
from slinger.host.injection import read_document, read_file
from slinger.host.programs import Mounted, look_at, writable_by_others
from slinger.inject.cdi_spec import parse_spec
from slinger.inject.hooks_d import parse_hook_file
from slinger.lifecycle import CONTAINER, STAGE_NAMES, stage_of
from slinger.linux.flags import parse_options
from slinger.record import Record
from slinger.spec.jsontext import load
from slinger.spec.parse import warn_misspelt
from slinger.spec.parse_hooks import hook_warnings, read_hook, similar_name
from slinger.spec.reader import Reader
from slinger.spec.validate import check_hook

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from slinger.inject.hooks_d import HookFile
    from slinger.spec.config import Hook
    from slinger.spec.jsontext import Json

CONFIG = "config.json"
ERROR, WARNING = "error", "warning"
DEPRECATED = "prestart"
DEPRECATION = "deprecated since runtime-spec 1.1: use createRuntime"


class Finding(Record):
    """``level``: error, for a hook that fails or does not run; or warning. ``at``: the JSON path in the file."""

    level: str
    file: str
    at: str
    message: str

    def text(self) -> str:
        """``FILE: PATH: what is wrong``."""
        return ": ".join(part for part in (self.file, self.at, self.message) if part)


def lint(path: str) -> tuple[Finding, ...]:
    """The findings about a bundle, a configuration, a directory of hooks.d files or CDI specifications, or one of them.

    UsageError if there is nothing of that path.
    """
    path = os.path.abspath(path)
    if os.path.isdir(path):
        config = os.path.join(path, CONFIG)
        return tuple(_config(config, path) if os.path.exists(config) else _directory(path))
    if not os.path.exists(path):
        raise UsageError(f"{path}: no such file or directory", hint="a bundle, or a directory of hooks.d or CDI files")
    return tuple(_config(path, os.path.dirname(path)) if _has(path, "ociVersion", "process") else _file(path))


def _has(path: str, *names: str) -> bool:
    """Whether the document has one of these members; by its name, where it cannot be read."""
    try:
        value = read_document(path)
    except SlingerError:
        return "ociVersion" in names and os.path.basename(path) == CONFIG
    return isinstance(value, dict) and not value.keys().isdisjoint(names)


# ---- config.json


def _config(file: str, bundle: str) -> Iterator[Finding]:
    try:
        top = Reader(load(read_file(file), file), "", file)
    except SlingerError as error:
        yield _fault(file, error)
        return
    for warning in (*warn_misspelt(top), *hook_warnings(top)):
        at, _, message = warning.partition(": ")
        level = WARNING if message == "unknown property, ignored" else ERROR
        if at.partition(".")[0].partition("[")[0].casefold() in {"hook", "hooks", *map(str.casefold, STAGE_NAMES)}:
            yield Finding(level, file, at, message)
    try:
        hooks = top.object("hooks")
        stages = [] if hooks is None else [(stage, hooks.items(stage) or []) for stage in STAGE_NAMES]
    except ConfigError as error:
        yield _fault(file, error)
        return
    root, mounts = _inside(top, bundle)
    for stage, entries in stages:
        if stage == DEPRECATED and entries:
            yield Finding(WARNING, file, f"hooks.{stage}", DEPRECATION)
        for index, entry in enumerate(entries):
            yield from _entry(file, stage, f"hooks.{stage}[{index}]", entry, (root, mounts))


def _entry(file: str, stage: str, at: str, entry: Json, inside: tuple[str, tuple[Mounted, ...]]) -> Iterator[Finding]:
    try:
        hook = read_hook(Reader(entry, at))
        check_hook(hook, at)
    except ConfigError as error:
        yield _fault(file, error)
        return
    yield from _words(file, at, hook)
    root, mounts = inside if stage_of(stage).path_in == CONTAINER else ("/", ())
    yield from _program(file, at, hook.path, root, mounts)


def _inside(top: Reader, bundle: str) -> tuple[str, tuple[Mounted, ...]]:
    """The container's root, and what is mounted over it, as far as the configuration can be read."""
    mounts: list[Mounted] = []
    try:
        root = top.demanded_object("root").demanded_text("path")
        for mount in top.objects("mounts"):
            bind = parse_options(mount.texts("options")).bind or mount.text("type") == "bind"
            source = os.path.join(bundle, mount.text("source")) if bind else ""
            mounts.append(Mounted(mount.demanded_text("destination"), source))
    except ConfigError:
        return bundle, (Mounted("/", ""),)  # wrong elsewhere: nobody can tell what is there
    return os.path.join(bundle, root), tuple(mounts)


# ---- hooks.d


def _directory(path: str) -> Iterator[Finding]:
    names = sorted(os.listdir(path))
    files = [name for name in names if name.endswith(".json") or _is_cdi(f"{path}/{name}")]
    for name in names:
        if name not in files and similar_name(os.path.splitext(name)[1], (".json",)):
            yield Finding(WARNING, f"{path}/{name}", "", "not read: the name of a hooks.d file ends in .json")
    if not files:
        yield Finding(WARNING, path, "", "neither a bundle nor a hooks.d file nor a CDI specification is in it")
    for name in files:
        yield from _file(f"{path}/{name}")


def _is_cdi(file: str) -> bool:
    return file.endswith(".yaml") or (file.endswith(".json") and _has(file, "cdiVersion", "containerEdits"))


def _file(file: str) -> Iterator[Finding]:
    return _cdi_file(file) if _is_cdi(file) else _hook_file(file)


def _cdi_file(file: str) -> Iterator[Finding]:
    yield from _open_to_others(file)
    try:
        spec = parse_spec(file, 0, read_document(file))
    except SlingerError as error:
        yield _fault(file, error)
        return
    for edits in (spec.edits, *(each for _, each in spec.devices)):
        for index, (stage, hook) in enumerate(edits.hooks):
            at = f"{edits.at}.hooks[{index}]"
            if stage == DEPRECATED:
                yield Finding(WARNING, file, f"{at}.hookName", f"{stage} is {DEPRECATION}")
            yield from _words(file, at, hook)
            if stage_of(stage).path_in != CONTAINER:
                yield from _program(file, at, hook.path, "/", ())


def _hook_file(file: str) -> Iterator[Finding]:
    yield from _open_to_others(file)
    try:
        parsed, warnings = parse_hook_file(file, read_file(file))
    except SlingerError as error:
        yield _fault(file, error)
        return
    for warning in warnings:
        at, _, message = warning.removeprefix(f"{file}: ").partition(": ")
        yield Finding(WARNING, file, at, message)
    yield from _conditions(file, parsed)
    if DEPRECATED in parsed.stages:
        yield Finding(WARNING, file, "stages", f"{DEPRECATED} is {DEPRECATION}")
    yield from _words(file, "hook", parsed.hook)
    if any(stage_of(stage).path_in != CONTAINER for stage in parsed.stages):
        yield from _program(file, "hook", parsed.hook.path, "/", ())


def _open_to_others(file: str) -> Iterator[Finding]:
    if place := writable_by_others(file):
        yield Finding(WARNING, file, "", f"every user may write to {place}, and so choose what root runs")


def _conditions(file: str, parsed: HookFile) -> Iterator[Finding]:
    """Files that never apply."""
    when = parsed.when
    if when.always is False:
        yield Finding(WARNING, file, "when.always", "false: it never applies, whatever the other conditions say")
    if when.has_bind_mounts is False:
        yield Finding(WARNING, file, "when.hasBindMounts", "false: it never applies; leave it out to ask for nothing")
    if (when.always, when.has_bind_mounts) == (None, None) and not when.annotations and not when.commands:
        yield Finding(ERROR, file, "when", "no condition: it never applies (always: true is for every container)")
    if not parsed.stages:
        yield Finding(ERROR, file, "stages", "no stage: it never runs")


# ---- both


def _words(file: str, at: str, hook: Hook) -> Iterator[Finding]:
    if hook.args and hook.args[0].startswith("-"):
        yield Finding(WARNING, file, f"{at}.args", f"the first is the program's name, {hook.args[0]} is lost to it")


def _program(file: str, at: str, path: str, root: str, mounts: tuple[Mounted, ...]) -> Iterator[Finding]:
    look = look_at(path, root, mounts)
    where = "" if root == "/" else " in the container"
    if look.why:
        yield Finding(ERROR, file, f"{at}.path", f"{path}{where}: {look.why}")
    elif look.real and root == "/" and (place := writable_by_others(look.real)):
        yield Finding(WARNING, file, f"{at}.path", f"every user may write to {place}, and so choose what root runs")


def _fault(file: str, error: SlingerError) -> Finding:
    text = str(error).removeprefix(f"{file}: ")
    at = error.path if isinstance(error, ConfigError) else ""
    return Finding(ERROR, file, at, text.removeprefix(f"{at}: ") if at else text)
