"""The configs of the differential test about the root file system and mounts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tests.bundles import DROP, mount
from tests.peers.case import (
    BASE_NAMESPACES,
    Case,
    Changes,
    bind,
    namespaces,
    tmpfs,
    without,
)

MOUNTS: Final = (
    Case(name="root readonly", changes={"root.readonly": True}, look=("--probe", "/data/kept")),
    Case(name="bind a directory", changes=bind("@BUNDLE@/rootfs/data", "/mnt", "bind"), look=("--probe", "/mnt")),
    Case(name="bind by rbind", changes=bind("@BUNDLE@/rootfs/data", "/mnt", "rbind", "rw")),
    Case(
        name="bind read-only with flags",
        changes=bind("@BUNDLE@/rootfs/data", "/mnt", "bind", "ro", "nosuid", "nodev", "noexec"),
        look=("--probe", "/mnt/kept"),
    ),
    Case(
        name="bind a file",
        changes=bind("@BUNDLE@/rootfs/secret", "/etc/new", "bind", "ro"),
        look=("--probe", "/etc/new"),
    ),
    Case(name="bind by a relative source", changes=bind("rootfs/data", "/mnt", "bind")),
    Case(
        name="bind with type none",
        changes={"mounts+": [mount("/mnt", "none", "@BUNDLE@/rootfs/data", "bind")]},
    ),
    Case(name="bind with noatime", changes=bind("@BUNDLE@/rootfs/data", "/mnt", "bind", "noatime", "nodiratime")),
    Case(name="bind rprivate", changes=bind("@BUNDLE@/rootfs/data", "/mnt", "rbind", "rprivate")),
    Case(name="bind rslave", changes=bind("@BUNDLE@/rootfs/data", "/mnt", "rbind", "rslave")),
    Case(name="bind rshared", changes=bind("@BUNDLE@/rootfs/data", "/mnt", "rbind", "rshared")),
    Case(name="bind unbindable", changes=bind("@BUNDLE@/rootfs/data", "/mnt", "bind", "unbindable")),
    Case(
        name="bind recursively read-only", changes=bind("/sys", "/mnt", "rbind", "rro"), look=("--probe", "/mnt/kernel")
    ),
    Case(name="bind onto a link", changes=bind("@BUNDLE@/rootfs/data", "/link", "bind"), look=("--probe", "/secrets")),
    Case(name="bind below a link", changes=bind("@BUNDLE@/rootfs/data", "/link/new", "bind")),
    Case(name="bind of a missing source", changes=bind("@BUNDLE@/nothing", "/mnt", "bind")),
    Case(
        name="tmpfs with options",
        changes=tmpfs("/mnt", "ro", "nosuid", "noexec", "nodev", "size=1m", "mode=711", "nr_inodes=10", "uid=7"),
        look=("--probe", "/mnt"),
    ),
    Case(name="tmpfs with flags", changes=tmpfs("/mnt", "sync", "dirsync", "strictatime")),
    Case(name="tmpfs silent", changes=tmpfs("/mnt", "silent")),
    Case(name="tmpfs lazytime", changes=tmpfs("/mnt", "lazytime")),
    Case(name="tmpfs iversion", changes=tmpfs("/mnt", "iversion")),
    Case(name="tmpfs defaults", changes=tmpfs("/mnt", "defaults")),
    Case(name="tmpfs with flags undone", changes=tmpfs("/mnt", "ro", "rw", "nosuid", "suid", "noexec", "exec")),
    Case(name="tmpfs nosymfollow", changes=tmpfs("/mnt", "nosymfollow")),
    Case(name="tmpfs copy-up", changes=tmpfs("/data", "tmpcopyup"), look=("--probe", "/data")),
    Case(name="tmpfs keeps the mode of the mountpoint", changes=tmpfs("/tmp"), look=("--probe", "/tmp")),
    Case(
        name="tmpfs over tmpfs",
        changes={"mounts+": [mount("/mnt", "tmpfs", "one", "size=1m"), mount("/mnt", "tmpfs", "two", "size=2m")]},
    ),
    Case(name="mount of a relative destination", changes=tmpfs("mnt")),
    Case(
        name="overlay",
        changes={
            "mounts+": [
                mount("/mnt", "overlay", "overlay", "lowerdir=@BUNDLE@/rootfs/data:@BUNDLE@/rootfs/etc"),
                # Through /mnt one sees what it is mounted on.
                mount("/etc/made", "none", "@BUNDLE@/rootfs/secret", "bind"),
            ]
        },
        look=("--probe", "/mnt"),
    ),
    Case(name="proc read-only", changes={"mounts+": [mount("/mnt", "proc", "proc", "ro", "nosuid")]}),
    Case(name="proc with hidepid", changes={"mounts+": [mount("/mnt", "proc", "proc", "hidepid=2")]}),
    Case(name="cgroup writable", changes={"mounts+": [mount("/mnt", "cgroup", "cgroup", "rw")]}),
    Case(name="mount of an unknown type", changes={"mounts+": [mount("/mnt", "nosuchfs", "x")]}),
    Case(name="no /dev", changes={"mounts": [mount("/proc", "proc", "proc")]}),
    *(
        Case(name=f"root propagation {kind}", changes={"linux.rootfsPropagation": kind})
        for kind in ("private", "slave", "shared", "unbindable")
    ),
    Case(name="no pivot", changes={}, options=("--no-pivot",)),
    Case(
        name="masked and read-only paths",
        changes={
            "linux.maskedPaths": ["/secret", "/secrets", "/missing"],
            "linux.readonlyPaths": ["/data", "/etc/hostname", "/missing"],
        },
        look=("--probe", "/secret", "--probe", "/secrets", "--probe", "/data", "--probe", "/data/kept"),
    ),
    Case(name="masked through a link", changes={"linux.maskedPaths": ["/link"]}, look=("--probe", "/secrets")),
    Case(name="nothing masked", changes={"linux.maskedPaths": DROP, "linux.readonlyPaths": DROP}),
)

RECURSIVE: Final = ("rro", "rrw", "rnosuid", "rsuid", "rnodev", "rdev", "rnoexec", "rexec", "rnorelatime", "rsymfollow")
NEWER_RECURSIVE: Final = (
    *("rnodiratime", "rdiratime", "rnoatime", "rrelatime", "rstrictatime", "rnostrictatime", "rnosymfollow"),
)
PLAIN: Final = (
    "sync",
    "dirsync",
    "relatime",
    "strictatime",
    "norelatime",
    "nostrictatime",
    "nodiratime",
    "mand",
    "nolazytime",
)
DATA: Final = "@BUNDLE@/rootfs/data"


def each(base: str, options: Sequence[str]) -> Changes:
    """Add one bind mount for each option, below /mnt."""
    return {"mounts+": [mount(f"/mnt/{option}", "bind", DATA, base, option) for option in options]}


def tmpfs_each(options: Sequence[str]) -> Changes:
    """Add one tmpfs for each option, below /mnt."""
    return {"mounts+": [mount(f"/mnt/{option}", "tmpfs", "tmpfs", option, "mode=755") for option in options]}


MORE_MOUNTS: Final = (
    Case(name="rbinds with every recursive option", changes=each("rbind", RECURSIVE)),
    *(Case(name=f"rbind with {option}", changes=bind(DATA, "/mnt", "rbind", option)) for option in NEWER_RECURSIVE),
    Case(
        name="rbind with recursive options together",
        changes=bind("/sys", "/mnt", "rbind", "rro", "rnosuid", "rnoexec", "rnodev", "rnoatime"),
    ),
    Case(name="rbind with flags undone again", changes=bind("/sys", "/mnt", "rbind", "rro", "rrw", "rnosuid", "rsuid")),
    Case(name="bind not recursive with rro", changes=bind(DATA, "/mnt", "bind", "rro")),
    Case(name="rbind read-only", changes=bind("/sys", "/mnt", "rbind", "ro")),
    Case(name="rbind of flags that the source has", changes=bind("/dev", "/mnt", "rbind")),
    Case(name="binds with every flag", changes=each("bind", PLAIN)),
    *(Case(name=f"bind and {kind}", changes=bind(DATA, "/mnt", "bind", kind)) for kind in ("shared", "runbindable")),
    *(Case(name=f"tmpfs and {kind}", changes=tmpfs("/mnt", kind)) for kind in ("shared", "unbindable")),
    Case(name="binds private", changes=each("bind", ("private", "slave", "rprivate", "rslave"))),
    Case(
        name="tmpfs of every flag",
        changes=tmpfs_each(("noatime", "relatime", "nodiratime", "mand", "private", "slave", "nodev", "dev")),
    ),
    *(Case(name=f"tmpfs {option}", changes=tmpfs("/mnt", option)) for option in ("rro", "rnosuid")),
    Case(name="bind with ro and rw", changes=bind(DATA, "/mnt", "bind", "ro", "rw")),
    Case(name="bind with rw and ro", changes=bind(DATA, "/mnt", "bind", "rw", "ro")),
    Case(
        name="bind and remount",
        changes={
            "mounts+": [mount("/mnt", "bind", DATA, "bind"), mount("/mnt", "bind", DATA, "bind", "remount", "ro")]
        },
    ),
    Case(name="bind with an unknown option", changes=bind(DATA, "/mnt", "bind", "no-such-option")),
    Case(name="bind a device", changes=bind("/dev/zero", "/mnt/zero", "bind"), look=("--list", "/mnt")),
    Case(name="bind a device into /dev", changes=bind("/dev/zero", "/dev/zero2", "bind", "ro")),
    Case(name="bind over a default device", changes=bind("@BUNDLE@/rootfs/secret", "/dev/null2", "bind")),
    Case(name="bind through a link in the source", changes=bind("@BUNDLE@/rootfs/../rootfs/data", "/mnt", "bind")),
    Case(name="bind a directory onto a file", changes=bind(DATA, "/secret", "bind")),
    Case(name="bind a file onto a directory", changes=bind("@BUNDLE@/rootfs/secret", "/mnt", "bind")),
    Case(
        name="bind a file to a missing deep place",
        changes=bind("@BUNDLE@/rootfs/secret", "/a/b/c", "bind"),
        look=("--probe", "/a", "--probe", "/a/b", "--probe", "/a/b/c"),
    ),
    Case(
        name="bind a directory to a missing deep place",
        changes=bind(DATA, "/a/b/c", "bind"),
        look=("--probe", "/a", "--probe", "/a/b"),
    ),
    Case(name="bind onto proc", changes=bind(DATA, "/proc/self", "bind")),
    Case(
        name="bind into proc",
        changes=bind("@BUNDLE@/rootfs/secret", "/proc/uptime", "bind"),
        look=("--probe", "/proc/uptime"),
    ),
    Case(name="bind into sysfs", changes=bind(DATA, "/sys/kernel", "bind"), look=("--probe", "/sys/kernel")),
    Case(name="bind onto the root", changes=bind(DATA, "/", "bind")),
    Case(name="bind the host's root read-only", changes=bind("/", "/mnt", "bind", "ro")),
    Case(name="bind with the type given", changes={"mounts+": [mount("/mnt", "ext4", DATA, "rbind")]}),
    Case(name="bind without options", changes={"mounts+": [{"destination": "/mnt", "type": "bind", "source": DATA}]}),
    Case(
        name="bind without a type",
        changes={"mounts+": [{"destination": "/mnt", "source": DATA, "options": ["rbind", "ro"]}]},
    ),
    Case(name="mount without source or options", changes={"mounts+": [{"destination": "/mnt", "type": "tmpfs"}]}),
    Case(name="mount with dots in the destination", changes=tmpfs("/mnt/../data/./x/"), look=("--list", "/data")),
    Case(name="mount that climbs out", changes=tmpfs("/../../../mnt")),
    Case(
        name="mount onto a missing deep place",
        changes=tmpfs("/a/b/c", "mode=700"),
        look=("--probe", "/a", "--probe", "/a/b/c"),
    ),
    Case(name="mount onto a file", changes=tmpfs("/secret")),
    Case(
        name="mounts into one another",
        changes={
            "mounts+": [
                mount("/mnt", "tmpfs", "one"),
                mount("/mnt/in", "tmpfs", "two"),
                mount("/mnt/in/data", "bind", DATA, "bind", "ro"),
            ]
        },
        look=("--probe", "/mnt/in/data"),
    ),
    Case(
        name="mount that hides another",
        changes={"mounts+": [mount("/mnt/in", "tmpfs", "one"), mount("/mnt", "tmpfs", "two")]},
    ),
    Case(name="tmpfs with an unknown option", changes=tmpfs("/mnt", "no-such-option=1")),
    Case(name="tmpfs with a bad size", changes=tmpfs("/mnt", "size=many")),
    Case(name="tmpfs with mode alone", changes=tmpfs("/mnt", "mode=0751"), look=("--probe", "/mnt")),
    Case(
        name="tmpfs with owner",
        changes=tmpfs("/mnt", "uid=1000", "gid=1000", "mode=0700", "size=64k"),
        look=("--probe", "/mnt"),
    ),
    Case(name="tmpfs read-only", changes=tmpfs("/mnt", "ro"), look=("--probe", "/mnt")),
    Case(
        name="tmpfs copy-up of many",
        changes=tmpfs("/etc", "tmpcopyup", "size=1m", "mode=755"),
        look=("--list", "/etc", "--probe", "/etc/passwd"),
    ),
    Case(name="tmpfs copy-up read-only", changes=tmpfs("/etc", "tmpcopyup", "ro"), look=("--list", "/etc")),
    Case(name="tmpfs copy-up of nothing", changes=tmpfs("/new", "tmpcopyup"), look=("--list", "/new")),
    Case(name="tmpfs copy-up of a link", changes=tmpfs("/", "tmpcopyup")),
    Case(name="ramfs", changes={"mounts+": [mount("/mnt", "ramfs", "ramfs", "nosuid", "mode=700")]}),
    Case(
        name="overlay with an upper layer",
        changes={
            "mounts+": [
                mount(
                    "/mnt", "overlay", "o", f"lowerdir=@BUNDLE@/rootfs/etc,upperdir={DATA},workdir=@BUNDLE@/rootfs/tmp"
                )
            ]
        },
        look=("--probe", "/mnt"),
    ),
    Case(name="proc with subset", changes={"mounts+": [mount("/mnt", "proc", "proc", "subset=pid")]}),
    Case(
        name="proc with flags",
        changes={"mounts+": [mount("/mnt", "proc", "proc", "nosuid", "nodev", "noexec", "relatime")]},
    ),
    Case(name="proc onto a file", changes={"mounts+": [mount("/secret", "proc", "proc")]}),
    Case(name="proc onto a link", changes={"mounts+": [mount("/link", "proc", "proc")]}),
    Case(name="sysfs writable", changes={"mounts+": [mount("/mnt", "sysfs", "sysfs", "nosuid", "rw")]}),
    Case(
        name="sysfs without a network namespace",
        changes={"linux.namespaces": without("network"), "mounts+": [mount("/mnt", "sysfs", "sysfs")]},
    ),
    Case(
        name="devpts with options",
        changes={
            "mounts+": [mount("/mnt", "devpts", "devpts", "newinstance", "ptmxmode=0600", "mode=0600", "max=10", "ro")]
        },
        look=("--list", "/mnt"),
    ),
    Case(
        name="devpts without a mode",
        changes={"mounts+": [mount("/mnt", "devpts", "devpts", "newinstance")]},
        look=("--list", "/mnt"),
    ),
    Case(
        name="mqueue of the host",
        changes={"linux.namespaces": without("ipc"), "mounts+": [mount("/mnt", "mqueue", "mqueue", "ro")]},
    ),
    Case(
        name="cgroup namespace and a cgroup mount",
        changes={
            "linux.namespaces": namespaces(*BASE_NAMESPACES, "cgroup"),
            "mounts+": [mount("/mnt", "cgroup", "cgroup", "rw", "nosuid")],
        },
    ),
    Case(
        name="cgroup mount without options",
        changes={"mounts+": [{"destination": "/mnt", "type": "cgroup", "source": "cgroup"}]},
    ),
    Case(name="cgroup2 mount", changes={"mounts+": [mount("/mnt", "cgroup2", "cgroup2", "ro")]}),
    Case(name="no mounts", changes={"mounts": []}),
    Case(name="mounts absent", changes={"mounts": DROP}),
    Case(
        name="dev read-only",
        changes={
            "mounts": [mount("/proc", "proc", "proc"), mount("/dev", "tmpfs", "tmpfs", "nosuid", "mode=755", "ro")]
        },
    ),
    Case(
        name="dev bound from the host",
        changes={"mounts": [mount("/proc", "proc", "proc"), mount("/dev", "bind", "/dev", "rbind", "ro")]},
    ),
    Case(
        name="dev without strictatime and with data",
        changes={
            "mounts": [mount("/proc", "proc", "proc"), mount("/dev", "tmpfs", "tmpfs", "noexec", "mode=711", "size=1m")]
        },
    ),
    *(
        Case(name=f"root propagation {kind}", changes={"linux.rootfsPropagation": kind})
        for kind in ("rprivate", "rslave", "rshared", "runbindable", "sideways", "")
    ),
    Case(
        name="root propagation shared and a mask",
        changes={"linux.rootfsPropagation": "shared", "linux.maskedPaths": ["/secrets"]},
    ),
    Case(
        name="root propagation shared and a bind",
        changes={"linux.rootfsPropagation": "rshared", **bind(DATA, "/mnt", "rbind")},
    ),
    Case(
        name="root propagation slave and a shared bind",
        changes={"linux.rootfsPropagation": "rslave", **bind(DATA, "/mnt", "rbind", "rshared")},
    ),
    Case(
        name="root readonly with writable mounts",
        changes={"root.readonly": True, **bind(DATA, "/mnt", "bind", "rw")},
        look=("--probe", "/mnt/kept", "--probe", "/data/kept"),
    ),
    Case(
        name="root readonly and a missing mountpoint",
        changes={"root.readonly": True, **tmpfs("/a/b")},
        look=("--probe", "/a"),
    ),
    Case(name="root readonly and a missing cwd", changes={"root.readonly": True, "process.cwd": "/work/deep"}),
    Case(name="root by an absolute path", changes={"root.path": "@BUNDLE@/rootfs"}),
    Case(name="root with dots", changes={"root.path": "./x/../rootfs/"}),
    Case(name="root with dots and slash", changes={"root.path": "./rootfs/."}),
    Case(name="no pivot, root read-only", changes={"root.readonly": True}, options=("--no-pivot",)),
    Case(
        name="masked paths of every kind",
        changes={"linux.maskedPaths": ["/proc/self/environ", "/dev/null", "/proc/acpi", "/data", "/data"]},
        look=("--probe", "/data", "--probe", "/dev/null"),
    ),
    Case(name="masked path that is relative", changes={"linux.maskedPaths": ["secret"]}, look=("--probe", "/secret")),
    Case(
        name="read-only path that is relative",
        changes={"linux.readonlyPaths": ["data"]},
        look=("--probe", "/data/kept"),
    ),
    Case(
        name="read-only through a link", changes={"linux.readonlyPaths": ["/link"]}, look=("--probe", "/secrets/first")
    ),
    Case(
        name="read-only path that is a mount",
        changes={**tmpfs("/mnt", "nosuid", "noexec"), "linux.readonlyPaths": ["/mnt", "/sys"]},
        look=("--probe", "/mnt"),
    ),
    Case(
        name="masked and read-only at once",
        changes={"linux.maskedPaths": ["/data"], "linux.readonlyPaths": ["/data"]},
        look=("--probe", "/data"),
    ),
    Case(
        name="masked in a read-only root",
        changes={"root.readonly": True, "linux.maskedPaths": ["/secrets", "/secret"]},
        look=("--probe", "/secrets", "--probe", "/secret"),
    ),
)
