"""What a test may need of the machine, by name: `@requires("runc", "root")`.

Rule of the file: this table is the only reason for which a test does not run. An unmet name skips the test and is
listed at the end of the run; with SLINGER_MUST_RUN=1 it fails the test, unless it is a fact of the machine that
nobody can install (a machine has one cgroup layout, not three).
"""

from __future__ import annotations

import ctypes
import functools
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

CGROUP = Path("/sys/fs/cgroup")
# The plain user of tests/vm, who lingers.
MANAGED_USER = 1000
# The runtime-spec's own JSON schemas and sample configurations (oci/schema, oci/examples), which are not ours to ship.
SHARED = Path(os.environ.get("SLINGER_SHARED") or Path(__file__).parents[2] / "shared")


@dataclass(frozen=True)
class Requirement:
    """One name of the table: `met` asks the machine, `cure` says what to do, `fact` that there is no cure."""

    met: Callable[[], bool]
    cure: str
    fact: bool = False


def requires(*names: str) -> pytest.MarkDecorator:
    """The mark for a test that needs all of `names`; KeyError for a name that the table does not have."""
    for name in names:
        if name not in REQUIREMENTS:
            raise KeyError(f"requires: no {name!r} in tests/requires.py, which has {', '.join(sorted(REQUIREMENTS))}")
    return pytest.mark.requires(*names)


@functools.cache
def met(name: str) -> bool:
    """Whether this machine has what the name stands for; asked once a run."""
    return REQUIREMENTS[name].met()


def _program(name: str) -> Callable[[], bool]:
    return lambda: shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is not None


def _user_namespace() -> bool:
    command = ["unshare", "--user", "--map-root-user", "true"]
    return _program("unshare")() and subprocess.run(command, check=False, capture_output=True).returncode == 0


def _plain_user_namespace() -> bool:
    """A user without privilege may make one: as root, tried as nobody."""
    if os.geteuid() != 0:
        return _user_namespace()
    command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "unshare", "--user", "true"]
    return _program("setpriv")() and subprocess.run(command, check=False, capture_output=True).returncode == 0


def _common_python() -> bool:
    """An interpreter of this version that every user can run: where the launcher looks, or this one."""
    name = f"python3.{sys.version_info.minor}"
    own = Path(sys.executable).resolve()
    if all(folder.stat().st_mode & 1 for folder in (own, *own.parents)):
        return True
    return any(os.access(f"{place}/{name}", os.X_OK) for place in ("/usr/local/bin", "/usr/bin"))


def _subordinate_ids() -> bool:
    """newuidmap is there and /etc/subuid gives this user a range."""
    names = {str(os.geteuid()), os.environ.get("USER", ""), "root" if os.geteuid() == 0 else ""} - {""}
    ranges = Path("/etc/subuid").read_text(encoding="utf-8").splitlines() if Path("/etc/subuid").exists() else []
    return _program("newuidmap")() and any(line.partition(":")[0] in names for line in ranges)


def _mount_kind(path: Path) -> str:
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
        fields, _, rest = line.partition(" - ")
        if fields.split()[4] == str(path):
            return rest.split()[0]
    return ""


def cgroup_layout() -> str:
    """v1, hybrid or v2: what is mounted on /sys/fs/cgroup; "" without any."""
    match _mount_kind(CGROUP):
        case "cgroup2":
            return "v2"
        case "tmpfs":
            return "hybrid" if _mount_kind(CGROUP / "unified") == "cgroup2" else "v1"
        case _:
            return ""


def _unified() -> Path | None:
    """Where cgroup v2 is mounted."""
    return next((path for path in (CGROUP, CGROUP / "unified") if _mount_kind(path) == "cgroup2"), None)


def _unified_has(controller: str) -> bool:
    top = _unified()
    return top is not None and controller in (top / "cgroup.controllers").read_text(encoding="utf-8").split()


def _apparmor() -> bool:
    switch = Path("/sys/module/apparmor/parameters/enabled")
    return switch.exists() and switch.read_text(encoding="ascii").strip() == "Y"


def _libseccomp() -> bool:
    try:
        ctypes.CDLL("libseccomp.so.2")
    except OSError:
        return False
    return True


def _libfuse3() -> bool:
    try:
        ctypes.CDLL("libfuse3.so.3")
    except OSError:
        return False
    return True


def _sanitizers() -> bool:
    """Clang finds its run-time libraries: address, undefined, fuzzer."""
    command = ["clang", "-fsanitize=address,undefined", "-x", "c", "-o", "/dev/null", "-"]
    source = b"int main(void) { return 0; }"
    return (
        _program("clang")() and subprocess.run(command, check=False, input=source, capture_output=True).returncode == 0
    )


def _tool(name: str, package: str) -> Requirement:
    return Requirement(_program(name), f"apt-get install {package}")


def _fact(met: Callable[[], bool], what: str) -> Requirement:
    return Requirement(met, what, fact=True)


def _idmap() -> bool:
    """Since when its file systems can be id-mapped: ext4, xfs, btrfs and f2fs soon after 5.12, tmpfs since 6.3."""
    major, minor = (int(part) for part in platform.release().split(".")[:2])
    command = ["stat", "--file-system", "--format=%T", tempfile.gettempdir()]
    kind = subprocess.run(command, check=False, capture_output=True, text=True).stdout.strip()
    since = {"ext2/ext3": (5, 12), "xfs": (5, 13), "btrfs": (5, 15), "f2fs": (5, 18), "tmpfs": (6, 3)}.get(kind)
    return since is not None and (major, minor) >= since


