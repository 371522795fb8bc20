"""inject/cdi.py and cdi_spec.py: the Container Device Interface, SPEC.md 1.1.0."""

from __future__ import annotations

from typing import Any

import pytest

from slinger.errors import ConfigError
from slinger.inject.cdi import HostNode, Request, asked_for, find_devices, host_paths, inject_devices
from slinger.inject.cdi_spec import VERSIONS, CdiSpec, parse_spec
from slinger.inject.draft import Injected
from slinger.spec.config import Device, DeviceRule, Hook, IntelRdt, Mount, NetDevice
from tests.unit.documents import parsed

FILE = "/etc/cdi/x.json"
ENV: dict[str, Any] = {"env": ["A=b"]}


def spec(file: str = FILE, priority: int = 0, **changes: Any) -> CdiSpec:
    """A file with one device, dev, and members changed; None takes one away."""
    members: dict[str, Any] = {
        "cdiVersion": "1.1.0",
        "kind": "vendor.com/gpu",
        "devices": [{"name": "dev", "containerEdits": ENV}],
        **changes,
    }
    return parse_spec(file, priority, {name: value for name, value in members.items() if value is not None})


def with_edits(edits: Any, **changes: Any) -> CdiSpec:
    """A file whose device has these edits."""
    return spec(devices=[{"name": "dev", "containerEdits": edits}], **changes)


def injected(
    edits: dict[str, Any], *changes: tuple[str, object], nodes: dict[str, HostNode] | None = None, **more: Any
) -> Injected:
    """The minimal configuration with these changes and the edits of one device."""
    found = find_devices((Request("vendor.com/gpu=dev", "--cdi-device"),), (with_edits(edits, **more),), ())
    return inject_devices(parsed(*changes), found, nodes or {})


DEVICE_NAME = "letters, digits and _-.:, from a letter or digit to a letter or digit"
NULL = HostNode("c", 1, 3, 0o666)


def test_variables_replace_those_of_the_same_name() -> None:
    """In their place; others come behind."""
    result = injected({"env": ["B=2", "C=3"]}, ("process.env", ["A=1", "B=1"]))
    assert result.config.process is not None
    assert result.config.process.env == ("A=1", "B=2", "C=3")
    assert [(each.target, each.source.at) for each in result.added] == [
        ("process.env[1]", "devices[0].containerEdits.env[0]"),
        ("process.env[2]", "devices[0].containerEdits.env[1]"),
    ]
    assert result.added[0].source.why == "--cdi-device: vendor.com/gpu=dev"


def test_a_device_node_is_as_the_host_has_it() -> None:
    """Of its own or of hostPath; with a rule that gives all access."""
    edits = {"deviceNodes": [{"path": "/dev/null"}, {"path": "/dev/other", "hostPath": "/dev/x", "permissions": "r"}]}
    result = injected(edits, nodes={"/dev/null": NULL, "/dev/x": HostNode("b", 7, 9, 0o600)})
    assert result.config.linux.devices == (
        Device("c", "/dev/null", 1, 3, 0o666, None, None),
        Device("b", "/dev/other", 7, 9, 0o600, None, None),
    )
    assert result.config.linux.resources is not None
    assert result.config.linux.resources.devices == (
        DeviceRule(True, "c", 1, 3, "rwm"),
        DeviceRule(True, "b", 7, 9, "r"),
    )


def test_a_device_node_that_is_described_need_not_be_there() -> None:
    """It replaces one of the same path, belongs to the program's user, and a FIFO needs no numbers and no rule."""
    nodes = [
        {"path": "/dev/a", "type": "c", "major": 5, "minor": 6, "fileMode": 0o644, "permissions": "none"},
        {"path": "/dev/b", "type": "p", "uid": 7, "gid": 0},
    ]
    before: tuple[tuple[str, object], ...] = (
        ("process.user", {"uid": 1000, "gid": 100}),
        ("linux.devices", [{"path": "/dev/a", "type": "p"}, {"path": "/dev/z", "type": "p"}]),
    )
    result = injected({"deviceNodes": nodes}, *before)
    assert result.config.linux.devices == (
        Device("p", "/dev/z"),
        Device("c", "/dev/a", 5, 6, 0o644, 1000, 100),
        Device("p", "/dev/b", 0, 0, None, 7, 0),
    )
    assert result.config.linux.resources is None


