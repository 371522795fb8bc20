"""The machine's kernel, initrd and root file system, of Debian's packages as this machine's apt finds them.

Rule of the file: nothing of the tree that is tested is in the image; it depends on the recipe alone (this file,
prepare.sh, root/ and where apt gets its packages), so that it can be kept.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.vm.kept import digest, kept

HERE: Final = Path(__file__).parent
SIZE: Final = "4G"  # sparse
PACKAGES: Final = (
    # a machine: Debian's kernel for clouds has the drivers of virtual hardware alone
    *("linux-image-cloud-amd64", "initramfs-tools", "zstd", "kmod", "udev", "systemd", "systemd-sysv", "apparmor"),
    # sessions, of root and of a plain user with a service manager of their own
    *("dbus", "dbus-user-session", "libpam-systemd", "login", "passwd", "uidmap", "slirp4netns", "fuse-overlayfs"),
    # engines, and the peers
    *("podman", "runc", "crun", "catatonit"),
    # what the tests are made of
    *("python3", "gcc", "libc6-dev", "linux-libc-dev", "busybox-static", "e2fsprogs", "iproute2", "jq"),
    *("libfuse3-3", "libseccomp2", "procps", "strace", "util-linux"),
)
# Nobody reads in there.
LEFT_OUT: Final = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")


class ImageError(Exception):
    """The image cannot be made; the text says why."""


@dataclass(frozen=True)
class Image:
    """The files of a kept image, which many machines may use at once."""

    directory: Path

    @property
    def root(self) -> Path:
        """The root file system, ext4; to be written to by nobody."""
        return self.directory / "root.ext4"

    @property
    def kernel(self) -> Path:
        """Debian's."""
        return self.directory / "vmlinuz"

    @property
    def initrd(self) -> Path:
        """With the drivers of the disk."""
        return self.directory / "initrd.img"

    @property
    def python(self) -> str:
        """The version of the machine's Python: "3.11"."""
        return (self.directory / "python").read_text("ascii")


def image() -> Image:
    """The kept image; it is made if there is none of this recipe, which takes some minutes. ImageError."""
    return Image(kept("image", digest(_recipe()), _make))


def sources() -> list[Path]:
    """Where this machine's apt gets its packages."""
    folder = Path("/etc/apt/sources.list.d")
    found = [Path("/etc/apt/sources.list"), *sorted(folder.glob("*.list")), *sorted(folder.glob("*.sources"))]
    return [path for path in found if path.exists() and path.stat().st_size > 0]


def release() -> str:
    """The code name of this machine's Debian, which is the image's too."""
    for line in Path("/etc/os-release").read_text("utf-8").splitlines():
        if line.startswith("VERSION_CODENAME="):
            return line.partition("=")[2].strip('"')
    raise ImageError("/etc/os-release: no VERSION_CODENAME, so this is no release of Debian to make an image of")


def _recipe() -> list[bytes]:
    files = [path for path in sorted((HERE / "root").rglob("*")) if path.is_file()]
    own = [Path(__file__), HERE / "prepare.sh", *files]
    return [release().encode(), *(path.read_bytes() for path in (*own, *sources()))]


def _make(directory: Path) -> None:
    root, settings = directory / "root", directory / "apt.conf"
    # Its proxies, its checks, its patience: mmdebstrap reads none of it by itself.
    settings.write_text("".join(_dump(f"Acquire{part}") for part in ("", "::http", "::https")), "utf-8")
    debootstrap = [
        "mmdebstrap",
        *("--mode=root", "--variant=essential", "--format=directory", f"--include={','.join(PACKAGES)}"),
        *(f"--aptopt={settings}", '--aptopt=APT::Install-Recommends "false"'),
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in LEFT_OUT),
        f'--essential-hook={HERE}/prepare.sh drivers "$1"',
        f'--customize-hook={HERE}/prepare.sh machine "$1"',
        *(release(), str(root), *map(str, sources())),
    ]
    _run(debootstrap, "the root file system of the second machine cannot be made")
    for link, name in (("vmlinuz", "vmlinuz"), ("initrd.img", "initrd.img")):
        shutil.copyfile(root / link, directory / name)
    (directory / "python").write_text((root / "usr/bin/python3").readlink().name.removeprefix("python"), "ascii")
    file_system(root, directory / "root.ext4", SIZE)
    shutil.rmtree(root)
    settings.unlink()


def file_system(content: Path, file: Path, size: str) -> None:
    """Make a file an ext4 file system with this content. ImageError."""
    with open(file, "wb"):
        pass
    # No journal: nobody mounts it twice.
    command = ["mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-d", str(content), str(file), size]
    _run(command, "a disk of the second machine cannot be made")


def _dump(name: str) -> str:
    return subprocess.run(["apt-config", "dump", name], check=True, capture_output=True, text=True).stdout


def _run(command: Sequence[str], what: str) -> None:
    done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        told = "\n".join((done.stdout + done.stderr).splitlines()[-30:])
        raise ImageError(f"{what}: {command[0]} ended with status {done.returncode}:\n{told}")
