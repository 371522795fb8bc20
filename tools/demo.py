"""`make demo`: a container on this machine's own files, with all six hooks, and the timeline of their runs.

Nothing is downloaded and nothing on the machine changes: every directory of the root file system is the lower,
read-only layer of an overlay whose upper layer is thrown away. Without root it takes a user namespace.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

from slinger import Container, SlingerError
from slinger.hooks.timeline import draw
from slinger.lifecycle import STAGE_NAMES
from slinger.spec.default import default_config

# Not for the container: the kernel's, other people's, and what holds the upper layer.
LEFT_OUT = {"proc", "sys", "dev", "run", "tmp", "mnt", "media", "boot", "lost+found"}
SHOW = """
echo "  I am      uid $(id -u), pid $$, on $(cat /proc/sys/kernel/hostname)"
echo "  processes $(ls /proc | grep -c '^[0-9]')"
echo "  network   $(ls /sys/class/net 2>/dev/null | tr '\\n' ' ')"
echo "  capabilities $(sed -n 's/^CapEff:\\t//p' /proc/self/status)"
echo changed > /etc/slinger-demo && echo "  /etc/slinger-demo was written here: $(cat /etc/slinger-demo)"
"""
HOOK = "cat > /dev/null; echo here is the hook"


def layers(rootfs: Path, scratch: Path, *, rootless: bool) -> list[dict[str, object]]:
    """Overlay mounts for the directories of /, links for its links."""
    mounts: list[dict[str, object]] = []
    for entry in sorted(Path("/").iterdir()):
        if entry.name in LEFT_OUT:
            continue
        if entry.is_symlink():
            (rootfs / entry.name).symlink_to(entry.readlink())
        elif entry.is_dir() and os.access(entry, os.R_OK | os.X_OK):
            upper, work = scratch / f"{entry.name}.upper", scratch / f"{entry.name}.work"
            upper.mkdir()
            work.mkdir()
            options = [f"lowerdir=/{entry.name}", f"upperdir={upper}", f"workdir={work}"]
            options += ["userxattr"] if rootless else []
            mounts.append({"destination": f"/{entry.name}", "type": "overlay", "source": "overlay", "options": options})
    return mounts


def configure(bundle: Path, scratch: Path) -> None:
    """Write the bundle: the default configuration with this machine's files below it, and six hooks."""
    rootless = os.geteuid() != 0
    ids = (os.geteuid(), os.getegid()) if rootless else None
    config = json.loads(default_config(rootless=ids, cgroup_v2=Path("/sys/fs/cgroup/cgroup.controllers").exists()))
    rootfs = bundle / "rootfs"
    rootfs.mkdir()
    config["root"]["readonly"] = False
    config["hostname"] = "slinger-demo"
    config["process"] |= {"terminal": False, "args": ["/bin/sh", "-c", SHOW]}
    others = [each for each in config["mounts"] if each["type"] != "cgroup"]
    config["mounts"] = layers(rootfs, scratch, rootless=rootless) + others
    config["hooks"] = {name: [{"path": "/bin/sh", "args": ["sh", "-c", HOOK]}] for name in STAGE_NAMES}
    (bundle / "config.json").write_text(json.dumps(config))


def show(bundle: Path, root: Path) -> int:
    """Run the container and draw what its hooks did."""
    print("A container on this machine's own files; what it writes is thrown away. It sees:\n", flush=True)
    with Container.create("demo", bundle, root=str(root), supervise=True, warn=print) as container:
        container.start()
        status = container.wait()
        container.delete()
        records = container.hook_records()
    written = Path("/etc/slinger-demo").exists()
    print(f"\nIt ended with {status}. On the host /etc/slinger-demo {'exists!' if written else 'does not exist'}.")
    print(f"\nIts {len(records)} hooks:\n\n{draw(records)}", end="")
    return 1 if written or status or len(records) != len(STAGE_NAMES) else 0


def main() -> int:
    """The demo, in a directory of its own that is removed in the end."""
    place = Path(tempfile.mkdtemp(prefix="slinger-demo-"))
    try:
        bundle, scratch, root = place / "bundle", place / "scratch", place / "state"
        for directory in (bundle, scratch, root):
            directory.mkdir()
        configure(bundle, scratch)
        return show(bundle, root)
    except SlingerError as error:
        print(f"slinger: {error}", file=sys.stderr)
        return 1
    finally:
        for inner in place.glob("scratch/*.work/work"):
            inner.chmod(0o700)  # overlayfs makes it inaccessible, even to its owner
        shutil.rmtree(place)


if __name__ == "__main__":
    sys.exit(main())
