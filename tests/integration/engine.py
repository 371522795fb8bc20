"""podman under test: its own storage, state, locks, events and cgroups, below the run's directory.

Rule of the file: podman shares nothing with the machine's own podman, and `close` finds out whether anything is left.
The flags that any podman needs where there is no CAP_SYS_RESOURCE and no network are here, once.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tests import leftovers
from tests.bundles import Json, Outcome, mapping
from tests.integration.box import processes_with, wait_for

IMAGE: Final = "slinger-test-busybox"
BUSYBOX: Final = "/bin/busybox"
CGROUPS: Final = Path("/sys/fs/cgroup")
# Other than the locks in /dev/shm and the hooks of /usr/share, which are the machine's.
SETTINGS: Final = '[engine]\nlock_type = "file"\nhooks_dir = ["{hooks}"]\n'
# What Debian's podman asks for by itself lies above what a root without CAP_SYS_RESOURCE may grant.
LIMITS: Final = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=4096:4096")


def busybox_image() -> bytes:
    """A tar with the static busybox under all of its names, to be imported."""
    names = subprocess.run([BUSYBOX, "--list"], check=True, capture_output=True, text=True).stdout.split()
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for folder in ("bin", "etc", "proc", "sys", "dev", "tmp", "run"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
            tar.addfile(entry)
        tar.add(BUSYBOX, "bin/busybox")
        for name in names:
            entry = tarfile.TarInfo(f"bin/{name}")
            entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
            if name != "busybox":
                tar.addfile(entry)
    return archive.getvalue()


class Podman:
    """One podman with its own everything, which calls this runtime."""

    def __init__(self, runtime: str, home: Path) -> None:
        self.runtime = runtime
        self.home = home
        self.hooks = home / "hooks.d"
        self.hooks.mkdir()
        self.parent = f"{leftovers.ID_PREFIX}-podman"
        settings = home / "containers.conf"
        settings.write_text(SETTINGS.format(hooks=self.hooks))
        self.environment: Mapping[str, str] = {**os.environ, "CONTAINERS_CONF": str(settings)}

    def command(self, *words: str) -> list[str]:
        """The words of a call: flags of podman go before the subcommand."""
        places = [word for name in ("root", "runroot", "tmpdir") for word in (f"--{name}", str(self.home / name))]
        kinds = ("--storage-driver", "vfs", "--cgroup-manager", "cgroupfs", "--events-backend", "file")
        return ["podman", *places, *kinds, "--runtime", self.runtime, *words]

    @staticmethod
    def options(limits: Sequence[str] = LIMITS, network: str = "none") -> tuple[str, ...]:
        """What `run` and `create` need on every machine."""
        return (*limits, "--network", network, "--log-driver", "k8s-file")

    def call(self, *words: str, given: bytes | None = None, timeout: float = 60) -> Outcome:
        """One call to its end; without `given` its stdin is empty."""
        done = subprocess.run(
            self.command(*words),
            check=False,
            input=given or b"",
            capture_output=True,
            env=self.environment,
            timeout=timeout,
        )
        return Outcome(status=done.returncode, stdout=done.stdout.decode(), stderr=done.stderr.decode())

    def succeed(self, *words: str, given: bytes | None = None) -> str:
        """A call that must succeed: what it prints."""
        done = self.call(*words, given=given)
        assert done.status == 0, done.stderr
        return done.stdout

    def making(self, verb: str, *options: str, limits: Sequence[str] = LIMITS, network: str = "none") -> list[str]:
        """The words of `run` or `create` up to the image."""
        return [verb, *self.options(limits, network), "--cgroup-parent", f"/{self.parent}", *options]

    def run(self, options: Sequence[str], *words: str, given: bytes | None = None) -> Outcome:
        """`run --rm` of the image."""
        return self.call(*self.making("run", "--rm", *options), IMAGE, *words, given=given)

    def start(self, name: str, *words: str) -> None:
        """`run --detach` under this name; whoever calls it removes it."""
        self.succeed(*self.making("run", "--detach", "--name", name), IMAGE, *words)

    def remove(self, name: str) -> None:
        """Away with it, running or not."""
        self.succeed("rm", "--force", "--time", "0", name)

    def inspect(self, name: str) -> Mapping[str, Json]:
        """What `inspect` says of a container."""
        return mapping(json.loads(self.succeed("inspect", "--type", "container", name))[0])

    def state(self, name: str) -> Mapping[str, Json]:
        """The part of `inspect` that says how it does."""
        return mapping(self.inspect(name)["State"])

    def import_image(self) -> None:
        """Make the image."""
        self.succeed("import", "--quiet", "-", IMAGE, given=busybox_image())

    def cgroups(self) -> list[Path]:
        """The cgroups below our parent, inner ones first."""
        walk = os.walk(CGROUPS, topdown=False)
        return [Path(folder) for folder, _, _ in walk if self.parent in Path(folder).parts]

    def close(self) -> None:
        """End what runs, wait for the monitors, remove podman's own cgroups, and assert that no container's is left."""
        self.succeed("rm", "--all", "--force", "--time", "0")
        wait_for(lambda: not processes_with(str(self.home / "root")), "conmon and its cleanup to end")
        leftovers.processes()  # reaps; what it names is podman's own and has ended
        ours = self.cgroups()
        containers = [str(path) for path in ours if path.name not in {self.parent, "conmon"}]
        for path in ours:
            path.rmdir()
        assert (containers, leftovers.mounts(self.home)) == ([], [])
