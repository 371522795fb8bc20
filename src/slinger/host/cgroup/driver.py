"""What the two drivers do each in its way: cgroupfs for a Ref without a unit, systemd for one with.

Each function loads only what its driver needs for it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from slinger.host.cgroup.ref import Ref
    from slinger.spec.config import Resources


def make(ref: Ref, resources: Resources | None) -> Ref:
    """See setup.make; with systemd it is the first join that makes anything."""
    if ref.unit is None:
        from slinger.host.cgroup import setup  # noqa: PLC0415

        return setup.make(ref, resources)
    from slinger.host.cgroup import limits  # noqa: PLC0415

    limits.table(ref, resources)  # what cannot be converted is an error before anything is made
    return ref


def join(ref: Ref, pid: int, *, beside: int = 0, resources: Resources | None = None) -> Ref:
    """See setup.join. ``resources``: what the first process needs before it joins, where its cgroup is made now."""
    if ref.unit is None:
        from slinger.host.cgroup import setup  # noqa: PLC0415

        return setup.join(ref, pid, beside=beside)
    from slinger.host.cgroup import systemd  # noqa: PLC0415

    if ref.start:
        return systemd.start(ref, ref.unit, pid, resources)
    return systemd.join(ref, ref.unit, pid, beside=beside)


def apply(ref: Ref, resources: Resources | None, *, devices: bool = True) -> None:
    """See limits.apply."""
    from slinger.host.cgroup import limits  # noqa: PLC0415

    if ref.unit is not None and resources is not None:
        from slinger.host.cgroup import systemd  # noqa: PLC0415

        systemd.tell_limits(ref, ref.unit, resources, devices=devices)
    limits.apply(ref, resources, devices=devices)


def update(ref: Ref, resources: Resources, name: Callable[[str], str]) -> None:
    """See updating.update."""
    if ref.unit is not None:
        from slinger.host.cgroup import systemd  # noqa: PLC0415

        systemd.update(ref, ref.unit, resources, name)
        return
    from slinger.host.cgroup import updating  # noqa: PLC0415

    updating.update(ref, resources, name)


def remove(ref: Ref, *, kill: bool = False) -> None:
    """See removal.remove."""
    if ref.unit is not None:
        from slinger.host.cgroup import systemd  # noqa: PLC0415

        if not systemd.stop(ref, ref.unit, kill=kill):
            return
    from slinger.host.cgroup import removal  # noqa: PLC0415

    removal.remove(ref, kill=kill)
