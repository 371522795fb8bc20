"""linux.seccomp as a program in the container meets it."""

from __future__ import annotations

import json

import pytest

from tests.bundles import DROP
from tests.integration.box import INSIDE, Box
from tests.peers.case import podman_profile
from tests.requires import requires

pytestmark = requires("root", "gcc", "libseccomp", "podman")


def test_a_call_newer_than_the_profile_does_not_exist_and_an_older_one_is_forbidden(box: Box) -> None:
    """Podman's profile without a default errno: a C library falls back on ENOSYS, and gives up on EPERM."""
    tried = ("try-syscall", "unknown", "reboot", "getpid")
    box.configure(
        {
            "process.args": [INSIDE, *tried],
            "linux.seccomp": podman_profile(),
            "linux.seccomp.defaultErrnoRet": DROP,
        }
    )
    assert json.loads(box.succeed(*box.running())) == {"unknown": "ENOSYS", "reboot": "EPERM", "getpid": None}


@pytest.mark.parametrize("action", ["SCMP_ACT_ERRNO", "SCMP_ACT_KILL_PROCESS"])
@pytest.mark.parametrize("no_new_privileges", [True, False])
def test_a_profile_need_not_allow_what_the_runtime_does(box: Box, action: str, *, no_new_privileges: bool) -> None:
    """All that init calls comes before the filter, but the exec."""
    names = ["capset", "close_range", "prctl", "sendmsg", "recvfrom", "accept4", "setresuid", "setgroups", "chdir"]
    box.configure(
        {
            "process.args": [INSIDE, "try-syscall", "getpid"],
            "process.noNewPrivileges": no_new_privileges,
            "linux.seccomp": {
                "defaultAction": "SCMP_ACT_ALLOW",
                "syscalls": [{"names": names, "action": action}],
            },
        }
    )
    assert json.loads(box.succeed(*box.running())) == {"getpid": None}
