"""Input that lies about its length, is too much, or is no name."""

from __future__ import annotations

import _socket
import fcntl
import json
import os
import struct
import subprocess
from pathlib import Path
from typing import Final

import pytest

from slinger.host.hands import SEALS, hands_path
from slinger.plan import ops
from slinger.plan.plan import Plan
from slinger.plan.wire import Failed, decode_message
from tests.bundles import Json, mapping
from tests.integration.box import INSIDE, Box
from tests.requires import requires

pytestmark = requires("root")

STRING: Final = "a string of a plan"
GOOD: Final = Plan((ops.Hostname("", by=ops.OUTER, name=STRING), ops.Exec("", args=("A", "B"))), 1).encode()
AT: Final = GOOD.index(STRING.encode()) - 4
LIST: Final = GOOD.index(b"A\0") - 8
LONG: Final = "/" + "n" * 70_000
OPS: Final = 8
SLOTS: Final = 12
PLACES: Final = {"ops": OPS, "slots": SLOTS, "string": AT, "list": LIST}
HUGE: Final = (0xFFFFFFFF, 0x7FFFFFFF, 0x80000000, 0x10000, 0x1000)


def refused(data: bytes) -> bool:
    """Whether the hands tell that this is no plan, and end as they do then: by no signal."""
    ours, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
    plan = os.memfd_create("plan", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.write(plan, data)
    fcntl.fcntl(plan, fcntl.F_ADD_SEALS, SEALS)
    numbers = (theirs.fileno(), plan)
    command = [hands_path(), str(numbers[0]), str(numbers[1]), "-1", "0", "detach"]
    done = subprocess.run(command, pass_fds=numbers, check=False, timeout=20, capture_output=True)
    theirs.close()
    os.close(plan)
    answer = ours.recv(4096)
    ours.close()
    message = decode_message(answer) if answer else None
    return done.returncode == 1 and isinstance(message, Failed) and message.syscall == "plan_read"


@pytest.mark.parametrize(
    ("place", "length"),
    # 65536 slots are allowed.
    [(place, length) for place in PLACES for length in HUGE if PLACES[place] != SLOTS or length > 0x10000],
)
def test_a_length_that_the_plan_does_not_have_is_refused(place: str, length: int) -> None:
    """CVE-2021-43784: every length is compared with what is there before anything is read."""
    at = PLACES[place]
    assert refused(GOOD[:at] + struct.pack("<I", length) + GOOD[at + 4 :])


def test_a_nul_in_a_string_of_a_plan_is_refused() -> None:
    """CVE-2021-43784: what was checked is what a system call sees."""
    assert refused(GOOD.replace(b"string", b"str\0ng"))


def test_long_values_arrive_whole(box: Box) -> None:
    """CVE-2021-43784: no length of ours has 16 bits: 70000 bytes and more are 70000 bytes."""
    words = ["x" * 70_000, "y" * 65_536, "z" * 100_001]
    box.configure({"process.args": [INSIDE, "echo", *words]})
    assert box.succeed(*box.running()) == " ".join(words) + "\n"


@pytest.mark.parametrize("count", [341, 5000])
def test_more_mappings_than_the_kernel_takes_are_an_error(box: Box, count: int) -> None:
    """CVE-2021-43784: 5000 of them are some 100000 bytes."""
    maps: Json = [{"containerID": at, "hostID": 100_000 + at, "size": 1} for at in range(count)]
    box.configure(
        {
            "linux.namespaces": [{"type": kind} for kind in ("user", "pid", "mount")],
            "linux.uidMappings": maps,
            "linux.gidMappings": maps,
        }
    )
    box.fail(*box.creating())
    assert box.left() == []


def test_a_namespace_path_of_70000_bytes_is_an_error(box: Box) -> None:
    """CVE-2021-43784."""
    box.configure({"linux.namespaces": [{"type": "uts"}, {"type": "mount"}, {"type": "network", "path": LONG}]})
    assert "file name too long" in box.fail(*box.creating())


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"process.args": ["/bin/true\0/evil"]}, "process.args[0]"),
        ({"process.cwd": "/\0/evil"}, "process.cwd"),
        ({"process.env": ["A=1\0LD_PRELOAD=/evil"]}, "process.env[0]"),
        ({"hostname": "a\0b"}, "hostname"),
        ({"mounts": [{"destination": "/a\0/../..", "type": "tmpfs", "source": "t"}]}, "mounts[0].destination"),
        ({"mounts": [{"destination": "/a", "type": "bind", "source": "/etc\0x"}]}, "mounts[0].source"),
        ({"linux.maskedPaths": ["/secret\0x"]}, "linux.maskedPaths[0]"),
        ({"linux.readonlyPaths": ["/secret\0x"]}, "linux.readonlyPaths[0]"),
        ({"linux.namespaces": [{"type": "network", "path": "/proc/1/ns/net\0"}]}, "linux.namespaces[0].path"),
        ({"linux.cgroupsPath": "/a\0/../.."}, "linux.cgroupsPath"),
    ],
)
def test_a_nul_in_a_string_is_an_error_that_names_it(box: Box, changes: dict[str, Json], where: str) -> None:
    """CVE-2021-43784: "MountSources contain nul" and its kin."""
    box.configure(changes)
    assert box.fail(*box.creating()).startswith(f"{where}: ")


def test_the_root_of_the_machine_is_no_state_root(box: Box) -> None:
    """Containers would be directories beside /etc."""
    root = box.root
    box.root = Path("/")
    message = box.fail(*box.creating())
    box.root = root
    assert message == "--root /: must not be the root of the file system"


@pytest.mark.parametrize("name", ["..", ".", "../canary", "a/b", "/etc", "a\nb", "x" * 256, "-\u202e"])
@pytest.mark.parametrize("verb", ["create", "state", "delete", "kill"])
def test_an_id_leads_nowhere_else(box: Box, canary: Path, verb: str, name: str) -> None:
    """Nothing is made, read or removed outside the state root."""
    options = ("--bundle", str(box.directory)) if verb == "create" else ()
    message = box.fail(verb, *options, "--", name)
    assert message.startswith("invalid container ID format")
    assert sorted(path.name for path in box.root.iterdir()) == []
    assert canary.exists()


def test_features_tell_which_annotations_are_not_to_be_trusted(box: Box) -> None:
    """CVE-2024-3154: who takes annotations from others must filter these."""
    told = mapping(json.loads(box.succeed("features")))
    ours = ["run.oci.hooks.", "run.oci.keep_original_groups", "run.oci.seccomp.receiver"]
    assert told["potentiallyUnsafeConfigAnnotations"] == ["org.systemd.property.", *ours, "cdi.k8s.io/"]
