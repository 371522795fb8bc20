"""host/cgroup/below.py: where `exec --cgroup` puts a process."""

from __future__ import annotations

from pathlib import Path

import pytest

from slinger.errors import SlingerError
from slinger.host.cgroup.below import below
from slinger.host.cgroup.ref import Place, Ref

FIRST, SECOND, UNIFIED = "cpu,cpuacct", "memory", "unified"


def refs(tmp_path: Path) -> tuple[Ref, Ref]:
    """The cgroups of a container, v1 and v2, as directories with one below each."""
    places: list[Place] = []
    for name in (FIRST, SECOND, UNIFIED):
        mount = str(tmp_path / name)
        (tmp_path / name / "box/in/deep").mkdir(parents=True)
        (tmp_path / name / "box/tasks").touch()
        controllers = () if name == UNIFIED else tuple(name.split(","))
        places.append(Place(mount, 2 if name == UNIFIED else 1, controllers, f"{mount}/box", mount))
    return Ref(tuple(places[:2])), Ref((places[2],))


def paths(ref: Ref, tmp_path: Path) -> list[str]:
    """Where its places are."""
    return [place.path.removeprefix(f"{tmp_path}/") for place in ref.places]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((), ["cpu,cpuacct/box", "memory/box"]),
        (("/",), ["cpu,cpuacct/box", "memory/box"]),
        (("in",), ["cpu,cpuacct/box/in", "memory/box/in"]),
        (("/in//deep/.",), ["cpu,cpuacct/box/in/deep", "memory/box/in/deep"]),
        (("memory:in",), ["cpu,cpuacct/box", "memory/box/in"]),
        (("cpuacct:/in",), ["cpu,cpuacct/box/in", "memory/box"]),
        (("cpu,memory:in",), ["cpu,cpuacct/box/in", "memory/box/in"]),
        (("cpu:in", "cpuacct:in", "memory:/"), ["cpu,cpuacct/box/in", "memory/box"]),
    ],
)
def test_each_hierarchy_goes_where_it_is_told(tmp_path: Path, values: tuple[str, ...], expected: list[str]) -> None:
    """Without controllers all of them; one that is not named keeps the container's cgroup."""
    ref, _ = refs(tmp_path)
    assert paths(below(ref, values), tmp_path) == expected


@pytest.mark.parametrize(("value", "expected"), [("in", "unified/box/in"), ("/", "unified/box")])
def test_v2_has_one_path(tmp_path: Path, value: str, expected: str) -> None:
    """Its controllers share the tree."""
    _, ref = refs(tmp_path)
    assert paths(below(ref, (value,)), tmp_path) == [expected]


SHAPE = "must be [CONTROLLER[,...]:]PATH, not"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (("",), f'{SHAPE} ""'),
        (("cpu:",), f'{SHAPE} "cpu:"'),
        ((":in",), f'{SHAPE} ":in"'),
        (("cpu,:in",), f'{SHAPE} "cpu,:in"'),
        (("cpu:memory:in",), f'{SHAPE} "cpu:memory:in"'),
        (("in/../..",), '"in/../.." leads out of the container\'s cgroup'),
        (("cpu:..",), '".." leads out of the container\'s cgroup'),
        (("in", "cpu:in"), '"in" is for every controller, so it must be the only one'),
        (("cpu:in", "cpu:/"), 'the controller "cpu" is named twice'),
        (("cpu:in", "cpuacct:/"), '"cpu,cpuacct" are one hierarchy and cannot have different paths'),
        (("pids:in",), 'the container has no cgroup of the controller "pids"'),
        (("none",), "no cgroup @/cpu,cpuacct/box/none (it must be there already: mkdir)"),
        (("memory:in/none",), "no cgroup @/memory/box/in/none (it must be there already: mkdir)"),
        (("tasks",), "no cgroup @/cpu,cpuacct/box/tasks (it must be there already: mkdir)"),
    ],
)
def test_what_cannot_be_is_said_with_the_option(tmp_path: Path, values: tuple[str, ...], message: str) -> None:
    """And a cgroup that is not there is named: nobody has "removed" it."""
    ref, _ = refs(tmp_path)
    with pytest.raises(SlingerError) as caught:
        below(ref, values)
    assert str(caught.value) == f"--cgroup: {message}".replace("@", str(tmp_path))


def test_v2_refuses_controllers(tmp_path: Path) -> None:
    """They would promise what v2 cannot do."""
    _, ref = refs(tmp_path)
    with pytest.raises(SlingerError) as caught:
        below(ref, ("memory:in",))
    message = '"memory:in" names controllers, which cgroup v2 has no cgroups of their own for (--cgroup PATH)'
    assert str(caught.value) == f"--cgroup: {message}"


def test_a_container_without_cgroups_has_none_below() -> None:
    """A rootless one, say."""
    with pytest.raises(SlingerError) as caught:
        below(Ref(), ("in",))
    assert str(caught.value) == "--cgroup: the container has no cgroup"
