"""Mount options and namespaces: the words of config.json and what the kernel is told for them.

Rule of this file: a new mount option is one row of a table. Mounts are made with the fd-based API, so
an option is an attribute of the mount (mount_setattr(2)), a flag of the super block (fsconfig(2)), a
change of propagation, or data for the file system. Sources: runtime-spec 1.3 config.md ("Linux mount
options"), include/uapi/linux/mount.h, include/uapi/linux/sched.h.
"""

from __future__ import annotations

from slinger.record import Record

MOUNT_ATTR_RDONLY = 0x01
MOUNT_ATTR_NOSUID = 0x02
MOUNT_ATTR_NODEV = 0x04
MOUNT_ATTR_NOEXEC = 0x08
MOUNT_ATTR__ATIME = 0x70  # a field of three values, not three bits
MOUNT_ATTR_RELATIME = 0x00
MOUNT_ATTR_NOATIME = 0x10
MOUNT_ATTR_STRICTATIME = 0x20
MOUNT_ATTR_NODIRATIME = 0x80
MOUNT_ATTR_NOSYMFOLLOW = 0x200000

MS_REC = 1 << 14
MS_UNBINDABLE = 1 << 17
MS_PRIVATE = 1 << 18
MS_SLAVE = 1 << 19
MS_SHARED = 1 << 20

CLONE_NEWTIME = 0x00000080
CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

NAMESPACES = {
    "cgroup": CLONE_NEWCGROUP,
    "ipc": CLONE_NEWIPC,
    "mount": CLONE_NEWNS,
    "network": CLONE_NEWNET,
    "pid": CLONE_NEWPID,
    "time": CLONE_NEWTIME,
    "user": CLONE_NEWUSER,
    "uts": CLONE_NEWUTS,
}

# Attribute options: (bit, whether the option sets or clears it). Each has a recursive twin, "r" + name.
_ATTRIBUTES = {
    "ro": (MOUNT_ATTR_RDONLY, True),
    "rw": (MOUNT_ATTR_RDONLY, False),
    "nosuid": (MOUNT_ATTR_NOSUID, True),
    "suid": (MOUNT_ATTR_NOSUID, False),
    "nodev": (MOUNT_ATTR_NODEV, True),
    "dev": (MOUNT_ATTR_NODEV, False),
    "noexec": (MOUNT_ATTR_NOEXEC, True),
    "exec": (MOUNT_ATTR_NOEXEC, False),
    "nodiratime": (MOUNT_ATTR_NODIRATIME, True),
    "diratime": (MOUNT_ATTR_NODIRATIME, False),
    "nosymfollow": (MOUNT_ATTR_NOSYMFOLLOW, True),
    "symfollow": (MOUNT_ATTR_NOSYMFOLLOW, False),
}
# Access time options: (mode, whether the option asks for it or away from it), with recursive twins.
_ATIME = {
    "relatime": (MOUNT_ATTR_RELATIME, True),
    "norelatime": (MOUNT_ATTR_RELATIME, False),
    "noatime": (MOUNT_ATTR_NOATIME, True),
    "atime": (MOUNT_ATTR_NOATIME, False),
    "strictatime": (MOUNT_ATTR_STRICTATIME, True),
    "nostrictatime": (MOUNT_ATTR_STRICTATIME, False),
}
_PROPAGATION = {
    "private": MS_PRIVATE,
    "rprivate": MS_PRIVATE | MS_REC,
    "shared": MS_SHARED,
    "rshared": MS_SHARED | MS_REC,
    "slave": MS_SLAVE,
    "rslave": MS_SLAVE | MS_REC,
    "unbindable": MS_UNBINDABLE,
    "runbindable": MS_UNBINDABLE | MS_REC,
}
# Flags of the super block: (the flag that this option sets or clears, whether it sets it).
_SUPER = {
    "ro": ("ro", True),
    "rw": ("ro", False),
    "sync": ("sync", True),
    "async": ("sync", False),
    "dirsync": ("dirsync", True),
    "lazytime": ("lazytime", True),
    "nolazytime": ("lazytime", False),
    "mand": ("mand", True),
    "nomand": ("mand", False),
}
# Understood, and nothing to do: "silent" concerns messages of the kernel, and iversion has had no generic
# switch since the file systems that keep one keep it always.
_NO_EFFECT = frozenset({"defaults", "silent", "loud", "iversion", "noiversion"})
# For who reads /etc/fstab, and kept from the kernel by mount(8) as well ("FILESYSTEM-INDEPENDENT MOUNT OPTIONS");
# besides them "comment=...", "x-..." and "X-...". Not "user=NAME", which is a file system's own as well (cifs).
_OF_FSTAB = frozenset(
    {
        "auto",
        "noauto",
        "user",
        "nouser",
        "users",
        "nousers",
        "owner",
        "noowner",
        "group",
        "nogroup",
        "nofail",
        "_netdev",
    }
)
_OF_FSTAB_PREFIXES = ("comment=", "x-", "X-")
_SWITCHES = {
    "bind": "bind",
    "rbind": "rbind",
    "remount": "remount",
    "idmap": "idmap",
    "ridmap": "rec_idmap",
    "tmpcopyup": "tmpcopyup",
    # crun's, for bind mounts: what a symlink at either end is to mean (crun(1)).
    "copy-symlink": "copy_symlink",
    "src-nofollow": "src_nofollow",
    "dest-nofollow": "dest_nofollow",
}

