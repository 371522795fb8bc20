"""Bundles for tests, and running them: a root file system that holds the payload, a config, a runtime called on it.

Rule of the file: nothing here depends on slinger, so that all runtimes are treated alike.

A config is made from base_config() by `changed(config, {"process.user.uid": 7, "mounts+": [...], "hostname": DROP})`:
dotted paths; `+` appends to a list; DROP removes. In all strings of a config @ID@, @BUNDLE@ and @PAYLOAD@ stand for
the container's id, the bundle's directory and the payload's path on the host.
"""

from __future__ import annotations

import contextlib
import copy
import json
import os
import shutil
import subprocess
import uuid
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

from tests.leftovers import ID_PREFIX
from tests.payload.build import build_payload

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"

REPOSITORY: Final = Path(__file__).parent.parent
PATH: Final = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CAPABILITIES: Final = ("CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE")
UNIFIED: Final = "/sys/fs/cgroup/unified"

# crun refuses the hybrid layout, so every runtime gets the same private mount namespace without it.
PREPARE: Final = (
    *("unshare", "--mount", "--propagation", "private", "sh", "-c"),
    f'[ ! -e {UNIFIED}/cgroup.procs ] || umount {UNIFIED} || exit 120; exec "$@"',
    "sh",
)


class Drop:
    """The wish to remove a property."""


DROP: Final = Drop()


def text(value: Json) -> str:
    """Narrow a JSON value to a string; TypeError when it is none."""
    if not isinstance(value, str):
        raise TypeError(f"string expected: {value!r}")
    return value


def mapping(value: Json) -> Mapping[str, Json]:
    """Narrow a JSON value to an object; TypeError when it is none."""
    if not isinstance(value, Mapping):
        raise TypeError(f"object expected: {value!r}")
    return value


def sequence(value: Json) -> Sequence[Json]:
    """Narrow a JSON value to an array; TypeError when it is none."""
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise TypeError(f"array expected: {value!r}")
    return value


def mount(destination: str, kind: str, source: str, *options: str) -> dict[str, Json]:
    """Make one entry of mounts."""
    return {"destination": destination, "type": kind, "source": source, "options": options}


def base_config() -> dict[str, Json]:
    """Make the config that the tests vary: a common container, which runs `payload report`."""
    return {
        "ociVersion": "1.0.2",
        "process": {
            "terminal": False,
            "user": {"uid": 0, "gid": 0},
            "args": ["/bin/payload", "report"],
            "env": [PATH, "TERM=xterm"],
            "cwd": "/",
            "capabilities": dict.fromkeys(("bounding", "effective", "permitted"), CAPABILITIES),
            "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 1024, "hard": 1024}],
            "noNewPrivileges": True,
        },
        "root": {"path": "rootfs", "readonly": False},
        "hostname": "tested",
        "mounts": [
            mount("/proc", "proc", "proc"),
            mount("/dev", "tmpfs", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k"),
            mount(
                *("/dev/pts", "devpts", "devpts", "nosuid", "noexec"),
                *("newinstance", "ptmxmode=0666", "mode=0620", "gid=5"),
            ),
            mount("/dev/shm", "tmpfs", "shm", "nosuid", "noexec", "nodev", "mode=1777", "size=65536k"),
            mount("/dev/mqueue", "mqueue", "mqueue", "nosuid", "noexec", "nodev"),
            mount("/sys", "sysfs", "sysfs", "nosuid", "noexec", "nodev", "ro"),
            mount("/sys/fs/cgroup", "cgroup", "cgroup", "nosuid", "noexec", "nodev", "relatime", "ro"),
        ],
        "linux": {
            "cgroupsPath": "/@ID@",
            "resources": {"devices": [{"allow": False, "access": "rwm"}]},
            "namespaces": [{"type": kind} for kind in ("pid", "network", "ipc", "uts", "mount")],
            "maskedPaths": ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware"],
            "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
        },
    }


def changed(config: Mapping[str, Json], changes: Mapping[str, Json | Drop]) -> dict[str, Json]:
    """Return a copy of the config with the changes made, in their order. KeyError when DROP finds nothing."""
    result = copy.deepcopy(dict(config))
    for path, value in changes.items():
        *parents, last = path.split(".")
        place = result
        for name in parents:
            inner = dict(mapping(place.get(name, {})))
            place[name] = inner
            place = inner
        if isinstance(value, Drop):
            del place[last]
        elif last.endswith("+"):
            place[last[:-1]] = [*sequence(place.get(last[:-1], [])), *sequence(value)]
        else:
            place[last] = value
    return result


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """A bundle on disk, for one container."""

    directory: Path
    container: str
    rootfs: Path = field(init=False)
    payload: Path = field(init=False)

    def __post_init__(self) -> None:
        """Derive the paths that follow from the directory."""
        object.__setattr__(self, "rootfs", self.directory / "rootfs")
        object.__setattr__(self, "payload", self.directory / "rootfs/bin/payload")

    def write_config(self, config: Mapping[str, Json]) -> None:
        """Write config.json, with the placeholders replaced."""
        document = json.dumps(config)
        for name, value in (("ID", self.container), ("BUNDLE", self.directory), ("PAYLOAD", self.payload)):
            document = document.replace(f"@{name}@", str(value))
        (self.directory / "config.json").write_text(document)


FILES: Final = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/payload\nuser:x:1000:1000:User:/home/user:/bin/payload\n",
    "etc/group": "root:x:0:\ntty:x:5:\nuser:x:1000:\n",
    "etc/hostname": "from-rootfs\n",
    "secret": "secret file\n",
    "secrets/first": "secret in a directory\n",
    "data/kept": "was here before\n",
}
DIRECTORIES: Final = ("bin", "etc", "proc", "sys", "dev", "tmp", "root", "home/user", "secrets", "data", "mnt")


