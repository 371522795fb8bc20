"""A container's systemd unit: name, slice, cgroup, and what it is started with."""

from __future__ import annotations

import pytest

from slinger.errors import ConfigError
from slinger.plan.systemd_unit import Property, Unit, annotated, expanded, start_properties, unit_of

HINT = 'such as "system.slice:slinger:box", or leave it out'
WHO = "container box of slinger in /run/slinger"


@pytest.mark.parametrize(
    ("path", "user", "name", "slice_name", "cgroup"),
    [
        ("", False, "slinger-box.scope", "system.slice", "/system.slice/slinger-box.scope"),
        ("", True, "slinger-box.scope", "user.slice", "/user.slice/slinger-box.scope"),
        (":libpod:x", False, "libpod-x.scope", "system.slice", "/system.slice/libpod-x.scope"),
        ("machine.slice:libpod:x", False, "libpod-x.scope", "machine.slice", "/machine.slice/libpod-x.scope"),
        ("a-b.slice::x", False, "x.scope", "a-b.slice", "/a.slice/a-b.slice/x.scope"),
        ("-.slice:p:x", False, "p-x.scope", "-.slice", "/p-x.scope"),
        ("system.slice:p:a-b.slice", False, "a-b.slice", "system.slice", "/a.slice/a-b.slice"),
    ],
)
def test_cgroups_path_names_slice_and_unit(path: str, user: bool, name: str, slice_name: str, cgroup: str) -> None:
    """As runc reads it; the defaults are the managers'."""
    unit = unit_of(path, "box", "/run/slinger", user=user)
    assert unit == Unit(name, slice_name, user, WHO)
    assert unit.cgroup() == cgroup


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/a/b", f'must be SLICE:PREFIX:NAME for systemd, not "/a/b" ({HINT})'),
        ("a:b:c:d", f'must be SLICE:PREFIX:NAME for systemd, not "a:b:c:d" ({HINT})'),
        ("a.slice:b:", '"a.slice:b:" has no name behind its second colon'),
        (
            "a.slice:b:c/d",
            '"b-c/d.scope" is no name of a unit (at most 254 letters, digits and :-_.@\\ (systemd.unit(5)))',
        ),
        ("::-.slice", '"-.slice" is the root of all slices, which has processes of others'),
    ],
)
def test_a_path_that_names_no_unit_is_an_error(path: str, error: str) -> None:
    """It says what would be one."""
    with pytest.raises(ConfigError) as caught:
        unit_of(path, "box", "/run/slinger", user=False)
    assert str(caught.value) == f"linux.cgroupsPath: {error}"


@pytest.mark.parametrize(
    "name", ["a", "a.scope", "a--b.slice", "-a.slice", "a-.slice", ".slice", "a/b.slice", "é.slice"]
)
def test_what_is_no_slice_is_an_error(name: str) -> None:
    """systemd.slice(5): a dash parts a slice from the one above."""
    with pytest.raises(ConfigError) as caught:
        expanded(name)
    hint = "its name ends in .slice, has no / and no empty part between dashes: a-b.slice is below a.slice"
    assert str(caught.value) == f'linux.cgroupsPath: "{name}" is no slice ({hint})'


def test_a_scope_is_started_with_delegation_and_accounting() -> None:
    """And is forgotten by systemd when it fails; what an annotation says wins."""
    unit = unit_of("", "box", "/run/slinger", user=False)
    annotations = (("org.systemd.property.CollectMode", "'inactive'"), ("other", "x"))
    assert start_properties(unit, annotations) == (
        Property("Description", "s", WHO),
        Property("DefaultDependencies", "b", value=False),
        Property("Slice", "s", "system.slice"),
        Property("Delegate", "b", value=True),
        Property("CPUAccounting", "b", value=True),
        Property("MemoryAccounting", "b", value=True),
        Property("IOAccounting", "b", value=True),
        Property("TasksAccounting", "b", value=True),
        Property("CollectMode", "s", "inactive"),
    )


def test_a_slice_wants_the_slice_above() -> None:
    """It has no processes to be started with, and cannot be delegated."""
    names = [each.name for each in start_properties(unit_of("::a-b.slice", "box", "/r", user=False), ())]
    assert names[:3] == ["Description", "DefaultDependencies", "Wants"]
    assert not {"Delegate", "Slice", "CollectMode"} & set(names)


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("TimeoutStopSec", "5", Property("TimeoutStopUSec", "t", 5_000_000)),
        ("TimeoutStopSec", "1.5", Property("TimeoutStopUSec", "t", 1_500_000)),
        ("TimeoutStopUSec", "uint64 7", Property("TimeoutStopUSec", "t", 7)),
        ("After", "['a.service']", Property("After", "as", ("a.service",))),
        ("KillSignal", "int32 9", Property("KillSignal", "i", 9)),
    ],
)
def test_annotations_are_properties(name: str, text: str, wanted: Property) -> None:
    """``NameSec`` is microseconds on the bus."""
    assert annotated(((f"org.systemd.property.{name}", text),)) == (wanted,)


@pytest.mark.parametrize(
    ("name", "text", "error"),
    [
        ("ab", "1", '"ab" is no property of a unit (three letters or more (a-z, A-Z))'),
        ("a.b.c", "1", '"a.b.c" is no property of a unit (three letters or more (a-z, A-Z))'),
        ("TimeoutStopSec", "'5'", "'5' is no number of seconds"),
        ("TimeoutStopSec", "-5", "-5 seconds are out of range"),
        ("PIDs", "@au [1]", "PIDs follows from linux.cgroupsPath and the container"),
        ("Slice", "'a.slice'", "Slice follows from linux.cgroupsPath and the container"),
    ],
)
def test_an_annotation_that_is_no_property_is_an_error(name: str, text: str, error: str) -> None:
    """It is found before anything is made."""
    with pytest.raises(ConfigError) as caught:
        annotated(((f"org.systemd.property.{name}", text),))
    assert str(caught.value) == f'annotations["org.systemd.property.{name}"]: {error}'
