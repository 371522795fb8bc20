"""The configuration file of slinger itself: TOML, with what applies to every container of this machine.

    [hooks]
    dirs = ["/etc/slinger/hooks.d"]        as --hooks-dir

    [cdi]
    devices = ["vendor.com/gpu=all"]       as --cdi-device
    annotations = true                     as --cdi-annotations
    spec_dirs = ["/etc/cdi"]               as --cdi-spec-dir

Rule of the file: it is loaded only where there is such a file or an option of those, and a name that it does not know
is an error: a misspelt one would silently do nothing.
"""

from __future__ import annotations

import os

from slinger.errors import ConfigError
from slinger.host.injection import read_file
from slinger.inject.draft import Injection
from slinger.inject.files import in_file, unknown_names
from slinger.spec.reader import Reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.spec.jsontext import Json

SECTIONS = {"hooks": ("dirs",), "cdi": ("devices", "annotations", "spec_dirs")}


def read_settings(path: str) -> Injection:
    """What the file asks for. Relative paths in it begin at its directory. ConfigError or HostError naming it."""
    import tomllib  # noqa: PLC0415 - 10 ms

    try:
        values: Json = tomllib.loads(read_file(path).decode())
    except UnicodeDecodeError as error:
        raise ConfigError("", f"{path}: not UTF-8: {error.reason} at byte {error.start}") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError("", f"{path}: invalid TOML: {error}") from None
    try:
        return _read(Reader(values, "", path), os.path.dirname(os.path.abspath(path)))
    except ConfigError as error:
        raise in_file(path, error) from None


def _read(top: Reader, base: str) -> Injection:
    sections = {name: top.object(name) or Reader({}, name) for name in SECTIONS}
    for reader, known in ((top, tuple(SECTIONS)), *((sections[name], SECTIONS[name]) for name in SECTIONS)):
        for at, why in unknown_names(reader, known):
            raise ConfigError(at, why, hint=f"known are {', '.join(known)}")
    cdi = sections["cdi"]
    spec_dirs = cdi.texts_or_none("spec_dirs")
    return Injection(
        hooks_dirs=_absolute(sections["hooks"].texts("dirs"), base),
        cdi_devices=cdi.texts("devices"),
        cdi_annotations=cdi.flag("annotations"),
        cdi_spec_dirs=Injection().cdi_spec_dirs if spec_dirs is None else _absolute(spec_dirs, base),
    )


def _absolute(paths: tuple[str, ...], base: str) -> tuple[str, ...]:
    return tuple(os.path.join(base, path) for path in paths)
