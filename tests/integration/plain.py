"""Calls by a plain user: a copy of the command that such a user can read, and a box whose calls are all theirs.

Rule of the file: the tests are root and stay it; each call becomes the user in a mount namespace of its own, where
files of the machine (subordinate ids, the programs that map them) can be covered and the machine itself stays as
it is. The user is in no file of the machine either.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.bundles import Bundle, Drop, Json, base_config, changed, mapping, mount, sequence
from tests.integration.box import Box

USER: Final = 65533
SUBORDINATE: Final = 3_000_000_000  # nobody else's, most likely
RANGE: Final = 65536
ONE: Final[Json] = [{"containerID": 0, "hostID": USER, "size": 1}]
MANY: Final[Json] = [
    {"containerID": 0, "hostID": USER, "size": 1},
    {"containerID": 1, "hostID": SUBORDINATE, "size": RANGE},
]
NAMESPACES: Final = ("user", "pid", "ipc", "uts", "mount")

# Words up to `--` are pairs: cover the second by the first.
BECOME: Final = f"""
while [ "$1" != -- ]; do
    mount --bind "$1" "$2" || exit 120
    shift 2
done
shift
exec setpriv --reuid={USER} --regid={USER} --clear-groups --inh-caps=-all "$@"
"""


def reachable(path: Path) -> bool:
    """Whether others may enter every directory down to this file, and run it."""
    return all(folder.stat().st_mode & 1 for folder in (path, *path.parents))


def install(program: str, prefix: Path) -> str:
    """A copy of the installed command below a prefix, for everybody; its interpreter is found as ever."""
    source = Path(program).parent.parent
    (brain,) = source.glob("lib/python3.*/site-packages/slinger")
    target = prefix / brain.relative_to(source)
    shutil.copytree(brain, target)
    (prefix / "bin").mkdir()
    shutil.copy(program, prefix / "bin/slinger")
    interpreter = Path(os.path.realpath(sys.executable))
    if reachable(interpreter):
        (prefix / "bin" / brain.parts[-3]).symlink_to(interpreter)
    for path in (prefix, *prefix.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() or path.stat().st_mode & 1 else 0o444))
    return str(prefix / "bin/slinger")


def rootless_config(maps: Json = ONE) -> dict[str, Json]:
    """The common config for a caller without privilege: a user namespace, the host's network and so its /sys."""
    plain = base_config()
    mounts: list[Json] = []
    for each in sequence(plain["mounts"]):
        entry = dict(mapping(each))
        if entry["destination"] == "/dev/pts":
            entry["options"] = [option for option in sequence(entry["options"]) if option != "gid=5"]
        if entry["destination"] == "/sys":
            entry = mount("/sys", "none", "/sys", "rbind", "nosuid", "noexec", "nodev", "ro")
        mounts.append(entry)
    namespaces: list[Json] = [{"type": kind} for kind in NAMESPACES]
    linux = {key: value for key, value in mapping(plain["linux"]).items() if key not in {"cgroupsPath", "resources"}}
    linux |= {"namespaces": namespaces, "uidMappings": maps, "gidMappings": maps}
    return plain | {"mounts": mounts, "linux": linux}


class PlainBox(Box):
    """A box whose calls are a plain user's. `covers`: (file, what it covers during a call)."""

    def __init__(self, program: str, root: Path, bundle: Bundle) -> None:
        """See Box."""
        self.covers: list[tuple[Path, Path]] = []
        super().__init__(program, root, bundle)

    def configure(self, changes: Mapping[str, Json | Drop]) -> None:
        """Write the common rootless config with these changes."""
        self.bundle.write_config(changed(rootless_config(), changes))

    def become(self, *words: str) -> list[str]:
        """The words that run these as the user."""
        covers = [str(path) for pair in self.covers for path in pair]
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c", BECOME, "sh", *covers, "--", *words]

    def command(self, *arguments: str) -> list[str]:
        """The words of a call by the user."""
        return self.become(*super().command(*arguments))

    def cover(self, path: str, text: str) -> None:
        """Have another text in a file of the machine during calls; nobody can run it."""
        file = self.directory.parent / f"cover-{len(self.covers)}"
        file.write_text(text)
        file.chmod(0o644)
        self.covers.append((file, Path(path)))

    def give_subordinate_ids(self) -> None:
        """A name and a range of ids for the user (subuid(5))."""
        self.cover("/etc/passwd", f"root:x:0:0::/:/bin/sh\nplain:x:{USER}:{USER}::/:/bin/sh\n")
        self.cover("/etc/group", f"root:x:0:\nplain:x:{USER}:\n")
        for name in ("/etc/subuid", "/etc/subgid"):
            self.cover(name, f"plain:{SUBORDINATE}:{RANGE}\n")