def make_rootfs(rootfs: Path) -> None:
    """Make a small root file system: the payload, users, some files to mask and mount over. Same bytes every time."""
    for name in DIRECTORIES:
        (rootfs / name).mkdir(parents=True, exist_ok=True)
        (rootfs / name).chmod(0o755)
    for name, content in FILES.items():
        (rootfs / name).write_text(content)
        (rootfs / name).chmod(0o644)
    (rootfs / "tmp").chmod(0o1777)
    (rootfs / "link").symlink_to("/secrets")
    shutil.copy(build_payload(), rootfs / "bin/payload")
    (rootfs / "bin/payload").chmod(0o755)


def unique_id() -> str:
    """Make a container id that no other test uses."""
    return f"{ID_PREFIX}-{uuid.uuid4().hex[:12]}"


def make_bundle(directory: Path, config: Mapping[str, Json], *, owner: int = 0) -> Bundle:
    """Make a bundle in the directory, which may exist.

    owner: the uid and gid of the whole root file system, for user namespaces; these also need every parent of the
    directory to be open to others (0711), which pytest's tmp_path is not.
    """
    bundle = Bundle(directory=directory, container=unique_id())
    bundle.rootfs.mkdir(parents=True)
    directory.chmod(0o755)
    make_rootfs(bundle.rootfs)
    if owner:
        for path in (bundle.rootfs, *bundle.rootfs.rglob("*")):
            os.chown(path, owner, owner, follow_symlinks=False)
    bundle.write_config(config)
    return bundle


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a program ended. A negative status is minus the signal."""

    status: int
    stdout: str
    stderr: str


def find_runtime(name: str) -> str | None:
    """Find slinger in this tree's .venv, another runtime in the usual directories; None when it is missing."""
    if name == "slinger":
        program = REPOSITORY / ".venv/bin/slinger"
        return str(program) if program.exists() else None
    return shutil.which(name, path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """A runtime with a state directory of its own."""

    program: str
    root: Path

    def call(
        self,
        *arguments: str,
        stdin: str = "",
        open_fds: int = 0,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        timeout: float = 30,
    ) -> Outcome:
        """Call the runtime in the prepared mount namespace; subprocess.TimeoutExpired after timeout seconds.

        open_fds: how many descriptors it gets beside stdio, from 3 on (at most 7); they lead to /dev/null.
        """
        redirections = " ".join(f"{fd}</dev/null" for fd in range(3, 3 + open_fds))
        shell = ("sh", "-c", f'exec "$@" {redirections}', "sh") if open_fds else ()
        done = subprocess.run(
            [*PREPARE, *shell, self.program, "--root", str(self.root), *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            env=env,
            cwd=cwd,
            timeout=timeout,
        )
        return Outcome(status=done.returncode, stdout=done.stdout, stderr=done.stderr)

    def leftovers(self) -> list[str]:
        """List the containers that still have a state directory."""
        return sorted(entry.name for entry in self.root.iterdir()) if self.root.exists() else []


@contextlib.contextmanager
def runtime_at(program: str, root: Path) -> Generator[Runtime]:
    """Give a runtime with the state directory root (made when missing); at the end delete --force what is left."""
    root.mkdir(parents=True, exist_ok=True)
    runtime = Runtime(program=program, root=root)
    try:
        yield runtime
    finally:
        for container in runtime.leftovers():
            runtime.call("delete", "--force", container)


def run_runtime(
    program: str, bundle: Bundle, *options: str, stdin: str = "", open_fds: int = 0, timeout: float = 30
) -> Outcome:
    """Run a bundle in the foreground with `run`, and remove all that it left. stdio are pipes."""
    with runtime_at(program, bundle.directory / "state") as runtime:
        arguments = ("run", *options, "--bundle", str(bundle.directory), bundle.container)
        return runtime.call(*arguments, stdin=stdin, open_fds=open_fds, timeout=timeout)
