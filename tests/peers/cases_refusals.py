"""The configs of the differential test that are wrong in some way: refused, or taken for something."""

from __future__ import annotations

from typing import Final

from tests.bundles import DROP
from tests.peers.case import (
    MAPPED_OWNER,
    USER_NAMESPACE,
    Case,
    namespaces,
    without,
)

REFUSALS: Final = (
    Case(name="args empty", changes={"process.args": []}),
    Case(name="args not found", changes={"process.args": ["no-such-program"]}),
    Case(name="args not executable", changes={"process.args": ["/etc/passwd"]}),
    Case(name="cwd not absolute", changes={"process.cwd": "tmp"}),
    Case(name="hostname without uts", changes={"linux.namespaces": without("uts")}),
    Case(name="unknown namespace", changes={"linux.namespaces+": [{"type": "galaxy"}]}),
    Case(name="namespace twice", changes={"linux.namespaces+": [{"type": "pid"}]}),
    Case(
        name="namespace path of another type", changes={"linux.namespaces": [*without("ipc"), *namespaces(ipc="@NET@")]}
    ),
    Case(name="rootfs missing", changes={"root.path": "nothing"}),
    Case(name="root missing", changes={"root": DROP}),
    Case(name="unknown rlimit", changes={"process.rlimits": [{"type": "RLIMIT_X", "soft": 1, "hard": 1}]}),
    Case(
        name="rlimit twice",
        changes={"process.rlimits": [{"type": "RLIMIT_CORE", "soft": n, "hard": n} for n in (1, 0)]},
    ),
    Case(name="rlimit soft above hard", changes={"process.rlimits": [{"type": "RLIMIT_CORE", "soft": 2, "hard": 1}]}),
    Case(
        name="user not mapped", changes={**USER_NAMESPACE, "process.user": {"uid": 70000, "gid": 0}}, owner=MAPPED_OWNER
    ),
    Case(
        name="hook with a relative path",
        changes={"hooks": {"createRuntime": [{"path": "rootfs/bin/payload", "args": ["p", "true"]}]}},
    ),
    Case(
        name="hook that fails",
        changes={"hooks": {"createRuntime": [{"path": "@PAYLOAD@", "args": ["p", "exit", "3"]}]}},
    ),
    Case(name="unknown property", changes={"unknown": {"x": 1}, "linux.unknown": [1]}),
)

MORE_REFUSALS: Final = (
    Case(name="process absent", changes={"process": DROP}),
    Case(name="args absent", changes={"process.args": DROP}),
    Case(name="args a directory", changes={"process.args": ["/etc"]}),
    Case(name="args with an empty program", changes={"process.args": [""]}),
    Case(name="args not found without PATH", changes={"process.args": ["payload", "report"], "process.env": ["A=1"]}),
    Case(name="cwd a file", changes={"process.cwd": "/etc/passwd"}),
    Case(name="cwd empty", changes={"process.cwd": ""}),
    Case(name="cwd absent", changes={"process.cwd": DROP}),
    Case(name="ociVersion absent", changes={"ociVersion": DROP}),
    Case(name="ociVersion of the future", changes={"ociVersion": "9.0.0"}),
    Case(name="ociVersion that is none", changes={"ociVersion": "one"}),
    Case(name="user negative", changes={"process.user": {"uid": -1, "gid": 0}}),
    Case(name="user absent", changes={"process.user": DROP}),
    Case(name="root path empty", changes={"root.path": ""}),
    Case(name="root path a file", changes={"root.path": "config.json"}),
    Case(name="linux absent", changes={"linux": DROP}),
    Case(name="wrong type of a string", changes={"hostname": 7}),
    Case(name="wrong type of a list", changes={"process.args": "payload"}),
    Case(name="wrong type of a number", changes={"process.oomScoreAdj": "5"}),
    Case(name="null for an object", changes={"linux.resources": None, "hooks": None, "annotations": None}),
    Case(
        name="null for a list",
        changes={"mounts+": [], "linux.devices": None, "linux.namespaces+": [], "process.rlimits": None},
    ),
    Case(name="keys in capitals", changes={"Hostname": "capital"}),
    Case(name="hook without a path", changes={"hooks": {"createRuntime": [{"args": ["p"]}]}}),
    Case(
        name="hook with a timeout of zero",
        changes={"hooks": {"createRuntime": [{"path": "@PAYLOAD@", "args": ["p", "true"], "timeout": 0}]}},
    ),
    Case(
        name="hook of an unknown stage", changes={"hooks": {"sometime": [{"path": "@PAYLOAD@", "args": ["p", "true"]}]}}
    ),
    Case(name="mount without a destination", changes={"mounts+": [{"type": "tmpfs", "source": "tmpfs"}]}),
    Case(name="personality without a domain", changes={"linux.personality": {}}),
    Case(
        name="timeOffsets of an unknown clock",
        changes={"linux.namespaces+": [{"type": "time"}], "linux.timeOffsets": {"realtime": {"secs": 1}}},
    ),
)
