"""The known differences between the runtimes, each with its reason. docs/peers.md lists them.

A row says who stands alone: the others agree. So `odd="crun"` means that slinger shows what runc shows, and
`odd="slinger"` that both peers agree and slinger does otherwise. A difference without a row fails the test, and so
does a row that no case shows any more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# The table is exact for these versions, those of Debian 12, on a machine with cgroup v1 or hybrid and without
# /proc/kcore. Elsewhere slinger has to show what one of the others shows, or to have a row.
VERSIONS: Final = {"runc": "1.1.5", "crun": "1.8.1"}


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Where (names of cases and keys of the report, as shell patterns), who is alone, and why."""

    cases: str = "*"
    keys: str
    odd: str  # "runc", "crun", "slinger", or "all": no two agree
    reason: str


DIFFERENCES: Final = (
    # Made by the runtime on its own account
    Difference(
        keys="lists:/dev:core:*",
        odd="crun",
        reason="/dev/core is no link of the spec; runc makes it only where the host has /proc/kcore, crun always",
    ),
    Difference(
        keys="keyring:description",
        odd="crun",
        reason="name and permissions of the session keyring are not specified; runc calls it _ses.ID",
    ),
    Difference(
        cases="user namespace*",
        keys="keyring:description",
        odd="all",
        reason="the same; in a user namespace runc lets others search the keyring instead of the owner",
    ),
    Difference(
        cases="cgroupsPath absent",
        keys="cgroup",
        odd="crun",
        reason="the default is the runtime's choice: below the caller's own cgroup (runc), or the root (crun)",
    ),
    Difference(
        cases="cgroupsPath absent",
        keys="mounts:/sys/fs/cgroup/memory:root",
        odd="crun",
        reason="follows from the cgroup that was chosen",
    ),
    # Masking
    Difference(
        keys="mounts:/proc/[kt]*:*",
        odd="crun",
        reason="a masked file is the container's own /dev/null (runc), or the host's, mounted read-only (crun)",
    ),
    Difference(
        cases="masked and read-only paths",
        keys="mounts:/secret:*",
        odd="crun",
        reason="the same: which /dev/null masks a file",
    ),
    Difference(
        keys="mounts:/sys/firmware:super",
        odd="crun",
        reason="a masked directory is a tmpfs, read-only as a file system (runc, slinger) or as a mount (crun)",
    ),
    Difference(
        cases="masked *",
        keys="mounts:/secrets:super",
        odd="crun",
        reason="the same: how a masked directory is read-only",
    ),
    Difference(
        cases="default device named again",
        keys="probes:/proc/keys:mode",
        odd="crun",
        reason="follows from what masks a file: the config gives the container's /dev/null another mode",
    ),
    # Mounts
    Difference(
        keys="mounts:/sys:super",
        odd="crun",
        reason="`ro` of a new file system reaches its superblock too (runc), or only the mount (crun)",
    ),
    Difference(
        cases="proc read-only",
        keys="mounts:/mnt:super",
        odd="crun",
        reason="the same: `ro` of a new file system",
    ),
    Difference(
        keys="mounts:/sys/fs/cgroup:s*",
        odd="crun",
        reason="source and size of the tmpfs that holds the v1 hierarchies are not specified",
    ),
    Difference(
        keys="mounts:/sys/fs/cgroup:options",
        odd="slinger",
        reason="`ro` makes the tmpfs that holds the v1 hierarchies read-only too, not only the hierarchies",
    ),
    Difference(
        cases="cgroup writable",
        keys="mounts:/mnt:s*",
        odd="crun",
        reason="the same: source and size of that tmpfs",
    ),
    Difference(
        cases="cgroup writable",
        keys="mounts:/mnt:options",
        odd="runc",
        reason="runc adds nosuid, nodev and noexec to that tmpfs when the config does not ask for them",
    ),
    Difference(
        keys="mounts:/sys/fs/cgroup/systemd:source",
        odd="all",
        reason="the name of the source of a v1 hierarchy in a cgroup namespace is not specified",
    ),
    Difference(
        cases="cgroupsPath with two names",
        keys="cgroups left",
        odd="slinger",
        reason="slinger removes the parents that it made for the cgroup; runc and crun leave them",
    ),
    Difference(
        keys="mounts:/sys/fs/cgroup/*:source",
        odd="crun",
        reason="in a cgroup namespace runc mounts each hierarchy again and names it, crun binds the host's directory",
    ),
    Difference(
        cases="tmpfs with options",
        keys="*:mode",
        odd="runc",
        reason="runc 1.1 sets the mode of an existing mountpoint over the mode that the options ask for",
    ),
    Difference(
        cases="tmpfs with options",
        keys="probes:/mnt:entries",
        odd="runc",
        reason="follows from the mode: root without CAP_DAC_OVERRIDE cannot list the 0711 directory of another user",
    ),
    Difference(
        keys="probes:/:entries:*:mode",
        odd="crun",
        reason="a tmpfs without a mode gets that of the mountpoint (runc), or the kernel's 1777 (crun)",
    ),
    Difference(
        cases="tmpfs copy-up",
        keys="probes:/data:mode",
        odd="crun",
        reason="the same: mode of a tmpfs without one",
    ),
    Difference(
        cases="bind [ru]*",
        keys="mounts:/mnt:propagation",
        odd="crun",
        reason="crun 1.8 undoes the propagation of all mounts when it makes the tree private after the pivot",
    ),
    Difference(
        cases="root propagation shared",
        keys="mounts:/:propagation",
        odd="runc",
        reason="the spec wants the container's root shared; runc 1.1 shares the tree it comes from instead",
    ),
    Difference(
        cases="tmpfs with flags undone",
        keys="mounts:/mnt:options",
        odd="crun",
        reason="of two options that contradict each other the later wins; crun 1.8 never takes a flag back",
    ),
    # User namespaces
    Difference(
        cases="user namespace*",
        keys="mounts:/dev/*:options",
        odd="crun",
        reason="device nodes bound from the host: crun adds nosuid and noexec",
    ),
    Difference(
        cases="user namespace*",
        keys="lists:/dev:mqueue:owner",
        odd="runc",
        reason="under runc the group of the mqueue file system's root is not mapped",
    ),
    # Process
    Difference(
        cases="env with HOME empty",
        keys="env",
        odd="crun",
        reason="an empty HOME counts as unset for runc, which fills in the home of the user",
    ),
    Difference(
        cases="personality",
        keys="[mp]*[ey]",
        odd="runc",
        reason="runc 1.1 does not know linux.personality",
    ),
    Difference(
        cases="domainname",
        keys="domainname",
        odd="runc",
        reason="runc 1.1 does not know domainname",
    ),
    # Accepted or refused
    Difference(
        cases="time namespace*",
        keys="outcome",
        odd="slinger",
        reason="runc 1.1 does not know time namespaces, crun 1.8 fails to enter one here",
    ),
    Difference(
        cases="user namespace and network of the host",
        keys="outcome",
        odd="runc",
        reason="the kernel refuses a new sysfs there; crun and slinger bind the host's /sys instead, runc 1.1 gives up",
    ),
    Difference(
        cases="user namespace and network of the host",
        keys="mounts:/sys2/*",
        odd="crun",
        reason="in a user namespace crun 1.8 leaves out what is mounted below the source of an rbind",
    ),
    Difference(
        cases="user namespace and network of the host",
        keys="mounts:/sys*:options",
        odd="crun",
        reason="the host's /sys in place of a new one: slinger gives it, and what is mounted below, all that was asked "
        "of the new one; crun leaves out nosuid, noexec and nodev",
    ),
    Difference(
        cases="user namespace and network of the host",
        keys="mounts:/sys/fs/cgroup #2:*",
        odd="crun",
        reason="source, size and mode of the tmpfs that holds the v1 hierarchies are not specified",
    ),
    Difference(
        cases="user namespace joined",
        keys="outcome",
        odd="runc",
        reason="runc 1.1 wants mappings even when the user namespace is joined; the spec does not",
    ),
    Difference(
        cases="root propagation unbindable",
        keys="outcome",
        odd="runc",
        reason="the spec has `unbindable`; runc makes the root unbindable first and then fails to bind it",
    ),
    Difference(
        cases="default device named again",
        keys="outcome",
        odd="runc",
        reason="for a default device that linux.devices names, runc drops its own permission, and then cannot open it",
    ),
    Difference(
        cases="tmpfs defaults",
        keys="outcome",
        odd="runc",
        reason="runc 1.1 hands `defaults` to the file system, which does not know it",
    ),
    *(
        Difference(
            cases=f"tmpfs {option}",
            keys="outcome",
            odd="crun",
            reason=f"the spec has `{option}`; crun 1.8 does not know it and fails",
        )
        for option in ("silent", "iversion", "nosymfollow")
    ),
    Difference(
        cases="cwd not absolute",
        keys="outcome",
        odd="crun",
        reason="the spec: cwd must be absolute; crun takes it relative to /",
    ),
    Difference(
        cases="namespace twice",
        keys="outcome",
        odd="crun",
        reason="the spec: a duplicate namespace must be an error; crun ignores the second",
    ),
    Difference(
        cases="rlimit twice",
        keys="outcome",
        odd="slinger",
        reason="the spec: a duplicate rlimit must be an error; runc and crun let the last one win",
    ),
    Difference(
        cases="hook with a relative path",
        keys="outcome",
        odd="slinger",
        reason="the spec: the path of a hook must be absolute; runc and crun take it relative to the bundle",
    ),
    Difference(
        cases="seccomp of podman without a default errno",
        keys="unknown",
        odd="crun",
        reason="a system call newer than the profile gets ENOSYS (runc), so that programs fall back, not EPERM (crun)",
    ),
    # Newer than the peers' versions
    Difference(
        cases="scheduler",
        keys="scheduler:*",
        odd="slinger",
        reason="process.scheduler is applied; these versions of runc and crun do not know it",
    ),
    Difference(
        cases="ioPriority",
        keys="io*",
        odd="slinger",
        reason="process.ioPriority is applied; these versions of runc and crun do not know it",
    ),
)
