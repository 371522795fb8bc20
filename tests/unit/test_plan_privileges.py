"""plan/privileges.py: what cannot be granted is told."""

from __future__ import annotations

import pytest

from slinger.linux.capabilities import CAPABILITIES
from slinger.plan.facts import Facts
from slinger.plan.privileges import refused_capabilities
from tests.unit.documents import NOTHING, parsed

KILL = 1 << CAPABILITIES["CAP_KILL"]
BOTH = ["CAP_CHOWN", "CAP_KILL"]
USER = (
    ("linux.namespaces", [{"type": "user"}]),
    ("linux.uidMappings", [{"containerID": 0, "hostID": 0, "size": 9}]),
    ("linux.gidMappings", [{"containerID": 0, "hostID": 0, "size": 9}]),
)


@pytest.mark.spec("config.md#linux-process/capability-warning")
@pytest.mark.parametrize(
    ("sets", "held", "names"),
    [
        ({"bounding": BOTH, "permitted": BOTH, "effective": BOTH}, KILL, "CAP_CHOWN"),
        ({"bounding": BOTH, "inheritable": BOTH}, KILL, "CAP_CHOWN"),
        ({"bounding": ["CAP_KILL"], "inheritable": BOTH}, ~0, "CAP_CHOWN"),
        ({"bounding": BOTH, "permitted": BOTH, "effective": BOTH}, ~0, ""),
        ({"bounding": BOTH, "permitted": ["CAP_KILL"], "effective": BOTH}, ~0, "CAP_CHOWN"),
        ({"bounding": BOTH, "permitted": BOTH, "inheritable": ["CAP_KILL"], "ambient": BOTH}, ~0, "CAP_CHOWN"),
        ({"bounding": BOTH}, 0, "CAP_CHOWN, CAP_KILL"),
        (NOTHING, 0, ""),
    ],
)
def test_a_capability_that_cannot_be_granted_is_named(sets: object, held: int, names: str) -> None:
    """The caller lacks it, or another set does."""
    config = parsed(("process.capabilities", sets))
    assert config.process is not None
    facts = Facts(rootfs="/rootfs", capabilities=held)
    expected = (f"process.capabilities: cannot be granted, ignored: {names}",) if names else ()
    assert refused_capabilities(config, config.process, facts) == expected


def test_a_new_user_namespace_has_them_all_to_give() -> None:
    """But those that the kernel does not know."""
    config = parsed(*USER, ("process.capabilities", {"bounding": ["CAP_KILL", "CAP_BPF"]}))
    assert config.process is not None
    facts = Facts(rootfs="/rootfs", capabilities=0)
    assert refused_capabilities(config, config.process, facts) == ()
    old = facts.replace(last_capability=CAPABILITIES["CAP_BPF"] - 1)
    assert refused_capabilities(config, config.process, old) == (
        "process.capabilities: cannot be granted, ignored: CAP_BPF",
    )
