"""A container's own network has an lo that is up: a program may listen on 127.0.0.1 without anybody's help."""

from __future__ import annotations

from tests.bundles import mapping
from tests.integration.box import Box
from tests.requires import requires

pytestmark = requires("root")


def lo(box: Box) -> tuple[bool, object]:
    """Whether it has its address inside, and the state that the kernel gives."""
    files = mapping(box.report("--file", "/proc/net/fib_trie", "--file", "/sys/class/net/lo/operstate")["files"])
    return "127.0.0.1" in str(files["/proc/net/fib_trie"]), files["/sys/class/net/lo/operstate"]


def test_lo_is_up_in_a_new_network_namespace(box: Box) -> None:
    """The kernel tells "unknown" of an lo that is up, and "down" of one that is not."""
    assert lo(box) == (True, "unknown")


def test_lo_is_up_in_the_network_namespace_of_a_user_namespace(mapped: Box) -> None:
    """Which is not ours to configure from outside by then."""
    assert lo(mapped) == (True, "unknown")
