"""linux.netDevices: devices of the host move into the container, and stay where they were if it cannot be created."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.bundles import Json, base_config, make_bundle, mount
from tests.integration.box import Box, processes_with, wait_for
from tests.integration.far_net import FarBox, Net, new_net
from tests.peers.case import MAPPED_OWNER
from tests.requires import requires

pytestmark = requires("root", "ip", "unshare")

SLEEP: Final = "66.9154"
FAILS: Final[dict[str, Json]] = {"createContainer": [{"path": "/bin/false"}]}
MAPPED: Final[Json] = [{"containerID": 0, "hostID": MAPPED_OWNER, "size": 1000}]
MAPS: Final[dict[str, Json]] = {"linux.uidMappings": MAPPED, "linux.gidMappings": MAPPED}
KINDS: Final = ("mount", "pid", "uts", "ipc")


@pytest.fixture
def box(slinger: str, tmp_path: Path, tmp_root: Path) -> Iterator[FarBox]:
    """A box of which nothing is left, in a host with a pair of devices: dev0, peer0."""
    with new_net() as host:
        host.veth("dev0", "peer0")
        box = FarBox(slinger, tmp_root, make_bundle(tmp_path / "bundle", base_config()), host)
        yield box
        done = box.call("delete", "--force", box.id)
    assert (done.status, done.stderr, box.left()) == (0, "", [])


def namespaces(path: str = "", *more: str) -> list[Json]:
    """The usual ones and a network namespace, new or joined."""
    network: dict[str, Json] = {"type": "network", "path": path} if path else {"type": "network"}
    return [*({"type": kind} for kind in (*KINDS, *more)), network]


def add(host: Net, *addresses: str) -> None:
    """Addresses for dev0, in the words of ip-address(8)."""
    for address in addresses:
        host.ip(f"address add {address} dev dev0")


@pytest.mark.spec(
    "config-linux.md#network-devices/present",
    "config-linux.md#network-devices/attributes",
    "config-linux.md#network-devices/up",
)
def test_a_device_moves_with_its_permanent_global_addresses_and_is_set_up(box: FarBox) -> None:
    """Of both families, as they were; those of another scope, or for a time, do not go along."""
    add(box.host, "10.9.0.1/24 brd 10.9.0.255", "10.9.0.7/24", "10.9.1.1 peer 10.9.1.2/32 metric 77")
    add(box.host, "fd00:9::1/64", "fd00:9::7/128 nodad", "169.254.3.4/16 scope link")
    add(box.host, "10.9.5.1/24 valid_lft 900 preferred_lft 900", "fd00:5::1/64 valid_lft 900 preferred_lft 900")
    box.devices({"dev0": {"name": "net1"}})
    box.create()
    assert (sorted(box.host.links()), sorted(box.net().links())) == (["peer0"], ["net1"])
    device = box.net().links()["net1"]
    assert "UP" in device["flags"]
    rows = [row for row in device["addr_info"] if row["scope"] != "link" or row["family"] == "inet"]
    kept = ("local", "prefixlen", "address", "broadcast", "metric", "nodad", "label")
    shown = [{name: row[name] for name in kept if name in row} for row in rows]
    assert [row for row in shown if ":" in row["local"]] == [
        {"local": "fd00:9::7", "prefixlen": 128, "nodad": True},
        {"local": "fd00:9::1", "prefixlen": 64},
    ]
    assert [row for row in shown if ":" not in row["local"]] == [
        {"local": "10.9.0.1", "prefixlen": 24, "broadcast": "10.9.0.255", "label": "net1"},
        {"local": "10.9.1.1", "prefixlen": 32, "address": "10.9.1.2", "metric": 77, "label": "net1"},
        {"local": "10.9.0.7", "prefixlen": 24, "label": "net1"},
    ]


@pytest.mark.spec("config-linux.md#network-devices/attributes", "config-linux.md#network-devices/up")
def test_a_device_keeps_its_name_mtu_and_hardware_address(box: FarBox) -> None:
    """And is set up although it was down on the host. A label of an address follows the name."""
    box.host.ip("link set dev0 down mtu 1402 address 02:00:00:00:00:77")
    add(box.host, "10.9.0.1/24 label dev0:a")
    box.devices({"dev0": {}})
    box.create()
    device = box.net().links()["dev0"]
    assert (device["mtu"], device["address"], "UP" in device["flags"]) == (1402, "02:00:00:00:00:77", True)
    assert device["addr_info"][0]["label"] == "dev0:a"


def test_labels_follow_the_name(box: FarBox) -> None:
    """What comes after the colon is kept, as long as there is room."""
    add(box.host, "10.9.0.1/24 label dev0:a", "10.9.0.2/32 label dev0:0123456")
    box.devices({"dev0": {"name": "internal0"}})
    box.create()
    labels = {row["local"]: row["label"] for row in box.net().links()["internal0"]["addr_info"] if "label" in row}
    assert labels == {"10.9.0.1": "internal0:a", "10.9.0.2": "internal0"}


def test_other_kinds_of_devices_move_too(box: FarBox) -> None:
    """A macvlan, whose lower device stays; two at once, that swap their names."""
    box.host.ip("link add link dev0 name mac0 type macvlan mode bridge")
    box.host.veth("dev1", "peer1")
    add(box.host, "10.9.0.1/24")
    box.devices({"mac0": {}, "dev0": {"name": "dev1"}, "dev1": {"name": "dev0"}})
    box.create()
    assert sorted(box.host.links()) == ["peer0", "peer1"]
    inside = box.net()
    assert sorted(inside.links()) == ["dev0", "dev1", "mac0"]
    assert all(inside.is_up(name) for name in ("dev0", "dev1", "mac0"))
    assert inside.addresses("dev1") == ["10.9.0.1/24"]


def test_packets_get_through(box: FarBox) -> None:
    """The other end of the pair answers, from the host."""
    add(box.host, "10.9.0.1/24")
    box.host.ip("address add 10.9.0.2/24 dev peer0")
    box.devices({"dev0": {"name": "eth0"}})
    box.create()
    assert "10.9.0.1" in box.net().run("ip", "route", "get", "10.9.0.2")
    script = "import socket; s = socket.create_server(('10.9.0.1', 7)); print(s.accept()[0].recv(2))"
    command = ["nsenter", f"--net={box.net().path}", sys.executable, "-c", script]
    send = "import socket; socket.create_connection(('10.9.0.1', 7)).send(b'hi')"
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        wait_for(lambda: ":0007 " in box.net().run("cat", "/proc/net/tcp"), "the server")
        box.host.run(sys.executable, "-c", send)
        assert server.communicate(timeout=10)[0] == "b'hi'\n"


@pytest.mark.parametrize("more", [(), ("user",)])
@pytest.mark.spec(
    "config-linux.md#network-devices/present",
    "config-linux.md#network-devices/not-managed",
    "config-linux.md#network-devices/not-moved-back",
)
def test_a_device_moves_into_a_joined_namespace_and_stays_there(box: FarBox, more: tuple[str, ...]) -> None:
    """Whoever owns the namespace owns the device: delete leaves it. The container may have its own user namespace."""
    with new_net() as joined:
        # A sysfs of its own takes a network namespace of its own.
        maps: dict[str, Json] = {**MAPS, "mounts": [mount("/proc", "proc", "proc")]} if more else {}
        box.open_to_mapped_root()
        add(box.host, "10.9.0.1/24", "fd00:9::1/64")
        box.devices({"dev0": {"name": "net1"}}, **{"linux.namespaces": namespaces(joined.path, *more), **maps})
        box.create()
        assert box.net().addresses("net1") == ["10.9.0.1/24", "fd00:9::1/64"]
        box.start()
        box.succeed("delete", "--force", box.id)
        assert (sorted(joined.links()), joined.is_up("net1")) == (["net1"], True)
        assert joined.addresses("net1") == ["10.9.0.1/24", "fd00:9::1/64"]
        assert sorted(box.host.links()) == ["peer0"]


def test_a_device_moves_into_the_namespace_of_a_new_user_namespace(box: FarBox) -> None:
    """The network namespace is the container's root's: the device is there, and the container may change it."""
    add(box.host, "10.9.0.1/24", "fd00:9::1/64")
    box.open_to_mapped_root()
    box.devices({"dev0": {"name": "net1"}}, **{"linux.namespaces": namespaces("", "user"), **MAPS})
    box.create()
    assert box.net().addresses("net1") == ["10.9.0.1/24", "fd00:9::1/64"]
    assert box.net().is_up("net1")
    enter = ["nsenter", f"--target={box.pid()}", "--user", "--net", "ip", "link", "set", "net1", "mtu", "1300"]
    subprocess.run(enter, check=True)
    assert box.net().links()["net1"]["mtu"] == 1300


def test_a_device_moves_into_a_network_namespace_joined_with_its_user_namespace(box: FarBox) -> None:
    """Both are of another container: the socket is opened before the privilege over the host goes."""
    with new_net("--user") as joined:
        own = joined.path.removesuffix("net") + "user"
        for name in ("uid_map", "gid_map"):
            Path(joined.path).parents[1].joinpath(name).write_text("0 0 1000\n")
        listed = [*namespaces(joined.path), {"type": "user", "path": own}]
        add(box.host, "10.9.0.1/24")
        box.devices({"dev0": {}}, mounts=[mount("/proc", "proc", "proc")], **{"linux.namespaces": listed})
        box.create()
        assert (sorted(joined.links()), joined.addresses("dev0")) == (["dev0"], ["10.9.0.1/24"])


@pytest.mark.spec("config-linux.md#network-devices/template")
def test_a_template_takes_the_next_free_name(box: FarBox) -> None:
    """%d is the kernel's to fill in, and what is there already is left alone."""
    with new_net() as joined:
        joined.veth("eth0", "other")
        box.host.veth("eth0", "peer1")
        add(box.host, "10.9.0.1/24 label dev0:a")
        both = {name: {"name": "eth%d"} for name in ("dev0", "eth0")}
        box.devices(both, **{"linux.namespaces": namespaces(joined.path)})
        box.create()
        assert sorted(joined.links()) == ["eth0", "eth1", "eth2", "other"]
        assert joined.addresses("eth1") == ["10.9.0.1/24"]
        assert joined.links()["eth1"]["addr_info"][0]["label"] == "eth1:a"
        assert all(joined.is_up(name) for name in ("eth1", "eth2"))


