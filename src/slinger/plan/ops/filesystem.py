"""Ops of the container's file system: mounts, nodes, the root, what is hidden."""

from __future__ import annotations

from slinger.linux.flags import MS_SLAVE
from slinger.plan.ops.base import Op


class OpenTree(Op):
    """Keep a detached copy of the mount at a path of the runtime's (open_tree(2)), whose links are followed;
    with ``nofollow`` not the one at its end, which is then what is mounted.

    A copy of a shared mount is its peer, and what is mounted on it in the container would be mounted on the host
    as well: so ``propagation`` is set on the copy at once, on all of it. 0 leaves it a peer.
    """

    slot: int = 0
    path: str = ""
    recursive: int = 0
    propagation: int = MS_SLAVE
    nofollow: int = 0


class IdMap(Op):
    """Keep a user namespace whose maps are for mounts: the one at ``path``, or for "" a new one that nobody lives in.

    ``uids`` and ``gids`` are lines as in uid_map (user_namespaces(7)): the id that files have in their file system,
    the id of the runtime's that they get in the mount, and for how many.
    """

    slot: int = 0
    path: str = ""
    uids: str = ""
    gids: str = ""


class MapTree(Op):
    """Map the owners of the files in the tree of a slot by the user namespace of ``map_slot`` (MOUNT_ATTR_IDMAP).

    ``path`` is what the tree was copied from. ``recursive``: also in what is mounted below it.
    """

    slot: int = 0
    map_slot: int = 0
    path: str = ""
    recursive: int = 0


class Shelf(Op):
    """Cover ``path`` with an empty tmpfs and stand in it."""

    path: str = ""


class Shelve(Op):
    """Attach the tree of a slot in the working directory, by the number of the slot; ``path`` is where it is from."""

    slot: int = 0
    path: str = ""


class Unshelve(Op):
    """Keep a copy of what was attached so, made where its flags are locked; ``path`` is where it is from."""

    slot: int = 0
    path: str = ""


class Propagation(Op):
    """Set the propagation of every mount of the namespace, or of one (MS_SHARED, MS_SLAVE, MS_PRIVATE)."""

    flags: int = 0
    recursive: int = 1


class AttachRoot(Op):
    """Put the root's tree on its own path and keep the handle under which all that follows is looked up."""

    slot: int = 0
    path: str = ""


class OpenRoot(Op):
    """Keep the handle of a root that is entered by chroot(2), where there is no mount namespace of its own."""

    path: str = ""


class MountNew(Op):
    """Mount a new file system (fsopen(2) ... move_mount(2)) at a path inside the root, made if missing.

    ``options`` go to fsconfig one by one; ``attributes`` are MOUNT_ATTR_*. ``real_directory``: refuse a
    destination with a symlink in it, as proc and sysfs must (CVE-2019-19921, CVE-2023-27561). ``instead``: the
    host's mount of the same file system, which is bound with all below it where the kernel refuses a new one (EPERM,
    EBUSY), with ``instead_set`` besides.
    """

    type: str = ""
    source: str = ""
    destination: str = ""
    options: tuple[str, ...] = ()
    attr_set: int = 0
    attr_clr: int = 0
    real_directory: int = 0
    copy_mode: int = 0  # take the mode of the directory that is covered (tmpfs)
    copy_up: int = 0  # and its content (tmpcopyup)
    instead: str = ""
    instead_set: int = 0
    label: str = ""  # the SELinux label of its root directory


class MountBind(Op):
    """Attach the tree of a slot at a path inside the root; a missing target is made a file or a directory.

    ``procfs``: refuse what is of no procfs, as for /proc (CVE-2019-16884).
    ``nofollow``: a symlink at the end of the path is what is covered.
    """

    slot: int = 0
    destination: str = ""
    attr_set: int = 0
    attr_clr: int = 0
    rec_set: int = 0
    rec_clr: int = 0
    procfs: int = 0
    nofollow: int = 0


class Reconfigure(Op):
    """Change the super block of what is mounted at a path inside the root (fspick(2)): what it is all mounts show."""

    destination: str = ""
    options: tuple[str, ...] = ()


class MountChange(Op):
    """Change attributes and propagation of the mount at a path inside the root ("remount", "rshared" ...)."""

    destination: str = ""
    attr_set: int = 0
    attr_clr: int = 0
    rec_set: int = 0
    rec_clr: int = 0
    propagation: int = 0
    propagation_recursive: int = 0
    nofollow: int = 0  # of what covers a symlink at the end of the path


class MakeNode(Op):
    """Make a device node or fifo; an existing file of another kind or number is an error (config-linux.md)."""

    path: str = ""
    kind: int = 0  # S_IFCHR, S_IFBLK, S_IFIFO
    major: int = 0
    minor: int = 0
    mode: int = 0
    uid: int = 0
    gid: int = 0


class MakeLink(Op):
    """Make a symlink inside the root unless the path exists. ``needs``: only if this path of ours exists.

    ``exact``: what exists must be a symlink with the same text.
    """

    path: str = ""
    target: str = ""
    needs: str = ""
    exact: int = 0


class Console(Op):
    """Open a pseudo-terminal of the container's devpts, send its master to the brain, be its session leader."""

    rows: int = 0
    columns: int = 0
    bind: int = 1  # bind the slave over /dev/console


class Pivot(Op):
    """Make the root handle the root.

    ``how``: 0 pivot_root(2); 1 move the mount over / and chroot(2) (--no-pivot); 2 chroot(2) alone.
    """

    how: int = 0


class Detach(Op):
    """Take a mount of the host's out of init's mount namespace (umount2(2)); cover it with an empty tmpfs where it is
    locked there.
    """

    path: str = ""  # on the host


class RootChange(Op):
    """Attributes and propagation of the container's root mount."""

    attr_set: int = 0
    propagation: int = 0
    recursive: int = 0


class Mask(Op):
    """Hide a path: a file under the real null device, a directory under an empty read-only tmpfs (CVE-2025-31133).

    ``options`` are the tmpfs's, beside ``ro``.
    """

    path: str = ""
    options: tuple[str, ...] = ()


class ReadonlyPath(Op):
    """Make a path and what is mounted below it read-only."""

    path: str = ""
