"""The known differences between the runtimes, each with its reason. docs/peers.md lists them.

A row says who stands alone: the others agree. So `"crun"` means that slinger shows what runc shows, and `"slinger"`
that both peers agree and slinger does otherwise. A difference without a row fails the test, and so does a row that no
case shows any more. Here is what a program sees; whether it is run at all is in outcomes.py.
"""

from __future__ import annotations

from typing import Final

from tests.peers.outcomes import OUTCOMES
from tests.peers.row import Difference, rows

# The table is exact for these versions, those of Debian 12, on a machine with cgroup v1 or hybrid and without
# /proc/kcore. Elsewhere slinger has to show what one of the others shows, or to have a row.
VERSIONS: Final = {"runc": "1.1.5", "crun": "1.8.1"}

OWN: Final = (
    *rows(
        *("crun", "lists:/dev:core:*"),
        "/dev/core is no link of the spec; runc makes it only where the host has /proc/kcore, crun always",
    ),
    *rows(
        *("crun", "keyring:description"),
        "name and permissions of the session keyring are not specified; runc calls it _ses.ID",
    ),
    *rows(
        *("all", "keyring:description"),
        "the same; in a user namespace runc lets others search the keyring instead of the owner",
        "*user namespace*",
    ),
    *rows(
        *("crun", "cgroup"),
        "the default is the runtime's choice: below the caller's own cgroup (runc), or the root (crun)",
        "cgroupsPath absent",
    ),
    *rows("crun", "mounts:/sys/fs/cgroup/memory:root", "follows from the cgroup that was chosen", "cgroupsPath absent"),
    *rows(
        *("slinger", "cgroups left"),
        "slinger removes the parents that it made for the cgroup; runc and crun leave them",
        "cgroupsPath with two names",
    ),
)

MASKS: Final = (
    *rows(
        *("crun", "mounts:/proc/[kt]*:*"),
        "a masked file is the container's own /dev/null (runc), or the host's, mounted read-only (crun)",
    ),
    *rows(
        "slinger", "mounts:/data #2:*", "what is masked twice is so once, as in runc 1.5", "masked paths of every kind"
    ),
    *rows("all", "mounts:/data #2:super", "the same: how that second mask is read-only", "masked paths of every kind"),
    *rows("crun", "mounts:/secret:*", "the same: which /dev/null masks a file", "masked *"),
    *rows("crun", "mounts:/[dp]*:*", "the same: what masks a file or a directory", "masked paths of every kind"),
    *rows(
        *("crun", "mounts:/sys/firmware:super"),
        "a masked directory is a tmpfs, read-only as a file system (runc, slinger) or as a mount (crun)",
    ),
    *rows(
        *("crun", "mounts:/secrets:super"),
        "the same: how a masked directory is read-only",
        *("masked *", "root propagation shared and a mask"),
    ),
    *rows("crun", "mounts:/data*", "crun masks first and makes read-only then", "masked and read-only at once"),
    *rows(
        *("crun", "probes:/proc/keys:mode"),
        "follows from what masks a file: the config gives the container's /dev/null another mode",
        "default device named again",
    ),
    *rows(
        *("crun", "mounts:/* #2:*, probes:/sys/firmware:write"),
        "crun makes what is mounted below a path read-only as well, and leaves out the flags that it had",
        "read-only path that is a mount",
    ),
)

MOUNTS: Final = (
    *rows(
        *("crun", "mounts:/sys:super"),
        "`ro` of a new file system reaches its superblock too (runc), or only the mount (crun)",
    ),
    *rows(
        *("crun", "mounts:/mnt:super"),
        "the same: `ro` of a new file system",
        *("proc read-only", "sysfs writable", "devpts with options"),
    ),
    *rows(
        *("slinger", "mounts:/sys/fs/cgroup*:options"),
        "`ro` makes the tmpfs that holds the v1 hierarchies read-only too, not only the hierarchies",
    ),
    *rows(
        *("crun", "mounts:/sys/fs/cgroup:s*"),
        "source and size of the tmpfs that holds the v1 hierarchies are not specified",
    ),
    *rows(
        *("crun", "mounts:/mnt:s*"),
        "the same: source and size of that tmpfs",
        *("cgroup writable", "cgroup mount without options", "cgroup namespace and a cgroup mount"),
    ),
    *rows(
        *("runc", "mounts:/mnt*:options"),
        "runc adds nosuid, nodev and noexec to that tmpfs when the config does not ask for them",
        *("cgroup writable", "cgroup mount without options", "cgroup namespace and a cgroup mount"),
    ),
    *rows(
        *("all", "mounts:/*/systemd*:source"),
        "the name of the source of a v1 hierarchy in a cgroup namespace is not specified",
    ),
    *rows(
        *("crun", "mounts:/sys/fs/cgroup/*:source"),
        "in a cgroup namespace runc mounts each hierarchy again and names it, crun binds the host's directory",
    ),
    *rows("crun", "mounts:/mnt/*:source", "the same: names of hierarchies", "cgroup namespace and a cgroup mount"),
    *rows(
        *("runc", "probes:/mnt:mode, probes:/:entries:*:mode"),
        "runc 1.1 sets the mode of an existing mountpoint over the mode that the options ask for",
    ),
    *rows(
        *("runc", "probes:/mnt:entries"),
        "follows from the mode: root without CAP_DAC_OVERRIDE cannot list another user's directory",
    ),
    *rows(
        *("crun", "probes:/:entries:*:mode, probes:/mnt:mode"),
        "a tmpfs without a mode gets that of the mountpoint (runc), or the kernel's 1777 (crun)",
    ),
    *rows("crun", "probes:/data:mode", "the same: mode of a tmpfs without one", "tmpfs copy-up"),
    *rows(
        "all",
        "probes:/mnt:entries:*:mode",
        "a file made to mount on: 0755 (runc 1.1), 0700 (crun), 0644 as in runc 1.5",
        "overlay",
    ),
    *rows("crun", "probes:/a*:mode", "crun 1.8 sets the sticky bit of directories that it makes on the way"),
    *rows("runc", "mounts:/mnt:options", "runc applies recursive attributes to bind mounts alone", "tmpfs r*"),
    *rows(
        *("runc", "mounts:/mnt:source"),
        "where the config has no source slinger and crun name the mount by its type",
        "mount without source or options",
    ),
    *rows(
        *("crun", "mounts:/mnt:options"),
        "of two options that contradict each other the later wins; crun 1.8 never takes a flag back",
        *("tmpfs with flags undone", "bind with ro and rw"),
    ),
    *rows(
        *("slinger", "mounts:/mnt*:options"),
        "the same for recursive options, of which runc and crun let the one that sets win",
        "rbind with flags undone again",
    ),
    *rows("crun", "mounts:/mnt:options", "crun 1.8 takes `rrelatime` for `rnosymfollow`", "rbind with rrelatime"),
    *rows("crun", "mounts:/mnt:options", "crun 1.8 leaves out `rnosymfollow`", "rbind with rnosymfollow"),
)