def test_in_a_user_namespace_a_node_of_another_name_is_bound() -> None:
    """It cannot be made there, and linux.devices has no word for the host's path."""
    namespaces = [{"type": "user"}, {"type": "mount"}]
    nodes = [{"path": "/dev/a", "hostPath": "/dev/null"}, {"path": "/dev/null"}]
    result = injected({"deviceNodes": nodes}, ("linux.namespaces", namespaces), nodes={"/dev/null": NULL})
    assert result.config.mounts[-1] == Mount("/dev/a", "bind", "/dev/null", ("bind", "nosuid", "noexec"))
    assert result.config.linux.devices == (Device("c", "/dev/null", 1, 3, 0o666),)
    assert [each.target for each in result.added] == [
        *("mounts[1]", "linux.devices[0]", "linux.resources.devices[0]", "linux.resources.devices[1]")
    ]


def test_a_mount_comes_where_it_can_be_seen() -> None:
    """Below those that lie in it and above what it lies in; the order of the others is the configuration's."""
    mounts = [{"destination": path, "type": "tmpfs", "source": "x"} for path in ("/a", "/a/b/c", "/z", "/q/r")]
    edits = {
        "mounts": [
            {"hostPath": "/h", "containerPath": "/a/b"},
            {"hostPath": "/h", "containerPath": "/q/", "type": "bind", "options": ["ro"]},
            {"hostPath": "/new", "containerPath": "//z/"},
            {"hostPath": "/h", "containerPath": "/z/y"},
        ]
    }
    result = injected(edits, ("mounts", mounts))
    assert [each.destination for each in result.config.mounts] == [
        "/a",
        "/a/b",
        "/a/b/c",
        "/q/",
        "/q/r",
        "//z/",
        "/z/y",
    ]
    assert result.config.mounts[3] == Mount("/q/", "bind", "/h", ("ro",))
    assert [each.target for each in result.added] == ["mounts[1]", "mounts[3]", "mounts[5]", "mounts[6]"]


def test_hooks_net_devices_groups_and_rdt() -> None:
    """Each where runtime-spec has it; group 0 and one that is there already add nothing."""
    edits = {
        "hooks": [{"hookName": "createContainer", "path": "/bin/ctk", "args": ["ctk", "x"], "env": [], "timeout": 2}],
        "netDevices": [{"hostInterfaceName": "eth7", "name": "eth0"}],
        "additionalGids": [0, 5, 6, 6],
        "additionalGIDs": [7],
        "intelRdt": {"closID": "c", "schemata": ["L3:0=f"], "enableMonitoring": True},
    }
    result = injected(edits, ("process.user.additionalGids", [5]), ("linux.netDevices", {"eth7": {"name": "x"}}))
    config = result.config
    assert config.hooks.of("createContainer") == (Hook("/bin/ctk", ("ctk", "x"), (), 2),)
    assert config.linux.net_devices == (NetDevice("eth7", "eth0"),)
    assert config.process is not None
    assert config.process.user.additional_gids == (5, 6, 7)
    assert config.linux.intel_rdt == IntelRdt("c", ("L3:0=f",), "", "", True)
    assert [each.target for each in result.added] == [
        *("hooks.createContainer[0]", "process.user.additionalGids[1]", "process.user.additionalGids[2]"),
        *('linux.netDevices["eth7"]', "linux.intelRdt"),
    ]


def test_monitoring_of_old_specifications_is_understood() -> None:
    """Up to 1.0.0 there were two switches for it."""
    rdt = injected({"intelRdt": {"enableCMT": True}}, cdiVersion="0.7.0").config.linux.intel_rdt
    assert rdt == IntelRdt(enable_monitoring=True)


def test_the_edits_of_a_file_come_once_and_before_those_of_its_devices() -> None:
    """In the order in which devices are asked for."""
    devices = [{"name": name, "containerEdits": {"env": [f"LAST={name}", f"{name}=1"]}} for name in ("a", "b")]
    one = spec(devices=devices, containerEdits={"env": ["ALL=1", "LAST=file"]})
    other = spec("/etc/cdi/y.json", kind="vendor.com/nic", containerEdits={"env": ["NIC=1"]})
    requests = asked_for(("vendor.com/gpu=b", "vendor.com/nic=dev", "vendor.com/gpu=a", "vendor.com/gpu=b"), ())
    result = inject_devices(parsed(), find_devices(requests, (one, other), ()), {})
    assert result.config.process is not None
    assert result.config.process.env == ("ALL=1", "LAST=a", "b=1", "NIC=1", "A=b", "a=1")