def test_devices_are_there_before_the_createruntime_hooks(box: FarBox) -> None:
    """With address and state, as seen by a hook on the host that is told init's pid."""
    report = box.calls / "seen"
    script = (
        "pid=$(sed 's/.*\"pid\": *\\([0-9]*\\).*/\\1/'); "
        f"nsenter --target=$pid --net ip -brief address show dev net1 > {report}"
    )
    hook: Json = {"path": "/bin/sh", "args": ["sh", "-c", script]}
    add(box.host, "10.9.0.1/24")
    box.devices({"dev0": {"name": "net1"}}, hooks={"createRuntime": [hook]})
    box.create()
    name, state, address, *_ = report.read_text().split()
    assert (name.partition("@")[0], state, address) == ("net1", "UP", "10.9.0.1/24")


@pytest.mark.spec("config-linux.md#network-devices/not-moved-back")
def test_delete_leaves_a_device_to_the_kernel(box: FarBox) -> None:
    """The runtime MUST NOT move it out (config-linux.md): a virtual one ends with its namespace."""
    box.devices({"dev0": {}})
    box.create()
    box.start()
    box.succeed("delete", "--force", box.id)
    wait_for(lambda: box.host.links() == {}, "the end of the pair")


# ---- a create that fails


def test_a_create_that_fails_gives_the_host_its_devices_back(box: FarBox) -> None:
    """Under their names, with all their addresses, in their bridge, up or down as they were."""
    box.host.ip("link add bridge0 type bridge")
    box.host.ip("link set dev0 master bridge0")
    box.host.veth("dev1", "peer1")
    box.host.ip("link set dev1 down")
    add(box.host, "10.9.0.1/24 label dev0:a", "10.9.0.7/24", "169.254.3.4/16 scope link", "fd00:9::1/64")
    add(box.host, "10.9.5.1/24 valid_lft 9000 preferred_lft 8000")
    before = box.host.links()
    box.devices({"dev0": {"name": "net1"}, "dev1": {"name": "net%d"}}, hooks=FAILS)
    assert box.fail(*box.creating()) == "createContainer hook #0 (/bin/false): exit status 1"
    after = box.host.links()
    assert sorted(after) == ["bridge0", "dev0", "dev1", "peer0", "peer1"]
    assert (after["dev0"]["ifindex"], after["dev0"]["master"]) == (before["dev0"]["ifindex"], "bridge0")
    assert (box.host.is_up("dev0"), box.host.is_up("dev1")) == (True, False)
    rows = {row["local"]: row for row in after["dev0"]["addr_info"] if row["family"] == "inet"}
    assert sorted(rows) == ["10.9.0.1", "10.9.0.7", "10.9.5.1", "169.254.3.4"]
    assert (rows["10.9.0.1"]["label"], rows["169.254.3.4"]["scope"]) == ("dev0:a", "link")
    assert 8000 < rows["10.9.5.1"]["valid_life_time"] <= 9000
    assert box.host.addresses("dev0")[-1] == "fd00:9::1/64"
    assert not box.home.exists()


