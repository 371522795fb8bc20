"""The configuration file of slinger itself: TOML, with what applies to every container of this machine.

    [hooks]
    dirs = ["/etc/slinger/hooks.d"]        as --hooks-dir

    [cdi]
    devices = ["vendor.com/gpu=all"]       as --cdi-device
    annotations = true                     as --cdi-annotations
    spec_dirs = ["/etc/cdi"]               as --cdi-spec-dir

    [trace]
    dir = "/var/log/slinger"               as --trace-dir
    otel = true                            as --otel

Rule of the file: it is loaded only where there is such a file or an option of those, and a name that it does not know
is an error: a misspelt one would silently do nothing.
"""

from __future__ import annotations

import os

from slinger.errors import ConfigError
from slinger.host.injection import read_file
from slinger.inject.draft import Injection
from slinger.inject.files import in_file, unknown_names
from slinger.record import Record
from slinger.spec.reader import Reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.spec.jsontext import Json

SECTIONS = {"hooks": ("dirs",), "cdi": ("devices", "annotations", "spec_dirs"), "trace": ("dir", "otel")}


class Tracing(Record):
    """What is to be kept and told of containers; ``directory`` is absolute, or "" for none."""

    directory: str = ""
    otel: bool = False


def read_settings(path: str) -> Injection:
    """What the file asks to be added. Relative paths begin at its directory. ConfigError or HostError naming it."""
    try:
        sections = _sections(path)
        cdi, base = sections["cdi"], os.path.dirname(os.path.abspath(path))
        spec_dirs = cdi.texts_or_none("spec_dirs")
        return Injection(
            hooks_dirs=_absolute(sections["hooks"].texts("dirs"), base),
            cdi_devices=cdi.texts("devices"),
            cdi_annotations=cdi.flag("annotations"),
            cdi_spec_dirs=Injection().cdi_spec_dirs if spec_dirs is None else _absolute(spec_dirs, base),
        )
    except ConfigError as error:
        raise in_file(path, error) from None


def read_tracing(path: str) -> Tracing:
    """What the file asks to be kept and told. ConfigError or HostError naming it."""
    try:
        trace = _sections(path)["trace"]
        directory = trace.text("dir")
        return Tracing(
            directory=os.path.join(os.path.dirname(os.path.abspath(path)), directory) if directory else "",
            otel=trace.flag("otel"),
        )
    except ConfigError as error:
        raise in_file(path, error) from None


def _sections(path: str) -> dict[str, Reader]:
    """The sections, each with no names but its own. ConfigError without the file's name, HostError with it."""
    import tomllib  # noqa: PLC0415 - 10 ms

    try:
        values: Json = tomllib.loads(read_file(path).decode())
    except UnicodeDecodeError as error:
        raise ConfigError("", f"not UTF-8: {error.reason} at byte {error.start}") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError("", f"invalid TOML: {error}") from None
    top = Reader(values, "", path)
    sections = {name: top.object(name) or Reader({}, name) for name in SECTIONS}
    for reader, known in ((top, tuple(SECTIONS)), *((sections[name], SECTIONS[name]) for name in SECTIONS)):
        for at, why in unknown_names(reader, known):
            raise ConfigError(at, why, hint="" if "did you mean" in why else f"known are {', '.join(known)}")
    return sections


def _absolute(paths: tuple[str, ...], base: str) -> tuple[str, ...]:
    return tuple(os.path.join(base, path) for path in paths)
