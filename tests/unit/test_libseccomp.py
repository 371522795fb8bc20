"""What libseccomp refuses, in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from slinger.errors import ConfigError
from slinger.host.seccomp import compile_filter
from slinger.spec.config import Seccomp
from tests.requires import requires

pytestmark = requires("libseccomp", "x86-64")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("SCMP_ARCH_PARISC", "SCMP_ARCH_PARISC has another byte order than this machine"),
        ("SCMP_ARCH_MIPS", "SCMP_ARCH_MIPS has another byte order than this machine"),
    ],
)
def test_an_architecture_of_another_byte_order_is_refused(tmp_path: Path, name: str, text: str) -> None:
    """One filter cannot serve both."""
    with pytest.raises(ConfigError) as caught:
        compile_filter(Seccomp(default_action="SCMP_ACT_ALLOW", architectures=(name,)), str(tmp_path))
    assert str(caught.value) == f"linux.seccomp.architectures[0]: {text}"