OPTION_NAMES = tuple(
    sorted(
        {*_ATTRIBUTES, *_ATIME, *_PROPAGATION, *_SUPER, *_NO_EFFECT, *_SWITCHES}
        | {f"r{name}" for name in (*_ATTRIBUTES, *_ATIME)}
    )
)


class MountOptions(Record):
    """``options`` of a mount, sorted by what takes them.

    ``attr_set``, ``attr_clr`` and their recursive twins are for struct mount_attr; ``attr_clr`` holds the
    whole MOUNT_ATTR__ATIME field whenever an access time mode is asked for, as mount_setattr(2) demands.
    ``cleared`` is what the user asked to be off in so many words (a locked flag must then be an error).
    ``propagation`` is to be applied value by value, after the mount. ``data`` is for fsconfig(2), in order:
    the flags of the super block ("ro", "sync" ...; for a remount also "rw", "async" ...) and ``specific``,
    the file system's own ("size=64k"); a bind mount has no use for the former and refuses the latter.
    """

    bind: bool = False
    recursive: bool = False
    remount: bool = False
    attr_set: int = 0
    attr_clr: int = 0
    rec_set: int = 0
    rec_clr: int = 0
    cleared: int = 0
    propagation: tuple[int, ...] = ()
    data: tuple[str, ...] = ()
    specific: tuple[str, ...] = ()
    idmap: bool = False
    rec_idmap: bool = False
    tmpcopyup: bool = False
    copy_symlink: bool = False
    src_nofollow: bool = False
    dest_nofollow: bool = False


class _Attributes:
    """What a walk along the options has made of one struct mount_attr; the later option wins."""

    def __init__(self) -> None:
        self.set = 0
        self.cleared = 0
        self.atime: int | None = None

    def take(self, name: str) -> bool:
        """Take the option in; False if it is none of an attribute's."""
        if name in _ATTRIBUTES:
            bit, on = _ATTRIBUTES[name]
            self.set = self.set | bit if on else self.set & ~bit
            self.cleared = self.cleared & ~bit if on else self.cleared | bit
        elif name in _ATIME:
            mode, on = _ATIME[name]
            if on:
                self.atime = mode
            elif name == "norelatime":  # what is left then is the kernel's default, relatime again
                self.atime = None if self.atime == mode else self.atime
            elif self.atime in {None, mode}:
                self.atime = MOUNT_ATTR_RELATIME
        else:
            return False
        return True

    @property
    def attr_set(self) -> int:
        return self.set | (self.atime or 0)

    @property
    def attr_clr(self) -> int:
        return self.cleared | (0 if self.atime is None else MOUNT_ATTR__ATIME)


def parse_options(options: tuple[str, ...]) -> MountOptions:
    """Sort the options of a mount; the later of two that contradict each other wins. Unknown ones are data."""
    plain, recursive = _Attributes(), _Attributes()
    switches: set[str] = set()
    propagation: list[int] = []
    data: list[str] = []
    specific: list[str] = []
    for option in options:
        known = plain.take(option) or (option[:1] == "r" and recursive.take(option[1:]))
        if option in _SUPER:
            data = _with_flag(data, option)
        elif option in _SWITCHES:
            switches.add(_SWITCHES[option])
        elif option in _PROPAGATION:
            propagation.append(_PROPAGATION[option])
        elif not known and option not in _NO_EFFECT and not _is_of_fstab(option):
            parts = _split_data(option)
            data += parts
            specific += parts
    if "remount" not in switches:  # a new super block has none of the flags that would be cleared
        data = [item for item in data if item not in _SUPER or _SUPER[item][1]]
    return MountOptions(
        bind=bool(switches & {"bind", "rbind"}),
        recursive="rbind" in switches,
        remount="remount" in switches,
        attr_set=plain.attr_set,
        attr_clr=plain.attr_clr,
        rec_set=recursive.attr_set,
        rec_clr=recursive.attr_clr,
        cleared=plain.cleared,
        propagation=tuple(propagation),
        data=tuple(data),
        specific=tuple(specific),
        idmap="idmap" in switches,
        rec_idmap="rec_idmap" in switches,
        tmpcopyup="tmpcopyup" in switches,
        copy_symlink="copy_symlink" in switches,
        src_nofollow="src_nofollow" in switches,
        dest_nofollow="dest_nofollow" in switches,
    )


def _is_of_fstab(option: str) -> bool:
    return option in _OF_FSTAB or option.startswith(_OF_FSTAB_PREFIXES)


def _with_flag(data: list[str], option: str) -> list[str]:
    """The data with a super block flag at its end, and without what was said of the same flag before."""
    flag = _SUPER[option][0]
    return [item for item in data if item not in _SUPER or _SUPER[item][0] != flag] + [option]


def _split_data(option: str) -> list[str]:
    """One string of data as mount(2) would split it: at commas, but not within quotes nor after a backslash.

    Quotes (SELinux contexts have commas) are dropped, because fsconfig(2) takes the bare value.
    """
    parts = [""]
    quoted = escaped = False
    for character in option:
        if character == '"' and not escaped:
            quoted = not quoted
        elif character == "," and not quoted and not escaped:
            parts.append("")
        else:
            parts[-1] += character
        escaped = character == "\\" and not escaped
    return [part for part in parts if part]
