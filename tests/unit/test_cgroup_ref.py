"""Where a container's cgroup is, the record of it, and what is written and removed by it: on plain directories."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from slinger.errors import ConfigError, HostError
from slinger.host import cgroup
from slinger.host.cgroup import files, limits
from slinger.host.cgroup.ref import Place, Ref, locate
from slinger.plan.facts import Hierarchy
from slinger.spec.config import Cpu, Memory, Resources


def located(path: str, hierarchies: tuple[Hierarchy, ...]) -> list[str]:
    """The directories for a container called box."""
    return [place.path for place in locate(path, "box", hierarchies, rootless=False).places]


@pytest.mark.spec("config-linux.md#cgroups-path/absolute")
@pytest.mark.parametrize(
    ("path", "v1", "v2"),
    [
        ("", "/m/own/box", "/u/own/box"),
        ("a/b", "/m/own/a/b", "/u/own/a/b"),
        ("/a/b", "/m/a/b", "/u/a/b"),
        ("/a/../../b//c/.", "/m/b/c", "/u/b/c"),
        ("../../x", "/m/own/x", "/u/own/x"),
        ("..", "/m/own/box", "/u/own/box"),
    ],
)
@pytest.mark.parametrize("hybrid", [True, False])
def test_a_path_counts_from_the_mount_or_from_the_own_cgroup(path: str, v1: str, v2: str, *, hybrid: bool) -> None:
    """Absolute: from the mount. Relative or absent: from our own cgroup, on v1; nothing leads out of there."""
    memory = Hierarchy("/m", ("memory",), 1, "/own")
    unified = Hierarchy("/u", (), 2, "/own")
    assert located(path, (memory, unified) if hybrid else (memory,)) == ([v1, v2] if hybrid else [v1])


@pytest.mark.parametrize(
    ("own", "path", "found"),
    [
        ("/user.slice/a.scope", "", "/u/user.slice/box"),
        ("/user.slice/a.scope", "c/d", "/u/user.slice/c/d"),
        ("/user.slice/a.scope", "/c", "/u/c"),
        ("/", "", "/u/box"),
    ],
)
def test_on_v2_a_relative_path_counts_from_the_parent(own: str, path: str, found: str) -> None:
    """Our own cgroup has us in it and cannot pass controllers on."""
    assert located(path, (Hierarchy("/u", (), 2, own),)) == [found]


@pytest.mark.parametrize("path", ["/", "/..", "//."])
def test_the_root_cgroup_is_no_containers(path: str) -> None:
    """Killing a container's processes must not mean killing all."""
    with pytest.raises(ConfigError) as caught:
        locate(path, "box", (Hierarchy("/m", ("memory",), 1, "/own"),), rootless=False)
    assert str(caught.value) == f'linux.cgroupsPath: "{path}" is the root cgroup, which has processes of others'


def test_a_cgroup_may_be_missing_only_where_nobody_asked_for_it() -> None:
    """That is: without privilege and without cgroupsPath."""
    found = {
        (path, less): locate(path, "box", (), rootless=less).optional for path in ("", "x") for less in (True, False)
    }
    assert found == {("", True): True, ("", False): False, ("x", True): False, ("x", False): False}


def test_what_is_there_is_recorded(tmp_path: Path) -> None:
    """The nearest directory that is there is the base; what is below it is to be made, and to be removed."""
    (tmp_path / "a").mkdir()
    ref = locate("/a/b/c", "box", (Hierarchy(str(tmp_path), ("pids",), 1),), rootless=False)
    assert ref.places == (Place(str(tmp_path), 1, ("pids",), f"{tmp_path}/a/b/c", f"{tmp_path}/a"),)
    assert ref.places[0].made() == (f"{tmp_path}/a/b/c", f"{tmp_path}/a/b")
    assert ref.places[0].ours
    assert sorted(os.listdir(tmp_path / "a")) == []