def test_a_create_that_fails_takes_a_device_out_of_a_joined_namespace(box: FarBox) -> None:
    """As if it had never been there; the host's eth0 and the other's do not come into each other's way."""
    with new_net() as joined:
        joined.veth("dev0", "other")
        box.host.veth("net1", "peer1")
        box.devices({"dev0": {"name": "net1"}}, hooks=FAILS, **{"linux.namespaces": namespaces(joined.path)})
        box.fail(*box.creating())
        assert sorted(joined.links()) == ["dev0", "other"]
        assert sorted(box.host.links()) == ["dev0", "net1", "peer0", "peer1"]


def test_a_signal_at_create_gives_the_device_back(box: FarBox) -> None:
    """While a createRuntime hook runs."""
    add(box.host, "10.9.0.1/24")
    hook: Json = {"path": str(box.bundle.payload), "args": ["payload", "sleep", SLEEP]}
    box.devices({"dev0": {"name": "net1"}}, hooks={"createRuntime": [hook]})
    process, name = box.launch(*box.creating())
    wait_for(lambda: len(processes_with(SLEEP)) == 1, "the hook")
    assert sorted(box.host.links()) == ["peer0"]
    process.terminate()
    Box.end_of(process, name)
    assert (box.host.addresses("dev0"), box.host.is_up("dev0")) == (["10.9.0.1/24"], True)