def test_annotations_ask_for_devices_too() -> None:
    """Behind the options, by the order of their names; each device once."""
    notes = (("cdi.k8s.io/z", "v.com/c=2"), ("cdi.k8s.io/a_b", "v.com/c=1,v.com/c=3"), ("cdi", "no"))
    assert asked_for(("v.com/c=3",), notes) == (
        Request("v.com/c=3", "--cdi-device"),
        Request("v.com/c=1", 'annotations["cdi.k8s.io/a_b"]'),
        Request("v.com/c=2", 'annotations["cdi.k8s.io/z"]'),
    )


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("gpu", 'expected vendor.com/class=device, got "gpu"'),
        ("v.com=0", 'expected vendor.com/class=device, got "v.com=0"'),
        ("/c=0", '"" is no vendor: letters, digits and _-., from a letter to a letter or digit'),
        ("v.com/c=", f'"" is no device name: {DEVICE_NAME}'),
        ("v.com/0c=x", '"0c" is no class: letters, digits and _-., from a letter to a letter or digit'),
    ],
)
def test_what_is_no_qualified_name_is_refused(name: str, why: str) -> None:
    """By an option or an annotation, which is named."""
    for options, notes, by in (
        ((name,), (), "--cdi-device"),
        ((), (("cdi.k8s.io/a", name),), 'annotations["cdi.k8s.io/a"]'),
    ):
        with pytest.raises(ConfigError) as caught:
            asked_for(options, notes)
        assert str(caught.value) == f"{by}: {why}"


def test_the_directory_of_higher_priority_counts() -> None:
    """Two of the same are a conflict, but not where a higher one has the device."""
    low, twin, high = spec("/etc/cdi/a.json"), spec("/etc/cdi/b.json"), spec("/run/cdi/c.json", 1)
    request = (Request("vendor.com/gpu=dev", "--cdi-device"),)
    (found,) = find_devices(request, (low, twin, high), ())
    assert found.spec is high
    with pytest.raises(ConfigError) as caught:
        find_devices(request, (low, twin), ())
    assert str(caught.value) == (
        "--cdi-device: the CDI device vendor.com/gpu=dev is in /etc/cdi/a.json and /etc/cdi/b.json "
        "(only one of them may have it)"
    )


@pytest.mark.parametrize(
    ("specs", "faults", "hint"),
    [
        ((), (), "there is no CDI specification"),
        ((spec(),), (), "there are vendor.com/gpu=dev"),
        ((spec(), spec(kind="other.com/nic")), (), "there are vendor.com/gpu=dev"),
        ((spec(kind="other.com/nic"),), (), "there are other.com/nic=dev"),
        ((spec(),), ("/etc/cdi/bad.json: kind: x",), "not read: /etc/cdi/bad.json: kind: x"),
    ],
)
def test_a_device_that_nobody_has_is_refused(specs: tuple[CdiSpec, ...], faults: tuple[str, ...], hint: str) -> None:
    """With what there is, or what is wrong with the files that might have it."""
    with pytest.raises(ConfigError) as caught:
        find_devices((Request("vendor.com/gpu=no", "--cdi-device"),), specs, faults)
    assert str(caught.value) == f"--cdi-device: no CDI device vendor.com/gpu=no ({hint})"


@pytest.mark.parametrize(
    ("node", "nodes", "why"),
    [
        (
            {"path": "/dev/x"},
            {},
            ": /dev/x: no such device node on the host (or give its type, major and minor)",
        ),
        (
            {"path": "/dev/x", "hostPath": "/dev/y", "type": "c"},
            {},
            ": /dev/y: no such device node on the host (or give its type, major and minor)",
        ),
        ({"path": "/dev/null", "type": "b"}, {"/dev/null": NULL}, ".type: /dev/null is of type c, not b"),
    ],
)
def test_a_node_that_cannot_be_found_out_is_refused(node: dict[str, Any], nodes: dict[str, HostNode], why: str) -> None:
    """With file and place."""
    with pytest.raises(ConfigError) as caught:
        injected({"deviceNodes": [node]}, nodes=nodes)
    assert str(caught.value) == f"{FILE}: devices[0].containerEdits.deviceNodes[0]{why}"


