"""spec/validate.py: top level, hooks, ids, and what a rootless caller may not ask for."""

from __future__ import annotations

import pytest

from slinger.errors import ConfigError
from slinger.spec.config import Config, Hook, Hooks, Process, Resources, Rlimit, Root, User
from slinger.spec.validate import validate, validate_process, validate_resources
from tests.unit.documents import MINIMAL, NONE, NOTHING, ROOTLESS_MAP, parsed, refused, warned

USER_NAMESPACE = ("linux.namespaces", [*MINIMAL["linux"]["namespaces"], {"type": "user"}])
JOINED_NAMESPACE = ("linux.namespaces", [*MINIMAL["linux"]["namespaces"], {"type": "user", "path": "/proc/9/ns/user"}])
MAPS = (("linux.uidMappings", ROOTLESS_MAP), ("linux.gidMappings", ROOTLESS_MAP))


def mapped(container: int, host: int, size: int) -> dict[str, int]:
    """One mapping."""
    return {"containerID": container, "hostID": host, "size": size}


def test_the_minimal_document_is_valid() -> None:
    """Without a warning."""
    assert warned() == ()


def test_a_configuration_without_a_process_is_valid() -> None:
    """It is start that needs one (runtime.md)."""
    assert warned(("process", None)) == ()


@pytest.mark.parametrize(
    "version", ["1.0.0", "1.3.0", "1.0.2-dev", "1.0.0-rc5", "1.2.3-a.1+b.02", "1.0.0+build-7", "1.99.0"]
)
def test_a_version_1_is_accepted(version: str) -> None:
    """With the pre-release and build parts of SemVer 2.0."""
    assert warned(("ociVersion", version)) == ()


@pytest.mark.spec("config.md#specification-version/semver")
@pytest.mark.parametrize(
    "version",
    ["", "1", "1.0", "1.0.0.0", "v1.0.0", "01.0.0", "1.0.0-", "1.0.0-01", "1.0.0-a..b", "1.0.0+", "1.0.0-ä", "1.²"],
)
def test_a_version_that_is_not_semver_is_refused(version: str) -> None:
    """config.md, "Specification version"."""
    quoted = {"1.0.0-ä": "1.0.0-\\u00e4", "1.²": "1.\\u00b2"}.get(version, version)
    assert refused(("ociVersion", version)) == (
        f'ociVersion: expected a version such as 1.3.0 (SemVer 2.0), got "{quoted}"'
    )


@pytest.mark.parametrize("version", ["0.5.0-dev", "2.0.0", "99.0.0"])
def test_a_version_with_other_rules_is_refused(version: str) -> None:
    """SemVer: only the same major version is compatible."""
    assert refused(("ociVersion", version)) == f'ociVersion: unsupported version "{version}", expected 1.x'


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("root.path", "", "root.path: must not be empty"),
        ("root.path", "a\0b", "root.path: must not hold a NUL character"),
        ("hostname", "a\0b", "hostname: must not hold a NUL character"),
        ("hostname", "x" * 65, "hostname: must be at most 64 bytes, got 65"),
        ("hostname", "é" * 33, "hostname: must be at most 64 bytes, got 66"),
        ("domainname", "x" * 65, "domainname: must be at most 64 bytes, got 65"),
        ("annotations", {"": "x"}, "annotations: keys must not be empty"),
    ],
)
def test_names_must_be_possible(path: str, value: object, message: str) -> None:
    """The kernel's limits, and config.md's."""
    assert refused((path, value)) == message


@pytest.mark.parametrize("name", ["hostname", "domainname"])
def test_a_host_name_needs_a_uts_namespace(name: str) -> None:
    """It would be the host's; a namespace that is joined will do."""
    assert refused((name, "box"), ("linux.namespaces", [])) == (
        f"{name}: needs a uts namespace (new or joined) in linux.namespaces"
    )
    assert warned((name, "box"), ("linux.namespaces", [{"type": "uts", "path": "/run/uts"}])) == ()


# ---- hooks


