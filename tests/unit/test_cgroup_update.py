"""Updates of a v2 cgroup, which here is a directory of plain files: pairs, refusals, and the way back."""

from __future__ import annotations

from pathlib import Path

import pytest

from slinger.errors import ConfigError, HostError
from slinger.host import cgroup
from slinger.host.cgroup import Place, Ref, files
from slinger.spec.config import Cpu, Memory, Resources

FILES = {
    "cgroup.controllers": "cpu cpuset io memory pids\n",
    "memory.current": "60\n",
    "memory.max": "100\n",
    "memory.swap.max": "50\n",
    "memory.low": "7\n",
    "cpu.max": "max 20000\n",
    "cpu.weight": "59\n",
    "cpu.idle": "0\n",
    "pids.max": "9\n",
}


@pytest.fixture
def ref(tmp_path: Path) -> Ref:
    """A cgroup with these limits."""
    path = tmp_path / "box"
    path.mkdir()
    for name, text in FILES.items():
        (path / name).write_text(text, "utf-8")
    return Ref((Place(str(tmp_path), 2, (), str(path), str(tmp_path)),))


def changes(ref: Ref) -> dict[str, str]:
    """The first line of each file that does not say what it did; what is written is not cut to its length here."""
    found: dict[str, str] = {}
    for name, text in FILES.items():
        path = Path(ref.places[0].path, name)
        if path.is_file() and (now := path.read_text("utf-8")) != text:
            found[name] = now.splitlines()[0]
    return found


@pytest.mark.parametrize(
    ("resources", "wanted"),
    [
        (Resources(memory=Memory(limit=120)), {"memory.max": "120", "memory.swap.max": "30"}),
        (Resources(memory=Memory(swap=300)), {"memory.swap.max": "200", "memory.max": "100"}),
        (Resources(memory=Memory(limit=110, swap=110)), {"memory.max": "110", "memory.swap.max": "00"}),
        (Resources(memory=Memory(swap=-1)), {"memory.swap.max": "max"}),
        (Resources(memory=Memory(limit=-1)), {"memory.max": "max", "memory.swap.max": "max"}),
        (Resources(cpu=Cpu(quota=5000)), {"cpu.max": "5000 20000"}),
        (Resources(cpu=Cpu(period=50000)), {"cpu.max": "max 50000"}),
        (Resources(cpu=Cpu(shares=1024)), {"cpu.weight": "100"}),
        (Resources(pids_limit=33), {"pids.max": "33"}),
    ],
)
def test_a_pair_that_v2_keeps_together_keeps_its_other_half(
    ref: Ref, resources: Resources, wanted: dict[str, str]
) -> None:
    """The sum of memory and swap, the period of a quota, the quota of a period."""
    cgroup.update(ref, resources, str)
    assert {name: text for name, text in changes(ref).items() if text != FILES[name].strip()} == {
        name: text for name, text in wanted.items() if text != FILES[name].strip()
    }


@pytest.mark.parametrize(
    ("resources", "text"),
    [
        (
            Resources(memory=Memory(limit=151)),
            "linux.resources.memory.swap: 150 is less than the memory limit of 151 (it counts memory and swap)",
        ),
        (
            Resources(memory=Memory(limit=59, swap=200, check_before_update=True)),
            (
                "linux.resources.memory.limit: 59 bytes is less than the 60 bytes in use"
                " (raise it, or leave out checkBeforeUpdate)"
            ),
        ),
        (
            Resources(memory=Memory(limit=-1, swap=59, check_before_update=True)),
            (
                "linux.resources.memory.swap: 59 bytes is less than the 60 bytes in use"
                " (raise it, or leave out checkBeforeUpdate)"
            ),
        ),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(ref: Ref, resources: Resources, text: str) -> None:
    """Without memory enough for the swap, or below what is in use."""
    with pytest.raises(ConfigError) as caught:
        cgroup.update(ref, resources, str)
    assert (str(caught.value), changes(ref)) == (text, {})


def test_a_limit_below_use_is_written_where_nobody_asks_to_look(ref: Ref) -> None:
    """The kernel reclaims, then kills: that is what the caller wants."""
    cgroup.update(ref, Resources(memory=Memory(limit=59, swap=200)), str)
    assert Path(ref.places[0].path, "memory.max").read_text("utf-8").startswith("59")


def test_after_a_refusal_all_is_as_before_and_the_error_speaks_the_callers_words(ref: Ref) -> None:
    """The refusal comes last here: a directory is in place of the file."""
    pids = Path(ref.places[0].path, "pids.max")
    pids.unlink()
    pids.mkdir()
    wanted = Resources(memory=Memory(limit=120, reservation=8), cpu=Cpu(idle=1, quota=70), pids_limit=5)
    with pytest.raises(HostError) as caught:
        cgroup.update(ref, wanted, lambda path: path.upper())
    assert str(caught.value) == f'LINUX.RESOURCES.PIDS.LIMIT: writing "5" to {pids}: is a directory'
    assert getattr(caught.value, "__notes__", []) == []
    shown = {name: Path(ref.places[0].path, name).read_text("utf-8").split()[0] for name in FILES if name != "pids.max"}
    assert shown == {name: text.split()[0] for name, text in FILES.items() if name != "pids.max"}


def test_what_cannot_be_set_back_is_told(ref: Ref, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the error that started it."""
    real = files.write
    written: list[str] = []

    def write(path: str, value: str) -> None:
        written.append(path.rpartition("/")[2])
        if written[-1] == "pids.max" or (written[-1] == "memory.max" and written.count("memory.max") > 1):
            raise OSError(22, "Invalid argument", path)
        real(path, value)

    monkeypatch.setattr(files, "write", write)
    with pytest.raises(HostError) as caught:
        cgroup.update(ref, Resources(memory=Memory(limit=150), pids_limit=5), str)
    assert caught.value.__notes__ == ["memory.max could not be set back to 100: invalid argument"]
