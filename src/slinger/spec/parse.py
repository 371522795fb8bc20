"""config.json -> Config: types and required properties. What values may be is decided in validate.py.

Sources: runtime-spec 1.3 config.md and config-linux.md. Every error is a ConfigError that names its JSON
path. Unknown properties are ignored; the warnings are about those that were probably meant.
"""

from __future__ import annotations

from slinger.spec.config import Config, Linux, Mount, Root
from slinger.spec.jsontext import load
from slinger.spec.parse_hooks import read_hooks, similar_name, warn_unknown
from slinger.spec.parse_linux import read_linux
from slinger.spec.parse_mappings import read_mappings
from slinger.spec.parse_process import parse_process, read_process
from slinger.spec.parse_resources import parse_resources
from slinger.spec.reader import Reader
from slinger.spec.values import demand_absolute

__all__ = ("parse_config", "parse_process", "parse_resources")

# crun(1), "EXTENSIONS TO OCI".
RECEIVER = "run.oci.seccomp.receiver"
RECEIVER_VARIABLE = "RUN_OCI_SECCOMP_RECEIVER"
KNOWN_CALLS_ONLY = "run.oci.seccomp_fail_unknown_syscall"

PROPERTIES = (
    "ociVersion",
    "root",
    "process",
    "hostname",
    "domainname",
    "mounts",
    "hooks",
    "annotations",
    "linux",
)


def parse_config(text: bytes, what: str = "config.json", receiver: str = "") -> tuple[Config, tuple[str, ...]]:
    """The configuration in a document, and warnings. Raises ConfigError.

    ``receiver``: the socket for seccomp notifications where the document names none (RUN_OCI_SECCOMP_RECEIVER).
    """
    reader = Reader(load(text, what), "", what)
    hooks, warnings = read_hooks(reader)
    process = reader.object("process")
    linux = reader.object("linux")
    config = Config(
        oci_version=reader.demanded_text("ociVersion"),
        root=_read_root(reader.demanded_object("root")),
        process=None if process is None else read_process(process),
        hostname=reader.text("hostname"),
        domainname=reader.text("domainname"),
        mounts=tuple(_read_mount(mount) for mount in reader.objects("mounts")),
        hooks=hooks,
        annotations=reader.map("annotations"),
        linux=Linux() if linux is None else read_linux(linux),
    )
    config = _annotated(config, receiver)
    return config, (*warn_misspelt(reader), *warnings)


def _annotated(config: Config, receiver: str) -> Config:
    """What crun's annotations say of linux.seccomp. The property of the specification comes before them."""
    seccomp = config.linux.seccomp
    if seccomp is None:
        return config
    named = dict(config.annotations)
    path = seccomp.listener_path
    for origin, other in ((f'annotations["{RECEIVER}"]', named.get(RECEIVER, "")), (RECEIVER_VARIABLE, receiver)):
        if not path and other:
            demand_absolute(other, origin)
            path = other
    changed = seccomp.replace(listener_path=path, known_calls_only=KNOWN_CALLS_ONLY in named)
    return config.replace(linux=config.linux.replace(seccomp=changed))


def _read_root(root: Reader) -> Root:
    return Root(path=root.demanded_text("path"), readonly=root.flag("readonly"))


def _read_mount(mount: Reader) -> Mount:
    return Mount(
        destination=mount.demanded_text("destination"),
        type=mount.text("type"),
        source=mount.text("source"),
        options=mount.texts("options"),
        uid_mappings=read_mappings(mount, "uidMappings"),
        gid_mappings=read_mappings(mount, "gidMappings"),
    )


def warn_misspelt(reader: Reader) -> tuple[str, ...]:
    """Top-level names that are nearly a property; ``hook`` and ``Hooks`` are what users write."""
    warnings: list[str] = []
    for name in reader.members:
        meant = similar_name(name, PROPERTIES)
        if meant and name not in PROPERTIES:
            warnings.append(warn_unknown(name, meant))
    return tuple(warnings)