PROPAGATION: Final = (
    *rows(
        *("slinger", "mounts:/secrets:propagation"),
        "a mask is a mount like any other: on a mount that is shared it is shared",
        "root propagation *shared*",
    ),
    *rows(
        *("crun", "mounts:/mnt:propagation"),
        "crun 1.8 undoes the propagation of all mounts when it makes the tree private after the pivot",
    ),
    *rows(
        *("runc", "mounts:/*:propagation"),
        "the spec wants the container's root shared; runc 1.1 shares the tree it comes from instead",
        "root propagation *shared*",
    ),
)

USER_NAMESPACES: Final = (
    *rows(
        *("crun", "mounts:/dev/*:options"),
        "device nodes bound from the host: crun adds nosuid and noexec",
        "*user namespace*",
    ),
    *rows(
        *("crun", "*:/dev*kmsg*"),
        "a device of linux.devices: crun 1.8 binds the empty file of a mount of its own",
        "user namespace with a device",
    ),
    *rows(
        *("runc", "lists:/dev:mqueue:owner"),
        "under runc the group of the mqueue file system's root is not mapped",
        "*user namespace*",
    ),
    *rows(
        *("crun", "mounts:/sys2/*"),
        "in a user namespace crun 1.8 leaves out what is mounted below the source of an rbind",
        "user namespace and network of the host",
    ),
    *rows(
        *("crun", "mounts:/sys*:options"),
        "the host's /sys in place of a new one: slinger gives it, and what is mounted below, all that was asked of the "
        "new one; crun leaves out nosuid, noexec and nodev",
        "user namespace and network of the host",
    ),
    *rows(
        *("crun", "mounts:/sys/fs/cgroup #2:*"),
        "source, size and mode of the tmpfs that holds the v1 hierarchies are not specified",
        "user namespace and network of the host",
    ),
    *rows(
        *("runc", "stdioOwner"),
        "runc relays stdio through pipes of its own, which keep the group of the container's root",
        "user namespace*",
    ),
)

PROCESS: Final = (
    *rows(
        *("crun", "stdioOwner"),
        "stdio is given to the process's user, so that it can open /dev/stdout; crun gives it to the group as well",
    ),
    *rows("crun", "mounts:/dev/console:options", "the console: crun mounts it without nosuid and noexec", "terminal*"),
    *rows(
        *("crun", "env"),
        "an empty HOME counts as unset for runc, which fills in the home of the user",
        "env with HOME empty",
    ),
    *rows(
        *("crun", "env"),
        "HOME of a user without an entry in /etc/passwd is / (runc), or not set (crun)",
        *("uid without an entry", "user namespace with limits and groups"),
    ),
    *rows("runc", "groups", "runc removes groups that are named twice", "additional groups twice"),
    *rows("runc", "[mp]*[ey]", "runc 1.1 does not know linux.personality", "personality*"),
    *rows("runc", "domainname", "runc 1.1 does not know domainname", "*domainname"),
    *rows("runc", "hostname", "runc takes names of properties in any letters", "keys in capitals"),
    *rows(
        *("crun", "capabilities:*"),
        "names of capabilities: crun takes them in any letters",
        "capabilities in small letters",
    ),
    *rows(
        *("crun", "unknown"),
        "a system call newer than the profile gets ENOSYS (runc), so that programs fall back, not EPERM (crun)",
        *("seccomp of podman without a default errno", "seccomp default errno 99"),
    ),
    *rows(
        *("runc", "probes:/dev/x:*"),
        "without linux.resources runc allows the default devices alone, crun and slinger set no rules",
        "device rules absent",
    ),
)

NEWER: Final = (
    *rows(
        *("slinger", "scheduler:*"),
        "process.scheduler is applied; these versions of runc and crun do not know it",
        *("scheduler", "scheduler OTHER", "scheduler IDLE"),
    ),
    *rows(
        *("slinger", "io*"),
        "process.ioPriority is applied; these versions of runc and crun do not know it",
        "ioPriority*",
    ),
    *rows(
        *("slinger", "memoryPolicy"),
        "linux.memoryPolicy is applied; these versions of runc and crun do not know it",
        "memory policy",
    ),
)

DIFFERENCES: Final[tuple[Difference, ...]] = (
    *OWN, *MASKS, *MOUNTS, *PROPAGATION, *USER_NAMESPACES, *PROCESS, *NEWER, *OUTCOMES,
)  # fmt: skip