def there(tmp_path: Path, procs: str = "", state: str = "THAWED") -> tuple[Hierarchy, ...]:
    """A freezer hierarchy with a cgroup /a, and /a/old below it."""
    for path in (tmp_path / "a", tmp_path / "a" / "old"):
        path.mkdir()
        (path / "cgroup.procs").write_text("")
    (tmp_path / "a" / "old" / "cgroup.procs").write_text(procs)
    (tmp_path / "a" / "freezer.state").write_text(f"{state}\n")
    (tmp_path / "a" / "freezer.self_freezing").write_text("1\n")
    return (Hierarchy(str(tmp_path), ("freezer",), 1),)


def test_a_cgroup_that_is_there_and_unused_is_taken(tmp_path: Path) -> None:
    """It is not ours, and neither is what is below it."""
    place = locate("/a", "box", there(tmp_path), rootless=False).places[0]
    assert (place.base, place.kept, place.ours, place.made()) == (f"{tmp_path}/a", ("old",), False, ())


@pytest.mark.parametrize(
    ("procs", "state", "text"),
    [
        (
            "7\n8\n",
            "THAWED",
            "container's cgroup is not empty: 2 process(es) found ({path} belongs to something else; ",
        ),
        ("", "FROZEN", "container's cgroup unexpectedly frozen (thaw {path}, or "),
    ],
)
def test_a_cgroup_in_use_is_refused(tmp_path: Path, procs: str, state: str, text: str) -> None:
    """Before anything is recorded: whose processes they are must not depend on who removes the record."""
    with pytest.raises(HostError) as caught:
        locate("/a", "box", there(tmp_path, procs, state), rootless=False)
    assert str(caught.value) == text.format(path=f"{tmp_path}/a") + "choose another linux.cgroupsPath)"


REF = Ref(
    (
        Place("/cg/memory", 1, ("memory",), "/cg/memory/a/b", "/cg/memory"),
        Place("/cg/unified", 2, (), "/cg/unified/x", "/cg/unified/x", ("old",)),
    ),
    rootless=True,
    optional=True,
)


def test_a_record_is_read_as_it_was_written() -> None:
    """Round trip, the empty one too."""
    assert Ref.parse(REF.text()) == REF
    assert Ref.parse(Ref().text()) == Ref()
    assert Ref.parse("") == Ref()


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[]",
        '{"places":[{}],"rootless":false,"optional":false}',
        REF.text().replace("/cg/memory/a/b", "/etc"),
        REF.text().replace('"base":"/cg/memory"', '"base":"/cg/mem"'),
        REF.text().replace('"rootless":true', '"rootless":1'),
    ],
)
def test_a_record_that_does_not_fit_together_is_refused(text: str) -> None:
    """Directories are removed by it."""
    with pytest.raises(HostError) as caught:
        Ref.parse(text)
    assert str(caught.value) == "the cgroup record: not written by this version of slinger"


def test_a_broken_record_is_refused() -> None:
    """The error is the machine's, not the config's."""
    with pytest.raises(HostError) as caught:
        Ref.parse("{")
    assert str(caught.value).startswith("the cgroup record: invalid JSON")
    with pytest.raises(HostError) as caught:
        Ref.parse("\udcff")
    assert str(caught.value) == "the cgroup record: not UTF-8: invalid start byte at byte 0"


def test_the_plan_gets_the_containers_cgroups() -> None:
    """Relative to each mount, as Hierarchy.own says."""
    assert REF.hierarchies() == (
        Hierarchy("/cg/memory", ("memory",), 1, "/a/b"),
        Hierarchy("/cg/unified", (), 2, "/x"),
    )


def test_processes_are_asked_of_the_freezer() -> None:
    """On v1; of the v2 hierarchy where there is no freezer; of any, where there is neither."""
    freezer = Place("/cg/freezer", 1, ("freezer",), "/cg/freezer/a", "/cg/freezer")
    memory, unified = REF.places
    assert Ref((memory, unified, freezer)).main() == freezer
    assert Ref((memory, unified)).main() == unified
    assert Ref((memory,)).main() == memory
    assert Ref().main() is None