def test_the_nodes_to_be_looked_at_are_those_of_all_edits() -> None:
    """Each once."""
    devices = [{"name": "dev", "containerEdits": {"deviceNodes": [{"path": "/a", "hostPath": "/b"}, {"path": "/c"}]}}]
    found = find_devices(
        (Request("vendor.com/gpu=dev", "x"),),
        (spec(devices=devices, containerEdits={"deviceNodes": [{"path": "/c"}]}),),
        (),
    )
    assert host_paths(found) == ("/c", "/b")


def test_without_a_process_its_environment_cannot_be_changed() -> None:
    """Such a container can be created all the same."""
    with pytest.raises(ConfigError) as caught:
        injected(ENV, ("process", ...))
    assert str(caught.value) == f"process: missing, and {FILE} changes it (devices[0].containerEdits.env[0])"


HOOK: dict[str, Any] = {"hookName": "prestart", "path": "/x"}
DEVICE = "devices[0].containerEdits"


BAD_EDITS: list[tuple[Any, str]] = [
    ({}, f"{DEVICE}: must not be empty"),
    ([], f"{DEVICE}: expected an object, got an array"),
    ({"Env": ["A=b"]}, f"{DEVICE}.Env: unknown property (did you mean env?)"),
    ({"env": ["A"]}, f'{DEVICE}.env[0]: expected NAME=VALUE, got "A"'),
    ({"env": ["=A"]}, f'{DEVICE}.env[0]: empty variable name in "=A"'),
    ({"deviceNodes": [{}]}, f"{DEVICE}.deviceNodes[0].path: required property is missing"),
    (
        {"deviceNodes": [{"path": "dev/x"}]},
        f'{DEVICE}.deviceNodes[0].path: must be an absolute path, got "dev/x"',
    ),
    (
        {"deviceNodes": [{"path": "/x", "type": "x"}]},
        f'{DEVICE}.deviceNodes[0].type: expected one of b, c, u, p, got "x"',
    ),
    (
        {"deviceNodes": [{"path": "/x", "permissions": "rx"}]},
        f'{DEVICE}.deviceNodes[0].permissions: expected letters of rwm, got "rx"',
    ),
    (
        {"deviceNodes": [{"path": "/x", "fileMode": "0666"}]},
        f'{DEVICE}.deviceNodes[0].fileMode: expected an integer, got "0666"',
    ),
    ({"mounts": [{"hostPath": "/x"}]}, f"{DEVICE}.mounts[0].containerPath: required property is missing"),
    (
        {"mounts": [{"hostPath": "", "containerPath": "/x"}]},
        f"{DEVICE}.mounts[0].hostPath: must not be empty",
    ),
    ({"hooks": [{"path": "/x"}]}, f"{DEVICE}.hooks[0].hookName: required property is missing"),
    (
        {"hooks": [{**HOOK, "hookName": "createcontainer"}]},
        f'{DEVICE}.hooks[0].hookName: no such stage: "createcontainer" (did you mean "createContainer"?)',
    ),
    ({"hooks": [{**HOOK, "path": "x"}]}, f'{DEVICE}.hooks[0].path: must be an absolute path, got "x"'),
    ({"hooks": [{**HOOK, "timeout": -1}]}, f"{DEVICE}.hooks[0].timeout: must be at least 1 second, got -1"),
    ({"netDevices": [{"name": "a"}]}, f"{DEVICE}.netDevices[0].hostInterfaceName: required property is missing"),
    (
        {"netDevices": [{"hostInterfaceName": "a", "name": "n"}, {"hostInterfaceName": "b", "name": "n"}]},
        f'{DEVICE}.netDevices[1].name: "n" is there twice',
    ),
    ({"additionalGids": [-1]}, f"{DEVICE}.additionalGids[0]: expected an integer from 0 to 4294967295, got -1"),
    ({"intelRdt": {"closID": "a/b"}}, f'{DEVICE}.intelRdt.closID: must be the name of a directory, got "a/b"'),
    ({"intelRdt": {"closID": ".."}}, f'{DEVICE}.intelRdt.closID: must be the name of a directory, got ".."'),
    ({"intelRdt": {"closid": "x"}}, f"{DEVICE}.intelRdt.closid: unknown property (did you mean closID?)"),
]


