"""spec/default.py: what ``slinger spec`` writes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from slinger.spec.default import default_config
from slinger.spec.parse import parse_config
from slinger.spec.validate import validate


def written(*, rootless: tuple[int, int] | None = None, cgroup_v2: bool = True) -> Any:
    """The document as a value."""
    return json.loads(default_config(rootless=rootless, cgroup_v2=cgroup_v2))


@pytest.mark.parametrize("rootless", [None, (1000, 100)])
@pytest.mark.parametrize("cgroup_v2", [True, False])
def test_the_default_is_valid_for_its_caller(rootless: tuple[int, int] | None, *, cgroup_v2: bool) -> None:
    """Without a warning."""
    config, warnings = parse_config(default_config(rootless=rootless, cgroup_v2=cgroup_v2).encode())
    assert (warnings, validate(config, rootless=rootless is not None)) == ((), ())


def test_the_default_is_a_file_for_people() -> None:
    """Tabs, as in runc's, and a newline at the end."""
    text = default_config()
    assert text.startswith('{\n\t"ociVersion": "1.3.0",\n\t"process": {\n\t\t"terminal": true,\n\t\t"user": {\n')
    assert text.endswith("\n\t}\n}\n")


def test_the_default_grants_little() -> None:
    """Three capabilities, none inheritable or ambient; no new privileges; a read-only root."""
    document = written()
    names = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]
    process = document["process"]
    assert process["capabilities"] == {"bounding": names, "effective": names, "permitted": names}
    assert (process["noNewPrivileges"], document["root"]) == (True, {"path": "rootfs", "readonly": True})
    assert document["linux"]["resources"] == {"devices": [{"allow": False, "access": "rwm"}]}
    assert (document["hostname"], process["args"], process["cwd"]) == ("slinger", ["sh"], "/")


def test_there_is_a_cgroup_namespace_on_cgroup_v2() -> None:
    """As with runc."""
    kinds = [namespace["type"] for namespace in written()["linux"]["namespaces"]]
    assert kinds == ["pid", "network", "ipc", "uts", "mount", "cgroup"]
    assert [namespace["type"] for namespace in written(cgroup_v2=False)["linux"]["namespaces"]] == kinds[:-1]


def test_the_rootless_default_asks_for_nothing_privileged() -> None:
    """A user namespace with the caller's ids, the host's network and /sys, no group of devpts, no resources."""
    document = written(rootless=(1000, 100))
    linux = document["linux"]
    assert [namespace["type"] for namespace in linux["namespaces"]] == ["pid", "ipc", "uts", "mount", "cgroup", "user"]
    assert linux["uidMappings"] == [{"containerID": 0, "hostID": 1000, "size": 1}]
    assert linux["gidMappings"] == [{"containerID": 0, "hostID": 100, "size": 1}]
    assert "resources" not in linux
    mounts = {mount["destination"]: mount for mount in document["mounts"]}
    assert mounts["/sys"] == {
        "destination": "/sys",
        "type": "none",
        "source": "/sys",
        "options": ["rbind", "nosuid", "noexec", "nodev", "ro"],
    }
    assert mounts["/dev/pts"]["options"] == ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]


def test_mounts_are_in_the_order_in_which_they_are_made() -> None:
    """What lies below comes after."""
    destinations = ["/proc", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue", "/sys", "/sys/fs/cgroup"]
    for document in (written(), written(rootless=(1, 1))):
        assert [mount["destination"] for mount in document["mounts"]] == destinations