@pytest.mark.parametrize(
    ("hook", "message"),
    [
        ({"path": "bin/hook"}, 'path: must be an absolute path, got "bin/hook"'),
        ({"path": ""}, 'path: must be an absolute path, got ""'),
        ({"path": "/a\0"}, "path: must not hold a NUL character"),
        ({"path": "/a", "args": ["a", "b\0"]}, "args[1]: must not hold a NUL character"),
        ({"path": "/a", "env": ["A=1", "B"]}, 'env[1]: expected NAME=VALUE, got "B"'),
        ({"path": "/a", "env": ["=1"]}, 'env[0]: empty variable name in "=1"'),
        ({"path": "/a", "env": ["A=\0"]}, "env[0]: must not hold a NUL character"),
        ({"path": "/a", "timeout": 0}, "timeout: must be at least 1 second, got 0"),
        ({"path": "/a", "timeout": -5}, "timeout: must be at least 1 second, got -5"),
    ],
)
@pytest.mark.parametrize("stage", ["prestart", "startContainer", "poststop"])
def test_a_hook_that_could_not_run_is_refused(stage: str, hook: dict[str, object], message: str) -> None:
    """With stage and index; config.md, "POSIX-platform Hooks"."""
    assert refused(("hooks", {stage: [{"path": "/ok"}, hook]})) == f"hooks.{stage}[1].{message}"


def test_a_hook_may_have_no_environment_and_a_long_timeout() -> None:
    """Both are valid."""
    assert warned(("hooks", {"poststart": [{"path": "/a", "env": NONE, "timeout": 2**31}]})) == ()


def test_an_unknown_stage_in_a_record_is_refused() -> None:
    """A configuration may come from a Python program, not from a file."""
    config = Config("1.3.0", Root("rootfs"), hooks=Hooks((("atexit", (Hook("/a"),)),)))
    with pytest.raises(ConfigError, match=r"^hooks\.atexit: not a hook stage$"):
        validate(config)


# ---- ids


def test_a_user_namespace_needs_both_maps() -> None:
    """Neither may be absent when the namespace is new."""
    assert refused(USER_NAMESPACE) == "linux.uidMappings: required with a new user namespace"
    assert refused(USER_NAMESPACE, MAPS[0]) == "linux.gidMappings: required with a new user namespace"
    assert warned(USER_NAMESPACE, *MAPS) == ()


def test_maps_need_a_user_namespace() -> None:
    """Mappings of nothing are a mistake."""
    assert refused(MAPS[0]) == "linux.uidMappings: needs a user namespace in linux.namespaces"
    assert refused(MAPS[1]) == "linux.gidMappings: needs a user namespace in linux.namespaces"


def test_a_joined_user_namespace_may_have_maps() -> None:
    """They must be those of the namespace, which the machine knows."""
    assert warned(JOINED_NAMESPACE) == ()
    assert warned(JOINED_NAMESPACE, *MAPS) == ()


@pytest.mark.parametrize(
    ("maps", "message"),
    [
        ([mapped(0, 1, 0)], "linux.uidMappings[0].size: must be at least 1, got 0"),
        ([mapped(1, 0, 2**32 - 1), mapped(0, 1, 0)], "linux.uidMappings[1].size: must be at least 1, got 0"),
        ([mapped(2, 0, 2**32 - 1)], "linux.uidMappings[0].size: the range ends above 4294967295"),
        ([mapped(0, 2**32 - 1, 2)], "linux.uidMappings[0].size: the range ends above 4294967295"),
        (
            [mapped(0, 1000, 10), mapped(9, 2000, 1)],
            "linux.uidMappings[1].containerID: the range overlaps with that of linux.uidMappings[0]",
        ),
        (
            [mapped(5, 1000, 10), mapped(0, 2000, 6)],
            "linux.uidMappings[0].containerID: the range overlaps with that of linux.uidMappings[1]",
        ),
        (
            [mapped(0, 1000, 10), mapped(10, 1009, 1)],
            "linux.uidMappings[1].hostID: the range overlaps with that of linux.uidMappings[0]",
        ),
        ([mapped(n, n, 1) for n in range(341)], "linux.uidMappings: at most 340 mappings are possible, got 341"),
    ],
)
def test_a_map_that_the_kernel_refuses_is_refused(maps: object, message: str) -> None:
    """user_namespaces(7)."""
    assert refused(USER_NAMESPACE, ("linux.uidMappings", maps), MAPS[1]) == message


def test_adjacent_ranges_are_valid() -> None:
    """In any order."""
    maps = [mapped(10, 2000, 5), mapped(0, 1000, 10), mapped(15, 2005, 2**32 - 2005)]
    assert warned(USER_NAMESPACE, ("linux.uidMappings", maps), MAPS[1]) == ()