def test_without_a_cgroup_nothing_is_done() -> None:
    """And nothing fails, other than what cannot be done."""
    ref = Ref(rootless=True, optional=True)
    assert cgroup.make(ref, Resources()) == ref
    assert cgroup.join(ref, 1) == ref
    assert cgroup.pids(ref) == ()
    assert not cgroup.frozen(ref)
    cgroup.apply(ref, None)
    cgroup.thaw(ref)
    cgroup.kill(ref, 9)
    cgroup.remove(ref, kill=True)
    with pytest.raises(HostError) as caught:
        cgroup.apply(ref, Resources(pids_limit=5))
    assert str(caught.value) == "linux.resources.pids.limit: the container has no cgroup (leave the limit out)"
    with pytest.raises(HostError) as caught:
        cgroup.freeze(ref)
    assert str(caught.value) == "container's cgroup cannot be frozen: it has no freezer (the container has no cgroup)"


def test_an_unknown_name_of_the_front_is_an_attribute_error() -> None:
    """The lazy front is a module like any other."""
    with pytest.raises(AttributeError, match=r"^module 'slinger.host.cgroup' has no attribute 'destroy'$"):
        getattr(cgroup, "destroy")  # noqa: B009 - type checkers know that it is not there


# ---- removal


def made(tmp_path: Path, *paths: str, base: str, kept: tuple[str, ...] = ()) -> Ref:
    """Directories of which the first is the container's cgroup."""
    for path in paths:
        (tmp_path / path).mkdir(parents=True)
    return Ref((Place(str(tmp_path), 1, ("pids",), f"{tmp_path}/{paths[0]}", f"{tmp_path}/{base}".rstrip("/"), kept),))


def left(tmp_path: Path) -> list[str]:
    """All directories below."""
    return sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*"))


def test_what_was_made_is_removed(tmp_path: Path) -> None:
    """The cgroup, what the container made below it, and the empty parents; as often as it is asked for."""
    ref = made(tmp_path, "a/b/c", "a/b/c/inner/most", "a/b/c/other", base="a")
    cgroup.remove(ref)
    assert left(tmp_path) == ["a"]
    cgroup.remove(ref, kill=True)
    assert left(tmp_path) == ["a"]


def test_a_parent_that_others_use_stays(tmp_path: Path) -> None:
    """Two containers below one path: the last one removes it."""
    cgroup.remove(made(tmp_path, "a/b/c", "a/b/theirs", base=""))
    assert left(tmp_path) == ["a", "a/b", "a/b/theirs"]


def test_what_was_there_stays(tmp_path: Path) -> None:
    """A cgroup that was there, and the children that it had; not those that it got since."""
    ref = made(tmp_path, "a", "a/old/older", "a/new/newer", base="a", kept=("old",))
    cgroup.remove(ref, kill=True)
    assert left(tmp_path) == ["a", "a/old", "a/old/older"]


# ---- writing


class Refusing:
    """files.write over a dict, with a rule for what the kernel refuses with EINVAL."""

    def __init__(self, **values: int) -> None:
        self.values = values
        self.log: list[str] = []

    def write(self, path: str, value: str) -> None:
        """Take it if no more memory than memory + swap results, nor a quota below the burst."""
        name = os.path.basename(path).replace(".", "_")
        new = {**self.values, name: int(value)}
        if name not in self.values:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        if new.get("memory_limit_in_bytes", 0) > new.get("memory_memsw_limit_in_bytes", 1 << 62):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), path)
        self.values = new
        self.log.append(f"{name}={value}")


ONE = Ref((Place("/cg", 1, ("memory", "cpu"), "/cg/x", "/cg"),))


