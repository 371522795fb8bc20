"""Bundles from Python: open one, or make one from a root file system and a command, with no image tool.

A bundle is a directory with config.json and, there or elsewhere, the root file system (runtime-spec
bundle.md). Rule of the file: it writes configurations and reads them back, and knows nothing of running them.
"""

from __future__ import annotations

import os

from slinger.errors import ConfigError, HostError, UsageError
from slinger.hooks.functions import hooks_json
from slinger.spec.config import Namespace
from slinger.spec.default import default_config
from slinger.spec.jsontext import dump_pretty, load
from slinger.spec.parse import RECEIVER_VARIABLE, parse_config
from slinger.spec.validate import validate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from tempfile import TemporaryDirectory
    from typing import Self, TypeAlias

    from slinger.spec.config import Config, Hook, IdMapping, Mount
    from slinger.spec.jsontext import Json

    Path: TypeAlias = str | os.PathLike[str]

CONFIG = "config.json"
# Only the unified hierarchy has it, and only in its root (kernel: cgroup-v2.rst, "Core Interface Files").
CGROUP_V2_MARK = "/sys/fs/cgroup/cgroup.controllers"


class Bundle:
    """A bundle directory: ``path`` is absolute, and what ``Container.create`` wants.

    Also an ``os.PathLike``, and a context manager: leaving it removes a temporary directory that ``make``
    made, and nothing else. Leave the containers first.
    """

    def __init__(self, path: Path) -> None:
        """The bundle at ``path``. Nothing is read yet."""
        self.path = os.path.abspath(path)
        self._config: Config | None = None
        self._temporary: TemporaryDirectory[str] | None = None

    @classmethod
    def make(
        cls,
        path: Path | None = None,
        *,
        rootfs: Path,
        args: Sequence[str],
        env: Mapping[str, str] | None = None,
        cwd: str = "/",
        user: tuple[int, int] = (0, 0),
        hostname: str = "",
        terminal: bool = False,
        readonly: bool = False,
        mounts: Sequence[Mount] = (),
        hooks: Mapping[str, Sequence[Hook]] | None = None,
        namespaces: Sequence[str | Namespace] | None = None,
        rootless: bool | None = None,
        properties: Mapping[str, object] | None = None,
    ) -> Self:
        """Write a config.json like that of ``slinger spec``, changed as the arguments say, and open it.

        ``path``: the directory, made if missing; None: a temporary one, removed by ``close``. ``rootfs`` is the
        container's root file system, ``readonly`` whether it may be written to; it is used as it is and never
        removed. ``args``, ``env``, ``cwd``, ``user`` (uid and gid in the container) and ``terminal`` describe the
        program; env None is a usual PATH and TERM. ``hostname`` "" leaves the host's. ``mounts`` come after the
        usual ones (proc, dev, sys). ``hooks`` are lists by stage name. ``namespaces`` are names of types, or
        Namespaces to join one by path; None is a new one of each usual type.

        ``rootless``: with a user namespace that maps ``user`` to the caller and has no other id; None: unless
        the caller is root. ``properties`` are further properties by their path in config.json, JSON values, such
        as ``{"linux.resources.pids.limit": 32}``; they have the last word.

        Raises ConfigError naming the property that is wrong, HostError where the directory cannot be written or
        has a config.json already, UsageError for a string where a list of strings is meant, and TypeError for a
        property that is no JSON.
        """
        if isinstance(args, str):
            message = f"args: must be a list of strings, not {args!r}"
            raise UsageError(message, hint="shlex.split makes one from a command line")
        caller = (os.geteuid(), os.getegid()) if rootless or (rootless is None and os.geteuid() != 0) else None
        document = load(default_config(rootless=caller, cgroup_v2=os.path.exists(CGROUP_V2_MARK)).encode(), CONFIG)
        changes: dict[str, object] = {
            "root": {"path": os.path.abspath(rootfs), "readonly": readonly},
            "hostname": hostname,
            "process.args": list(args),
            "process.cwd": cwd,
            "process.user": {"uid": user[0], "gid": user[1]},
            "process.terminal": terminal,
            "mounts": [*_list_at(document, "mounts"), *(_mount_json(each) for each in mounts)],
            "hooks": hooks_json(hooks or {}),
            **({} if env is None else {"process.env": [f"{name}={value}" for name, value in env.items()]}),
            **({} if namespaces is None else {"linux.namespaces": _namespaces_json(namespaces, caller)}),
            **({} if caller is None else _own_ids(user, caller)),
            **(properties or {}),
        }
        for place, value in changes.items():
            _set(document, place, value)
        return cls._write(path, dump_pretty(document, "\t") + "\n", rootless=caller is not None)

    @classmethod
    def _write(cls, path: Path | None, text: str, *, rootless: bool) -> Self:
        """Check the text of a configuration, put it into its directory and open that."""
        config, _ = parse_config(text.encode())
        validate(config, rootless=rootless)
        temporary = None
        if path is None:
            from tempfile import TemporaryDirectory  # costs 10 ms

            path = (temporary := TemporaryDirectory(prefix="slinger-bundle-")).name
        bundle = cls(path)
        bundle._config = config
        bundle._temporary = temporary
        try:
            os.makedirs(bundle.path, exist_ok=True)
            with open(f"{bundle.path}/{CONFIG}", "x", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            bundle.close()
            raise HostError.of("the bundle", error, hint="Bundle(path) opens one that is there already") from error
        return bundle

    @property
    def config(self) -> Config:
        """config.json as records, read on first use. ConfigError if it is missing or wrong."""
        if self._config is None:
            self._config, _ = parse_config(self._read(), receiver=os.environ.get(RECEIVER_VARIABLE, ""))
        return self._config

    def _read(self) -> bytes:
        try:
            with open(f"{self.path}/{CONFIG}", "rb") as file:
                return file.read()
        except FileNotFoundError:
            message = f"JSON specification file {CONFIG} not found in {self.path}"
            raise ConfigError("", message, hint="Bundle.make writes one") from None
        except OSError as error:
            raise HostError.of("the configuration", error) from error

    def close(self) -> None:
        """Remove the directory if it is a temporary one. The root file system stays."""
        if self._temporary is not None:
            self._temporary.cleanup()
            self._temporary = None

    def __fspath__(self) -> str:
        return self.path

    def __repr__(self) -> str:
        return f"Bundle({self.path!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()


def _set(document: Json, path: str, value: object) -> None:
    """Set the property at a dotted path, making the objects on the way."""
    *parents, last = path.split(".")
    place = document
    for at, name in enumerate(parents):
        place = place.setdefault(name, {}) if isinstance(place, dict) else None
        if not isinstance(place, dict):
            raise ConfigError(".".join(parents[: at + 1]), f"not an object, so {path} cannot be set")
    if isinstance(place, dict):
        place[last] = value  # type: ignore[assignment]  # a caller's; dump_pretty refuses what is no JSON


def _list_at(document: Json, name: str) -> list[Json]:
    value = document.get(name) if isinstance(document, dict) else None
    return value if isinstance(value, list) else []


def _mount_json(mount: Mount) -> dict[str, object]:
    members: dict[str, object] = {
        "destination": mount.destination,
        "type": mount.type,
        "source": mount.source,
        "options": list(mount.options),
    }
    if mount.uid_mappings:
        members["uidMappings"] = [_mapping_json(each) for each in mount.uid_mappings]
    if mount.gid_mappings:
        members["gidMappings"] = [_mapping_json(each) for each in mount.gid_mappings]
    return members


def _mapping_json(mapping: IdMapping) -> dict[str, object]:
    return {"containerID": mapping.container_id, "hostID": mapping.host_id, "size": mapping.size}


def _namespaces_json(namespaces: Sequence[str | Namespace], caller: tuple[int, int] | None) -> list[dict[str, str]]:
    """Without privilege all others hang on a user namespace, so it need not be asked for."""
    listed = [Namespace(each) if isinstance(each, str) else each for each in namespaces]
    if caller is not None and all(each.type != "user" for each in listed):
        listed.append(Namespace("user"))
    return [{"type": each.type, **({"path": each.path} if each.path else {})} for each in listed]


def _own_ids(user: tuple[int, int], caller: tuple[int, int]) -> dict[str, object]:
    """The only ids that a caller without privilege may map are its own (user_namespaces(7))."""
    return {
        f"linux.{name}Mappings": [{"containerID": inside, "hostID": outside, "size": 1}]
        for name, inside, outside in zip(("uid", "gid"), user, caller, strict=True)
    }
