"""spec/validate_mounts.py: what mounts[] may ask for."""

from __future__ import annotations

import pytest

from slinger.spec.validate_mounts import PROC_FILES, resolved
from tests.unit.documents import MINIMAL, ROOTLESS_MAP, refused, warned

BIND = {"destination": "/a", "source": "/s", "options": ["bind"]}
TMPFS = {"destination": "/a", "type": "tmpfs", "source": "tmpfs"}
USER_NAMESPACE = ("linux.namespaces", [*MINIMAL["linux"]["namespaces"], {"type": "user"}])
MAPS = (("linux.uidMappings", ROOTLESS_MAP), ("linux.gidMappings", ROOTLESS_MAP))


@pytest.mark.spec(
    "config.md#posix-platform-mounts/uid-mappings",
    "config.md#posix-platform-mounts/gid-mappings",
    "config.md#linux-mount-options/idmap-none",
    "config.md#linux-mount-options/ridmap-none",
)
@pytest.mark.parametrize(
    ("mount", "message"),
    [
        ({**TMPFS, "destination": ""}, ".destination: must not be empty"),
        ({**TMPFS, "destination": "/a\0"}, ".destination: must not hold a NUL character"),
        ({**TMPFS, "type": "a\0"}, ".type: must not hold a NUL character"),
        ({**TMPFS, "source": "a\0"}, ".source: must not hold a NUL character"),
        ({**TMPFS, "options": ["ro", "a\0"]}, ".options[1]: must not hold a NUL character"),
        ({**TMPFS, "type": ""}, ".type: must not be empty, except for a bind mount"),
        ({**BIND, "source": ""}, ".source: must not be empty for a bind mount"),
        ({**BIND, "source": "", "type": "bind", "options": []}, ".source: must not be empty for a bind mount"),
        (
            {**BIND, "options": ["rbind", "r0", "noexe", "mode=2"]},
            '.options: a bind mount takes no options of a file system, got "r0,noexe"',
        ),
        ({**TMPFS, "destination": "/"}, ".destination: cannot mount over the root of the container"),
        ({**TMPFS, "destination": "a/../.."}, ".destination: cannot mount over the root of the container"),
        ({**TMPFS, "destination": "/proc"}, '.type: only proc may be mounted on /proc, got "tmpfs"'),
        ({**TMPFS, "destination": "//proc/."}, '.type: only proc may be mounted on /proc, got "tmpfs"'),
        (
            {**BIND, "destination": "/proc/sys"},
            '.destination: "/proc/sys" cannot be mounted because it is inside /proc',
        ),
        (
            {**BIND, "destination": "/x/../proc/self/attr"},
            '.destination: "/proc/self/attr" cannot be mounted because it is inside /proc',
        ),
        ({**BIND, "uidMappings": ROOTLESS_MAP}, ".gidMappings: required, because the other mapping is given"),
        ({**BIND, "gidMappings": ROOTLESS_MAP}, ".uidMappings: required, because the other mapping is given"),
        (
            {**BIND, "uidMappings": [{"containerID": 0, "hostID": 0, "size": 0}], "gidMappings": ROOTLESS_MAP},
            ".uidMappings[0].size: must be at least 1, got 0",
        ),
        (
            {**BIND, "options": ["bind", "idmap"]},
            ".uidMappings: required, because there is no user namespace to take them from",
        ),
        (
            {**BIND, "options": ["rbind", "ridmap"]},
            ".uidMappings: required, because there is no user namespace to take them from",
        ),
        (
            {**TMPFS, "options": ["idmap"], "uidMappings": ROOTLESS_MAP, "gidMappings": ROOTLESS_MAP},
            ".options: only a bind mount can be id-mapped",
        ),
        (
            {**BIND, "options": ["bind", "remount"], "uidMappings": ROOTLESS_MAP, "gidMappings": ROOTLESS_MAP},
            ".uidMappings: only a bind mount can be id-mapped",
        ),
    ],
)
def test_an_impossible_mount_is_refused(mount: dict[str, object], message: str) -> None:
    """With the index of the entry."""
    assert refused(("mounts", [TMPFS, mount])) == f"mounts[1]{message}"


@pytest.mark.parametrize(
    "mount",
    [
        BIND,
        {**BIND, "type": "none", "options": ["rbind", "rro", "sync", "rslave"]},
        {"destination": "/a", "source": "/s", "type": "bind"},
        {"destination": "/a", "options": ["remount", "ro"]},
        {"destination": "/proc", "options": ["remount", "ro"]},
        {"destination": "/", "options": ["remount", "bind", "ro"]},
        {"destination": "/proc", "type": "proc"},
        {"destination": "/proc", "source": "/proc", "options": ["rbind"]},
        {"destination": "/procs/sys", "type": "tmpfs"},
        *({**BIND, "destination": path} for path in sorted(PROC_FILES)),
        {**BIND, "uidMappings": ROOTLESS_MAP, "gidMappings": ROOTLESS_MAP},
        {**TMPFS, "options": ["size=1", "mode=755,nr_inodes=5"]},
    ],
)
def test_a_possible_mount_is_accepted(mount: object) -> None:
    """Without a warning."""
    assert warned(("mounts", [mount])) == ()


def test_an_id_mapped_mount_may_use_the_maps_of_the_container() -> None:
    """config.md: a mount without mappings of its own may take those of the user namespace."""
    assert warned(("mounts", [{**BIND, "options": ["bind", "idmap"]}]), USER_NAMESPACE, *MAPS) == ()


def test_options_of_a_file_system_are_a_warning_for_a_bind_mount() -> None:
    """mount(2) ignores them, so runc and crun do, and configurations have them."""
    options = ["rbind", "ro", "size=1", "mode=2"]
    assert warned(("mounts", [{**BIND, "options": options}])) == (
        'mounts[0].options: a bind mount takes no options of a file system, ignored: "size=1,mode=2"',
    )
    assert warned(("mounts", [{**BIND, "options": ["bind", "remount", "size=1"]}])) == ()


def test_a_relative_destination_is_a_warning() -> None:
    """Deprecated, and taken relative to /; the rules for /proc see through it."""
    assert warned(("mounts", [TMPFS, {**TMPFS, "destination": "b/c"}])) == (
        'mounts[1].destination: relative path "b/c", taken relative to / (deprecated)',
    )
    assert refused(("mounts", [{**TMPFS, "destination": "proc/x"}])) == (
        'mounts[0].destination: "/proc/x" cannot be mounted because it is inside /proc'
    )


@pytest.mark.parametrize(
    ("destination", "path"),
    [("/", "/"), ("", "/"), ("a", "/a"), ("/a//b/./c/", "/a/b/c"), ("/../a/../../b", "/b"), ("/a/..", "/")],
)
def test_a_destination_is_resolved_below_the_root(destination: str, path: str) -> None:
    """Lexically: what the links of the image do is the hands' to see."""
    assert resolved(destination) == path