REQUIREMENTS: dict[str, Requirement] = {
    "root": Requirement(lambda: os.geteuid() == 0, "run as root"),
    "userns": Requirement(_user_namespace, "allow user namespaces: sysctl user.max_user_namespaces"),
    "plain-userns": Requirement(_plain_user_namespace, "allow user namespaces to plain users, see user_namespaces(7)"),
    "subids": Requirement(_subordinate_ids, "apt-get install uidmap, and a range in /etc/subuid and /etc/subgid"),
    "common-python": Requirement(_common_python, f"apt-get install python3.{sys.version_info.minor}, for all users"),
    "libseccomp": Requirement(_libseccomp, "apt-get install libseccomp2"),
    "libfuse3": Requirement(_libfuse3, "apt-get install libfuse3-3"),
    "bash": _tool("bash", "bash"),
    "busybox": _tool("busybox", "busybox-static"),
    "dbus-daemon": _tool("dbus-daemon", "dbus"),
    "catatonit": Requirement(Path("/usr/libexec/podman/catatonit").exists, "apt-get install catatonit"),
    "clang": _tool("clang", "clang"),
    "crun": _tool("crun", "crun"),
    "fish": _tool("fish", "fish"),
    "gcc": _tool("gcc", "gcc libc6-dev"),
    "mkfs.ext4": _tool("mkfs.ext4", "e2fsprogs"),
    "ip": _tool("ip", "iproute2"),
    "newuidmap": _tool("newuidmap", "uidmap"),
    "jq": _tool("jq", "jq"),
    "mmdebstrap": _tool("mmdebstrap", "mmdebstrap"),
    "podman": _tool("podman", "podman"),
    "qemu-system-x86_64": _tool("qemu-system-x86_64", "qemu-system-x86"),
    "runc": _tool("runc", "runc"),
    "sanitizers": Requirement(_sanitizers, "apt-get install libclang-rt-14-dev"),
    "setpriv": _tool("setpriv", "util-linux"),
    "strace": _tool("strace", "strace"),
    "unshare": _tool("unshare", "util-linux"),
    "zsh": _tool("zsh", "zsh"),
    "apparmor": _fact(_apparmor, "a machine with AppArmor enabled"),
    "apparmor-profiles": _fact(
        lambda: _apparmor() and _program("apparmor_parser")(), "a machine with AppArmor enabled, and apparmor_parser"
    ),
    "no-apparmor": _fact(lambda: not _apparmor(), "a machine without AppArmor"),
    "selinux": _fact(Path("/sys/fs/selinux/enforce").exists, "a machine with SELinux enabled"),
    "dev-fuse": _fact(Path("/dev/fuse").exists, "a machine with file systems in user space (/dev/fuse)"),
    "no-resctrl": _fact(lambda: _mount_kind(Path("/sys/fs/resctrl")) == "", "a machine without resctrl"),
    "nvidia-ctk": _fact(_program("nvidia-ctk"), "NVIDIA's container toolkit in $PATH, which Debian does not have"),
    "no-selinux": _fact(lambda: not Path("/sys/fs/selinux/enforce").exists(), "a machine without SELinux"),
    "idmap": _fact(_idmap, "temporary files on a file system that this kernel can id-map"),
    "loop": _fact(Path("/dev/loop-control").exists, "a machine with loop devices"),
    "two-cpus": _fact(lambda: {0, 1} <= os.sched_getaffinity(0), "a machine with two CPUs"),
    "cgroup": _fact(lambda: cgroup_layout() != "", "a machine with cgroups"),
    "cgroup-v1": _fact(lambda: cgroup_layout() in {"v1", "hybrid"}, "a machine with cgroup v1 controllers"),
    "cgroup-hybrid": _fact(lambda: cgroup_layout() == "hybrid", "a machine with the hybrid cgroup layout"),
    "cgroup-v2": _fact(lambda: cgroup_layout() == "v2", "a machine with cgroup v2 alone"),
    "cgroup-unified": _fact(lambda: _unified() is not None, "a machine with cgroup v2, alone or beside v1"),
    "cgroup-unified-hugetlb": _fact(lambda: _unified_has("hugetlb"), "a machine with the hugetlb controller on v2"),
    "user-manager": _fact(
        Path(f"/run/user/{MANAGED_USER}/systemd/private").exists, f"a service manager of the user {MANAGED_USER}"
    ),
    "systemd": _fact(
        lambda: Path("/run/systemd/system").is_dir() and Path("/run/dbus/system_bus_socket").exists(),
        "a machine that systemd runs, with its bus",
    ),
    "psi": _fact(Path("/proc/pressure/cpu").exists, "a kernel that tells pressure (CONFIG_PSI)"),
    "shared-samples": _fact(
        lambda: (SHARED / "oci" / "schema").is_dir() and (SHARED / "oci" / "examples").is_dir(),
        f"the runtime-spec's schemas and samples in {SHARED}, or where SLINGER_SHARED says",
    ),
    "plain-user": _fact(lambda: os.geteuid() != 0, "run as a plain user"),
    "x86-64": _fact(lambda: platform.machine() == "x86_64", "an x86-64 machine"),
    "aarch64": _fact(lambda: platform.machine() == "aarch64", "an aarch64 machine"),
}
