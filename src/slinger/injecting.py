"""A configuration as it was asked for becomes the one that is used: hooks.d files and CDI devices are added.

Rule of the file: it is loaded only where something is to be added. What is added is decided in inject/, what is read is
read in host/.
"""

from __future__ import annotations

import os

from slinger.errors import ConfigError, HostError, SlingerError
from slinger.host import injection as host
from slinger.inject.cdi import add_devices, asked_for, find_devices, host_paths
from slinger.inject.cdi_spec import CdiSpec, parse_spec
from slinger.inject.document import rewritten
from slinger.inject.draft import Draft, Injected, Injection
from slinger.inject.hooks_d import HookFile, add_hooks, in_order, parse_hook_file
from slinger.lifecycle import RUNTIME, stage_of
from slinger.spec.jsontext import load
from slinger.spec.validate import validate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from slinger.inject.cdi import Request
    from slinger.spec.config import Config


def inject(config: Config, wanted: Injection, warn: Callable[[str], None]) -> Injected:
    """The configuration with all that is wanted, checked. ConfigError or HostError that names the file at fault."""
    draft = Draft(config)
    files = read_hook_files(wanted.hooks_dirs, warn)
    used, left_out = add_hooks(draft, files)
    for each in used:
        if any(stage_of(stage).path_in == RUNTIME for stage in each.stages):
            host.check_program(each.hook.path, each.file)
    requests = asked_for(wanted.cdi_devices, config.annotations if wanted.cdi_annotations else ())
    if requests:
        _add_devices(draft, requests, wanted.cdi_spec_dirs, warn)
    injected = draft.finish(left_out)
    try:
        validate(injected.config, rootless=os.geteuid() != 0)
    except ConfigError as error:
        source = injected.source_of(error.path)
        if source is None:
            raise
        hint = "; ".join(filter(None, [error.hint, f"{source.file}: {source.at} has added it"]))
        raise ConfigError(error.path, error.why, hint=hint) from None
    return injected


def document_of(text: bytes, before: Config, injected: Injected) -> bytes:
    """The text of the configuration with what was added; the same text if nothing was."""
    if not injected.added:
        return text
    return rewritten(load(text, "config.json"), before, injected.config)


def read_hook_files(directories: tuple[str, ...], warn: Callable[[str], None]) -> tuple[HookFile, ...]:
    """The hooks.d files that count, in their order. A directory that is not there is an error: it was named."""
    paths: list[str] = []
    for directory in directories:
        found = host.files_of(directory, host.HOOK_FILES, "the hooks directory")
        if found is None:
            raise HostError(f"the hooks directory {directory}: no such file or directory", hint="--hooks-dir names it")
        paths += found
    files: list[HookFile] = []
    for path in in_order(tuple(paths)):
        file, warnings = parse_hook_file(path, host.read_file(path))
        files.append(file)
        for warning in warnings:
            warn(warning)
    return tuple(files)


def _add_devices(
    draft: Draft, requests: tuple[Request, ...], directories: tuple[str, ...], warn: Callable[[str], None]
) -> None:
    specs, faults = read_specs(directories)
    try:
        found = find_devices(requests, specs, faults)
    except ConfigError as error:
        where = f"looked for in {', '.join(directories) or 'no directory'}"
        raise ConfigError(error.path, error.why, hint="; ".join(filter(None, [error.hint, where]))) from None
    for fault in faults:  # of files that nothing was wanted from
        warn(f"CDI: not read: {fault}")
    add_devices(draft, found, host.host_nodes(host_paths(found)))


def read_specs(directories: tuple[str, ...]) -> tuple[tuple[CdiSpec, ...], tuple[str, ...]]:
    """The CDI specifications of the directories, a later one having precedence; and what is wrong with others."""
    specs: list[CdiSpec] = []
    faults: list[str] = []
    for priority, directory in enumerate(directories):
        for path in host.files_of(directory, host.CDI_FILES, "the CDI directory") or ():
            try:
                specs.append(parse_spec(path, priority, host.read_document(path)))
            except SlingerError as error:
                faults.append(str(error))
    return tuple(specs), tuple(faults)