@pytest.mark.parametrize(
    ("user", "message"),
    [
        ({"uid": 1, "gid": 0}, "process.user.uid: 1 is not mapped in linux.uidMappings"),
        ({"uid": 0, "gid": 7}, "process.user.gid: 7 is not mapped in linux.gidMappings"),
        (
            {"uid": 0, "gid": 0, "additionalGids": [0, 5]},
            "process.user.additionalGids[1]: 5 is not mapped in linux.gidMappings",
        ),
    ],
)
def test_the_user_must_be_mapped(user: object, message: str) -> None:
    """setuid(2) would fail with EINVAL; a joined namespace is not known here."""
    assert refused(USER_NAMESPACE, *MAPS, ("process.user", user)) == message
    assert warned(JOINED_NAMESPACE, *MAPS, ("process.user", user)) == ()


# ---- rootless


def test_a_rootless_caller_needs_a_user_namespace() -> None:
    """New or joined."""
    assert refused(rootless=True) == "linux.namespaces: a rootless caller needs a user namespace"
    assert validate(parsed(USER_NAMESPACE, *MAPS), rootless=True) == ()
    assert validate(parsed(JOINED_NAMESPACE), rootless=True) == ()


def test_a_rootless_caller_cannot_set_groups() -> None:
    """CVE-2014-8989."""
    changes = (USER_NAMESPACE, *MAPS, ("process.user.additionalGids", [0]))
    assert refused(*changes, rootless=True) == "process.user.additionalGids: cannot be set by a rootless caller"
    assert warned(*changes) == ()
    assert validate(parsed(USER_NAMESPACE, *MAPS, ("process", None)), rootless=True) == ()


@pytest.mark.parametrize("name", ["uid", "gid"])
def test_a_rootless_caller_cannot_name_an_unmapped_owner_of_a_mount(name: str) -> None:
    """The file system would refuse it with EINVAL."""
    mounts = ("mounts", [{"destination": "/dev/pts", "type": "devpts", "options": ["newinstance", f"{name}=5"]}])
    assert refused(USER_NAMESPACE, *MAPS, mounts, rootless=True) == (
        f"mounts[0].options: {name}=5 is not mapped in linux.{name}Mappings"
    )
    mounts = ("mounts", [{"destination": "/dev/pts", "type": "devpts", "options": [f"{name}=0"]}])
    assert validate(parsed(USER_NAMESPACE, *MAPS, mounts), rootless=True) == ()


def test_a_rootless_caller_cannot_make_id_mapped_mounts() -> None:
    """mount_setattr(2) wants privilege over the file system."""
    mounts = ("mounts", [{"destination": "/a", "source": "/s", "options": ["bind", "idmap"]}])
    assert refused(USER_NAMESPACE, *MAPS, mounts, rootless=True) == (
        "mounts[0]: a rootless caller cannot make id-mapped mounts"
    )


def test_a_rootless_caller_cannot_move_network_devices() -> None:
    """They are in a namespace of somebody else's."""
    changes = (USER_NAMESPACE, *MAPS, ("linux.netDevices", {"eth0": NOTHING}))
    assert refused(*changes, rootless=True) == "linux.netDevices: a rootless caller cannot move network devices"
    assert warned(*changes) == ()


# ---- parts by themselves


def test_a_process_by_itself_is_validated() -> None:
    """For exec; the path can be said."""
    assert validate_process(Process("/", ("sh",))) == ()
    process = Process("/", ("sh",), rlimits=(Rlimit("RLIMIT_X", 0, 0),))
    with pytest.raises(ConfigError, match=r'^p\.rlimits\[0\]\.type: unknown limit "RLIMIT_X"$'):
        validate_process(process, at="p")
    with pytest.raises(ConfigError, match=r"^process\.user\.additionalGids: cannot be set by a rootless caller$"):
        validate_process(Process("/", ("sh",), user=User(additional_gids=(1,))), rootless=True)


def test_resources_by_themselves_are_validated() -> None:
    """For update; the path is that of the file."""
    assert validate_resources(Resources()) == ()
    with pytest.raises(ConfigError, match=r'^resources\.unified\["a/b"\]: expected the name of a file of the cgroup$'):
        validate_resources(Resources(unified=(("a/b", "1"),)))