@pytest.mark.parametrize(
    ("limit", "swap", "log"),
    [
        (200, 300, ["memory_memsw_limit_in_bytes=300", "memory_limit_in_bytes=200"]),
        (50, 60, ["memory_limit_in_bytes=50", "memory_memsw_limit_in_bytes=60"]),
    ],
    ids=["raised: swap first", "lowered: memory first"],
)
def test_limits_are_written_in_the_order_that_the_kernel_takes(
    monkeypatch: pytest.MonkeyPatch, limit: int, swap: int, log: list[str]
) -> None:
    """Without reading the old ones."""
    fake = Refusing(memory_limit_in_bytes=100, memory_memsw_limit_in_bytes=100)
    monkeypatch.setattr(files, "write", fake.write)
    limits.apply(ONE, Resources(memory=Memory(limit=limit, swap=swap)))
    assert fake.log == log


def test_what_no_order_can_help_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first refusal is told, with JSON path, value and file."""
    monkeypatch.setattr(files, "write", Refusing(memory_limit_in_bytes=10, memory_memsw_limit_in_bytes=10).write)
    with pytest.raises(HostError) as caught:
        limits.apply(ONE, Resources(memory=Memory(limit=100)))
    assert str(caught.value) == (
        'linux.resources.memory.limit: writing "100" to /cg/x/memory.limit_in_bytes: invalid argument'
        " (it cannot be more than the limit of memory and swap)"
    )


@pytest.mark.spec("config-linux.md#unified/absent")
def test_a_limit_without_its_controller_is_refused() -> None:
    """It is not silently left out."""
    with pytest.raises(HostError) as caught:
        limits.apply(ONE, Resources(pids_limit=5))
    assert str(caught.value) == (
        'linux.resources.pids.limit: the controller "pids" is not available'
        " (mount its cgroup hierarchy, or leave the limit out)"
    )


def test_a_file_is_not_created_in_place_of_a_missing_one(tmp_path: Path) -> None:
    """ENOENT, told as a cgroup that has gone where it has."""
    ref = Ref((Place(str(tmp_path), 1, ("cpu",), f"{tmp_path}/x", str(tmp_path)),))
    with pytest.raises(HostError) as caught:
        limits.apply(ref, Resources(cpu=Cpu(shares=5)))
    assert str(caught.value) == (
        f'linux.resources.cpu.shares: writing "5" to {tmp_path}/x/cpu.shares: no such file or directory'
        " (the cgroup was removed by somebody else)"
    )
    assert left(tmp_path) == []


def unified(tmp_path: Path, **contents: str) -> Ref:
    """A cgroup of v2 with these files, _ for a dot."""
    (tmp_path / "x").mkdir()
    for name, text in contents.items():
        (tmp_path / "x" / name.replace("_", ".")).write_text(text)
    return Ref((Place(str(tmp_path), 2, (), f"{tmp_path}/x", str(tmp_path)),))


@pytest.mark.spec("config-linux.md#unified/absent")
def test_a_controller_that_is_not_passed_on_is_named(tmp_path: Path) -> None:
    """On v2 a missing file means so."""
    ref = unified(tmp_path, cgroup_controllers="cpu pids\n")
    with pytest.raises(HostError) as caught:
        cgroup.apply(ref, Resources(memory=Memory(limit=5)))
    assert str(caught.value) == (
        f'linux.resources.memory.limit: the controller "memory" is not available in {tmp_path}/x'
        " (a cgroup above has processes of its own or was not given the controller, so it cannot pass it on)"
    )


@pytest.mark.spec("config-linux.md#memory/check-before-update")
def test_a_limit_below_usage_is_refused_when_asked_to_check(tmp_path: Path) -> None:
    """memory.checkBeforeUpdate: v2 would take the limit and kill."""
    ref = unified(tmp_path, memory_current="500\n", memory_max="max\n")
    with pytest.raises(ConfigError) as caught:
        cgroup.apply(ref, Resources(memory=Memory(limit=499, check_before_update=True)))
    assert str(caught.value) == (
        "linux.resources.memory.limit: 499 bytes is less than the 500 bytes in use"
        " (raise it, or leave out checkBeforeUpdate)"
    )
    cgroup.apply(ref, Resources(memory=Memory(limit=500, check_before_update=True)))
    assert (tmp_path / "x" / "memory.max").read_text() == "500\n"
