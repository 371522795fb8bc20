"""Ops of processes and namespaces: how init comes to be, and in what."""

from __future__ import annotations

from slinger.plan.ops.base import Op


class Fork(Op):
    """Start the joiner, which carries on until it has cloned init."""


class KeepTimes(Op):
    """From here on note when each op begins and ends (CLOCK_MONOTONIC of outer), for TellTimes or a failure."""


class OpenNamespace(Op):
    """Keep the namespace of type ``flag`` (CLONE_NEW*) that is bound at ``path``, before joining hides the path."""

    path: str = ""
    flag: int = 0


class Join(Op):
    """Enter the namespace of type ``flag`` (CLONE_NEW*) at ``path``, or for "" the one that was kept of the type."""

    path: str = ""
    flag: int = 0


class Clone(Op):
    """Create init in new namespaces (CLONE_NEW* bits) and tell the brain its pid."""

    flags: int = 0


class Gate(Op):
    """Stop until the brain has done its part."""

    name: str = ""


class Handles(Op):
    """Give the brain descriptors of one's namespaces and root, for a Python hook; when ``entered`` also of the cwd."""

    entered: int = 0


class TakeRoot(Op):
    """Become uid 0 and gid 0 of the new user namespace, without supplementary groups where allowed.

    Concealed afterwards, whatever the sysctl fs.suid_dumpable says; ``visible`` where /proc/self has still
    to be written to, which without privilege takes being its owner.
    """

    drop_groups: int = 1
    visible: int = 0


class Unshare(Op):
    """Leave namespaces (CLONE_NEW* bits) for new ones."""

    flags: int = 0


class TimeOffsets(Op):
    """Write timens_offsets, by outer those of init: lines of clock, seconds, nanoseconds (time_namespaces(7))."""

    text: str = ""


class Session(Op):
    """Lead a new session, so that no signal of the caller's terminal arrives."""


class OomScore(Op):
    """Write oom_score_adj (proc_pid_oom_score_adj(5)): one's own, or by outer that of init, once there is one."""

    value: int = 0


class Conceal(Op):
    """Be non-dumpable until the exec: no ptrace, no /proc/PID/fd for the container (CVE-2016-9962)."""


class Keyring(Op):
    """Join a session keyring of the container's own (keyctl(2), KEYCTL_JOIN_SESSION_KEYRING).

    ``label``: the SELinux label that it is made with (attr/keycreate, proc_pid_attr(5)).
    """

    name: str = ""
    label: str = ""


class Loopback(Op):
    """Bring up lo in the network namespace that one is in: the kernel makes it down (netdevice(7))."""


class NetworkSocket(Op):
    """Open a socket of rtnetlink(7) in the network namespace that one is in, and send it to the brain."""


class Hostname(Op):
    """Set the UTS host name (sethostname(2))."""

    name: str = ""


class Domainname(Op):
    """Set the NIS domain name (setdomainname(2))."""

    name: str = ""


class Sysctl(Op):
    """Write a file below /proc/sys through a handle checked to be procfs (CVE-2025-52881)."""

    path: str = ""
    value: str = ""
