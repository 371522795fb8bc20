"""A network namespace that is the host's for the command: nothing of the machine's own network is touched.

Rule of the file: all goes by ip and nsenter, which share no code with what is tested.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bundles import Bundle
from tests.integration.box import Box, wait_for
from tests.peers.case import MAPPED_OWNER


@dataclass(frozen=True)
class Net:
    """A network namespace by a path of /proc."""

    path: str

    def run(self, *words: str) -> str:
        """A command in it, which must succeed: what it prints."""
        command = ["nsenter", f"--net={self.path}", *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def ip(self, line: str) -> None:
        """What follows on ip in a line of a shell."""
        self.run("ip", *line.split())

    def veth(self, name: str, peer: str) -> None:
        """A pair of devices, both up."""
        self.ip(f"link add {name} type veth peer name {peer}")
        self.ip(f"link set {name} up")
        self.ip(f"link set {peer} up")

    def links(self) -> dict[str, dict[str, Any]]:
        """The devices by name, as ip shows them with their addresses; all but the loopback device."""
        rows = json.loads(self.run("ip", "-json", "-details", "address", "show"))
        return {row["ifname"]: row for row in rows if row.get("ifname", "lo") != "lo"}

    def addresses(self, name: str) -> list[str]:
        """The global addresses of a device with their lengths, as ip shows them."""
        rows = self.links()[name]["addr_info"]
        return [f"{row['local']}/{row['prefixlen']}" for row in rows if row["scope"] == "global"]

    def is_up(self, name: str) -> bool:
        """Whether somebody has set the device up."""
        return "UP" in self.links()[name]["flags"]


@contextmanager
def new_net(*options: str) -> Generator[Net]:
    """A new namespace, kept by a process; gone with all its devices afterwards. ``options`` of unshare(1)."""
    own = os.readlink("/proc/self/ns/net")
    with subprocess.Popen(["unshare", *options, "--net", "sleep", "infinity"]) as keeper:
        net = Net(f"/proc/{keeper.pid}/ns/net")
        try:
            wait_for(lambda: os.readlink(net.path) != own, "the network namespace")
            yield net
        finally:
            keeper.kill()


class FarBox(Box):
    """A box whose command is called in another network namespace, the host's as the command sees it."""

    def __init__(self, program: str, root: Path, bundle: Bundle, host: Net) -> None:
        super().__init__(program, root, bundle)
        self.host = host

    def command(self, *arguments: str) -> list[str]:
        """The words of a call, there."""
        return ["nsenter", f"--net={self.host.path}", *super().command(*arguments)]

    def net(self) -> Net:
        """The container's namespace."""
        return Net(f"/proc/{self.pid()}/ns/net")

    def open_to_mapped_root(self) -> None:
        """Let root of a user namespace reach the root file system, and own it."""
        for path in self.directory.parents:
            if not path.stat().st_mode & 0o001:
                path.chmod(path.stat().st_mode | 0o011)
        for path in (self.bundle.rootfs, *self.bundle.rootfs.rglob("*")):
            os.chown(path, MAPPED_OWNER, MAPPED_OWNER, follow_symlinks=False)

    def devices(self, devices: Mapping[str, Mapping[str, str]], **changes: Any) -> None:
        """Configure linux.netDevices, and what else is given (``hooks=...``)."""
        self.configure({"linux.netDevices": {name: dict(each) for name, each in devices.items()}, **changes})
