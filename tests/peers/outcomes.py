"""The known differences in whether a container is run or refused, each with its reason."""

from __future__ import annotations

from typing import Final

from tests.peers.row import rows

RUNC: Final = (
    (
        "the kernel refuses a new sysfs there; crun and slinger bind the host's /sys instead, runc 1.1 gives up",
        ("user namespace and network of the host",),
    ),
    ("runc 1.1 wants mappings even when the user namespace is joined; the spec does not", ("user namespace joined",)),
    (
        "the spec has `unbindable`; runc makes the root unbindable first and then fails to bind it",
        ("root propagation unbindable",),
    ),
    (
        "for a default device that linux.devices names, runc drops its own permission, and then cannot open it",
        ("default device named again",),
    ),
    ("runc 1.1 hands `defaults` to the file system, which does not know it", ("tmpfs defaults",)),
    ("runc 1.1 does not know linux.personality", ("personality unknown", "personality without a domain")),
    ("runc 1.1 does not know domainname", ("domainname without uts",)),
    ("the spec: the path of a device must be absolute; runc takes it relative to /", ("device path that is relative",)),
    ("the spec: errnoRet is for SCMP_ACT_ERRNO and SCMP_ACT_TRACE", ("seccomp action KILL errnoRet 7",)),
    ("runc does not look at ociVersion", ("ociVersion absent", "ociVersion of the future", "ociVersion that is none")),
    ("runc needs /proc in the container", ("no mounts",)),
    ("runc 1.1 does not know linux.seccomp.flags", ("seccomp flag [TLS]*", "seccomp flags together")),
)
CRUN: Final = (
    *((f"the spec has `{name}`; crun 1.8 does not know it and fails", (f"tmpfs {name}",)) for name in (
        "silent", "iversion", "nosymfollow",
    )),
    ("the spec: cwd must be absolute; crun takes it relative to /", ("cwd not absolute",)),
    ("the spec: a duplicate namespace must be an error; crun ignores the second", ("namespace twice",)),
    ("an entry of process.env without `=` is an error; crun hands it on", ("env with a name alone",)),
    ("there is no SELinux here: crun leaves out linux.mountLabel", ("SELinux label of mounts",)),
    ("nothing may cover /proc/self; crun 1.8 lets it", ("bind onto proc",)),
    ("crun takes no notice of what it does not know as propagation", ("root propagation sideways",)),
    ("the types of devices are b, c, p and u; crun takes others for something", (
        "device of an unknown type", "device of type a",
    )),
    ("after a poststart hook that fails runc and slinger stop the container, as the spec says", (
        "hook * in poststart",
    )),
    ("the spec: SCMP_ACT_NOTIFY needs listenerPath; crun 1.8 answers the call with ENOSYS", ("seccomp action NOTIFY",)),
    ("SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV is for SCMP_ACT_NOTIFY alone", ("seccomp flag WAIT_KILLABLE_RECV",)),
    ("a value of another type than the schema's is an error; crun takes strings and numbers for one another", (
        "wrong type of a string", "wrong type of a number",
    )),
    ("a timeout of zero: at once (runc), an error (the spec), none at all (crun)", ("hook with a timeout of zero",)),
    ("crun 1.8 sets two of the access time's attributes at once, which the kernel refuses", (
        *("rbind with rnodiratime", "rbind with rdiratime", "rbind with rnoatime", "rbind with rstrictatime"),
        "rbind with recursive options together",
    )),
    ("crun takes root.path without resolving its dots", ("root with dots",)),
    ("blkio.weight is not there without its scheduler: runc and slinger go on", ("block weight",)),
    ("crun connects to listenerPath even when nothing is notified", ("seccomp a listener that nothing asks",)),
)  # fmt: skip
SLINGER: Final = (
    ("runc 1.1 does not know time namespaces, crun 1.8 fails to enter one here", ("time namespace*",)),
    ("the spec: a duplicate rlimit must be an error; runc and crun let the last one win", ("rlimit twice",)),
    (
        "the spec: the path of a hook must be absolute; runc and crun take it relative to the bundle",
        ("hook with a relative path",),
    ),
    (
        "the spec: capabilities that cannot be granted should not be an error (here nobody has CAP_SYS_RESOURCE)",
        ("capabilities all*", "capabilities effective beyond permitted"),
    ),
    (
        "the kernel refuses a new procfs there; slinger binds the host's, whose pids the container shares",
        ("user namespace and pid of the host",),
    ),
    ("runc and crun hand the kernel what it refuses", ("rbind with rnostrictatime",)),
    ("runc and crun make the root unbindable first and then fail to bind it", ("root propagation runbindable",)),
    ("a mount of type `bind` is a bind mount without the option, too", ("bind without options",)),
    ("mounts may be absent", ("mounts absent",)),
    (
        "user.* are settings of the user namespace, which is the container's",
        ("user namespace with a sysctl of its own",),
    ),
    (
        "process.scheduler is applied, and here the kernel refuses it; the peers do not know it",
        ("scheduler FIFO", "scheduler RR", "user namespace with a scheduler"),
    ),
    (
        "a property that would have no effect is an error, since something else was meant",
        ("offsets without a time namespace", "mappings without a user namespace", "bind with an unknown option"),
    ),
    (
        "the spec: these paths must be absolute; runc and crun take them relative to /",
        ("masked path that is relative", "read-only path that is relative"),
    ),
    ("the spec: major and minor are required but for a fifo", ("device without numbers",)),
    ("the spec: another file at the path of a device must be an error", ("device where a file is",)),
    ("no resctrl is mounted here: the spec wants an error", ("intelRdt",)),
    (
        "a user namespace without mappings maps what the caller has; runc refuses it, crun maps root, not gid 5 of pts",
        ("user namespace without mappings",),
    ),
    ("runc and crun hand on what they have open themselves", ("descriptors preserved that are not there",)),
    ("the schema: names must have an entry", ("seccomp a rule without names",)),
    ("the spec: listenerMetadata must not be set without listenerPath", ("seccomp metadata without a listener",)),
)

OUTCOMES: Final = tuple(
    row
    for odd, table in (("runc", RUNC), ("crun", CRUN), ("slinger", SLINGER))
    for reason, cases in table
    for row in rows(odd, "outcome", reason, *cases)
)