def test_a_create_that_is_killed_leaves_the_device_to_the_kernel(box: FarBox) -> None:
    """Nobody is there to move it back: a virtual one ends with the namespace, and the next create is told."""
    hook: Json = {"path": str(box.bundle.payload), "args": ["payload", "sleep", SLEEP]}
    box.devices({"dev0": {"name": "net1"}}, hooks={"createRuntime": [hook]})
    process, name = box.launch(*box.creating())
    wait_for(lambda: len(processes_with(SLEEP)) == 1, "the hook")
    process.kill()
    Box.end_of(process, name)
    wait_for(lambda: box.host.links() == {}, "the end of the pair")
    box.devices({"dev0": {"name": "net1"}})
    assert box.fail(*box.creating()) == 'linux.netDevices["dev0"]: the host has no such network device'


# ---- what is refused


@pytest.mark.spec("config-linux.md#network-devices/possible")
def test_a_device_that_is_missing_is_refused_by_name(box: FarBox) -> None:
    """Before anything is moved."""
    box.devices({"dev0": {}, "eth9": {}})
    assert box.fail(*box.creating()) == 'linux.netDevices["eth9"]: the host has no such network device'
    assert sorted(box.host.links()) == ["dev0", "peer0"]


@pytest.mark.spec("config-linux.md#network-devices/name-taken")
def test_a_name_that_is_taken_is_refused(box: FarBox) -> None:
    """Those moved before it are given back, and what has the name is left alone."""
    with new_net() as joined:
        joined.veth("net1", "other")
        box.host.veth("dev1", "peer1")
        add(box.host, "10.9.0.1/24")
        listed = {"linux.namespaces": namespaces(joined.path)}
        box.devices({"dev0": {}, "dev1": {"name": "net1"}}, **listed)
        assert box.fail(*box.creating()) == (
            'linux.netDevices["dev1"]: "net1" exists already in the container\'s network namespace '
            "(another name, or one that ends in %d)"
        )
        assert sorted(joined.links()) == ["net1", "other"]
        assert sorted(box.host.links()) == ["dev0", "dev1", "peer0", "peer1"]
        assert box.host.addresses("dev0") == ["10.9.0.1/24"]


