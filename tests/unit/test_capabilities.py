"""linux/capabilities.py: names, numbers and masks."""

from __future__ import annotations

from slinger.linux.capabilities import CAPABILITIES, mask


def test_capabilities_are_numbered_from_chown_to_checkpoint_restore() -> None:
    """41 names, 0 to 40, without a gap."""
    assert list(CAPABILITIES.values()) == list(range(41))
    assert (CAPABILITIES["CAP_CHOWN"], CAPABILITIES["CAP_SYS_ADMIN"]) == (0, 21)
    assert CAPABILITIES["CAP_CHECKPOINT_RESTORE"] == 40


def test_a_mask_has_a_bit_for_each_name() -> None:
    """Bit n stands for capability n."""
    assert mask(("CAP_CHOWN", "CAP_KILL", "CAP_BPF")) == (1 << 0 | 1 << 5 | 1 << 39, ())


def test_unknown_names_are_told_apart_in_order() -> None:
    """They do not make the mask fail: a warning is due, not an error."""
    assert mask(("CAP_NEW", "CAP_KILL", "kill")) == (1 << 5, ("CAP_NEW", "kill"))