@pytest.mark.parametrize(("edits", "why"), BAD_EDITS)
def test_bad_edits_are_named_with_file_and_place(edits: Any, why: str) -> None:
    """As in the reference what is not known is an error."""
    with pytest.raises(ConfigError) as caught:
        with_edits(edits)
    assert str(caught.value) == f"{FILE}: {why}"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"cdiVersion": None}, "cdiVersion: required property is missing"),
        (
            {"cdiVersion": "2.0.0"},
            f'cdiVersion: expected one of {", ".join(VERSIONS)}, got "2.0.0"',
        ),
        ({"kind": "gpu"}, 'kind: expected vendor.com/class, got "gpu"'),
        ({"kind": "v.com/"}, 'kind: "" is no class: letters, digits and _-., from a letter to a letter or digit'),
        ({"devices": None}, "devices: required property is missing"),
        ({"devices": []}, "devices: must have at least one entry"),
        ({"devices": [{"name": "x"}]}, "devices[0].containerEdits: required property is missing"),
        (
            {"devices": [{"name": "x", "containerEdits": ENV}, {"name": "x", "containerEdits": ENV}]},
            'devices[1].name: "x" is the name of devices[0]',
        ),
        (
            {"devices": [{"name": "-x", "containerEdits": ENV}]},
            f'devices[0].name: "-x" is no device name: {DEVICE_NAME}',
        ),
        ({"device": []}, "device: unknown property (did you mean devices?)"),
        ({"annotations": {"a": 1}}, 'annotations["a"]: expected a string, got 1'),
    ],
)
def test_a_bad_file_is_named_with_the_place_in_it(changes: dict[str, Any], why: str) -> None:
    """And a file without a device is of no use."""
    with pytest.raises(ConfigError) as caught:
        spec(**changes)
    assert str(caught.value) == f"{FILE}: {why}"


RDT: dict[str, Any] = {"closID": "x"}


@pytest.mark.parametrize(
    ("version", "needed", "at", "changes"),
    [
        ("0.3.0", "0.4.0", ".mounts[0].type", {"mounts": [{"hostPath": "/", "containerPath": "/x", "type": "bind"}]}),
        ("0.4.0", "0.5.0", ".deviceNodes[0].hostPath", {"deviceNodes": [{"path": "/x", "hostPath": "/y"}]}),
        ("0.6.0", "0.7.0", ".intelRdt", {"intelRdt": RDT}),
        ("0.6.0", "0.7.0", ".additionalGids", {"additionalGids": [5]}),
        ("1.0.0", "1.1.0", ".intelRdt.schemata", {"intelRdt": {"schemata": ["L3:0=f"]}}),
        ("1.0.0", "1.1.0", ".intelRdt.enableMonitoring", {"intelRdt": {"enableMonitoring": True}}),
        ("1.0.0", "1.1.0", ".netDevices[0]", {"netDevices": [{"hostInterfaceName": "a", "name": "b"}]}),
    ],
)
def test_what_came_with_a_later_version_is_refused(version: str, needed: str, at: str, changes: dict[str, Any]) -> None:
    """In the version that it came with it is fine."""
    with pytest.raises(ConfigError) as caught:
        with_edits(changes, cdiVersion=version)
    assert str(caught.value) == f"{FILE}: {DEVICE}{at}: needs cdiVersion {needed} or later, the file says {version}"
    with_edits(changes, cdiVersion=f"v{needed}")


@pytest.mark.parametrize(
    ("version", "needed", "at", "changes"),
    [
        ("0.4.0", "0.5.0", "devices[0].name", {"devices": [{"name": "0", "containerEdits": ENV}]}),
        ("0.5.0", "0.6.0", "annotations", {"annotations": {"a": "b"}}),
        ("0.5.0", "0.6.0", "kind", {"kind": "v.com/a.b"}),
    ],
)
def test_names_and_annotations_have_versions_too(version: str, needed: str, at: str, changes: dict[str, Any]) -> None:
    """Of the file and of a device."""
    with pytest.raises(ConfigError) as caught:
        spec(cdiVersion=version, **changes)
    assert str(caught.value) == f"{FILE}: {at}: needs cdiVersion {needed} or later, the file says {version}"
    spec(cdiVersion=needed, **changes)