@pytest.mark.spec("config-linux.md#network-devices/possible")
def test_a_device_that_cannot_move_is_refused_with_the_kernels_reason(box: FarBox) -> None:
    """The loopback device is its namespace's own."""
    box.devices({"lo": {"name": "lo1"}})
    said = box.fail(*box.creating())
    begin = 'linux.netDevices["lo"]: moving it into the container\'s network namespace: '
    assert said in {f"{begin}the interface netns is immutable", f"{begin}invalid argument"}


def test_an_address_that_the_container_cannot_have_is_an_error(box: FarBox) -> None:
    """A namespace without IPv6 takes the device, but not its address: the device goes back."""
    with new_net() as joined:
        joined.run("sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6")
        joined.run("sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6")
        add(box.host, "10.9.0.1/24", "fd00:9::1/64")
        box.devices({"dev0": {}}, **{"linux.namespaces": namespaces(joined.path)})
        said = box.fail(*box.creating())
        assert said.startswith('linux.netDevices["dev0"]: address fd00:9::1: ')
        assert (joined.links(), box.host.addresses("dev0")) == ({}, ["10.9.0.1/24", "fd00:9::1/64"])


def test_the_runtimes_own_network_namespace_is_refused(box: FarBox) -> None:
    """There is no container's namespace to move anything to."""
    box.devices({"dev0": {}}, **{"linux.namespaces": namespaces("/proc/self/ns/net")})
    assert box.fail(*box.creating()) == ("linux.netDevices: the network namespace that is joined is the runtime's own")


def test_a_program_with_an_event_loop_can_create_such_a_container(box: FarBox) -> None:
    """pyroute2 runs one of its own, which the caller's thread could not."""
    box.devices({"dev0": {"name": "net1"}})
    script = f"""
        import asyncio, os
        from slinger import Container

        async def main():
            null = os.open("/dev/null", os.O_RDWR)
            options = dict(root={str(box.root)!r}, supervise=False, stdio=(null, null, null))
            Container.create({box.id!r}, {str(box.directory)!r}, **options)

        asyncio.run(main())
    """
    box.host.run(sys.executable, "-c", textwrap.dedent(script))
    assert sorted(box.net().links()) == ["net1"]
