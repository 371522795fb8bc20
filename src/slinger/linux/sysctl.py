"""Names of kernel parameters, as sysctl(8) and sysctl.d(5) write them."""

from __future__ import annotations

_SWAP = str.maketrans("./", "/.")


def path_of(name: str) -> str:
    """The path below /proc/sys of a parameter; "" for a name that means none.

    The first separator decides: after a dot, dots separate (``net.ipv4.conf.eth0/1.forwarding`` is the
    interface ``eth0.1``); after a slash, slashes do. Empty parts, ``.`` and ``..`` are refused, because the
    path must not leave the directory that the name was judged by.
    """
    dot, slash = name.find("."), name.find("/")
    path = name.translate(_SWAP) if dot >= 0 and (slash < 0 or dot < slash) else name
    return "" if any(part in {"", ".", ".."} for part in path.split("/")) else path
