"""stats and events: samples, the table, its JSON, and when they end."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from slinger import cli
from slinger.errors import ContainerError, HostError
from slinger.linux.sizes import size_text
from slinger.spec.stats import (
    BlockEntry,
    BlockStats,
    CpuStats,
    Event,
    MemoryStats,
    MemoryUse,
    PidsStats,
    Stats,
)
from slinger.verbs import events, stats, stats_live
from slinger.verbs.stats import Sample

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

MEBI = 1 << 20
USED = Stats(
    cpu=CpuStats(total=3 * 10**9),
    memory=MemoryStats(
        usage=MemoryUse(limit=64 * MEBI, usage=20 * MEBI), raw=(("total_inactive_file", 4 * MEBI), ("cache", 1))
    ),
    pids=PidsStats(7, 100),
    block=BlockStats(
        service_bytes=(BlockEntry(8, 0, "Read", 4096), BlockEntry(8, 16, "Read", 4), BlockEntry(8, 0, "Write", 1))
    ),
)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0"),
        (1023, "1023"),
        (1024, "1.0K"),
        (1536, "1.5K"),
        (102400, "100K"),
        (64 * MEBI, "64.0M"),
        (1 << 50, "1.0P"),
    ],
)
def test_sizes_have_a_unit_and_three_digits(size: int, text: str) -> None:
    """For people."""
    assert size_text(size) == text


class Fake:
    """Containers as ``found`` lists them: id, status, and what ``stats`` answers or raises."""

    found: dict[str, tuple[str, Stats | Exception]]
    looks: int

    def __init__(self, name: str) -> None:
        self.id = name

    @classmethod
    def load(cls, name: str, **_options: Any) -> Self:
        """As Container.load."""
        if name not in cls.found:
            raise ContainerError("container does not exist")
        return cls(name)

    def status(self) -> str:
        """As Container.status."""
        return self.found[self.id][0]

    def stats(self) -> Stats:
        """As Container.stats."""
        answer = self.found[self.id][1]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def events(self, interval: float) -> Iterator[Event]:
        """As Container.events."""
        yield Event("oom", f"{self.id} {interval}")
        yield Event("oom", "again")

    def close(self) -> None:
        """As Container.close."""


class Clock:
    """In place of the module time: a second a call, and nobody sleeps; ``interrupt`` comes instead of sleep."""

    def __init__(self, interrupt: BaseException | None = None) -> None:
        self._seconds = 0.0
        self._interrupt = interrupt

    def monotonic(self) -> float:
        """As time.monotonic."""
        self._seconds += 1
        return self._seconds

    def sleep(self, _seconds: float) -> None:
        """As time.sleep."""
        if self._interrupt is not None:
            raise self._interrupt


def all_fakes(_root: str, _warn: object) -> tuple[Fake, ...]:
    """As containers(); each look takes one away."""
    Fake.looks -= 1
    if Fake.looks < 0:
        Fake.found = {}
    return tuple(Fake(name) for name in Fake.found)


@pytest.fixture(autouse=True)
def fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two containers that can be seen for as many looks as a test says; time goes a second a call."""
    Fake.found = {"box": ("running", USED), "bare": ("paused", HostError("no cgroup"))}
    Fake.looks = 100
    monkeypatch.setattr(stats, "Container", Fake)
    monkeypatch.setattr(events, "Container", Fake)
    monkeypatch.setattr(stats, "containers", all_fakes)
    monkeypatch.setattr("slinger.verbs.stats.time", Clock())


TABLE = """\
ID    STATUS   CPU %  MEMORY  LIMIT  MEM %   PIDS  READ  WRITTEN
box   running    0.0   16.0M  64.0M   25.0  7/100  4.0K        1
bare  paused     0.0       0      -      -      0     0        0
"""


@pytest.mark.parametrize("option", ["--once", "--no-stream"])
def test_once_is_one_table(capfd: pytest.CaptureFixture[str], option: str) -> None:
    """What the kernel can drop is not in use; a container without a cgroup has a row too."""
    assert cli.serve(["stats", option]) == 0
    assert capfd.readouterr() == (TABLE, "")


def test_json_is_an_array_a_line(capfd: pytest.CaptureFixture[str]) -> None:
    """Bytes, and null for what is not limited."""
    assert cli.serve(["stats", "--once", "--json", "box"]) == 0
    assert json.loads(capfd.readouterr().out) == [
        {
            "id": "box",
            "status": "running",
            "cpuPercent": 0.0,
            "cpuTotal": 3 * 10**9,
            "memory": 16 * MEBI,
            "memoryLimit": 64 * MEBI,
            "pids": 7,
            "pidsLimit": 100,
            "read": 4100,
            "written": 1,
        }
    ]


def test_without_a_terminal_tables_follow_each_other_until_nothing_is_left(capfd: pytest.CaptureFixture[str]) -> None:
    """And then it ends well."""
    Fake.looks = 3
    assert cli.serve(["stats"]) == 0
    assert capfd.readouterr() == (TABLE + TABLE, "")


def test_no_containers_are_a_heading(capfd: pytest.CaptureFixture[str]) -> None:
    """A state root that is not there has none."""
    Fake.found = {}
    assert cli.serve(["stats", "--once"]) == 0
    assert capfd.readouterr().out.split() == " ".join(stats.HEAD).split()


@pytest.mark.parametrize(
    ("name", "message"), [("none", "container does not exist"), ("ended", "container with id ended is not running")]
)
def test_a_named_container_must_be_there(capfd: pytest.CaptureFixture[str], name: str, message: str) -> None:
    """And run."""
    Fake.found["ended"] = ("stopped", USED)
    assert cli.serve(["stats", "--once", "box", name]) == 1
    assert capfd.readouterr() == ("", f"slinger: {message}\n")


def test_a_named_container_that_ends_meanwhile_ends_its_table(capfd: pytest.CaptureFixture[str]) -> None:
    """That is no error: it was there, and it was shown."""
    looks = iter(("running", "running", "stopped"))

    class Ending(Fake):
        """Stopped at the third look."""

        def status(self) -> str:
            return next(looks)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stats, "Container", Ending)
        assert cli.serve(["stats", "box"]) == 0
    assert capfd.readouterr() == (
        "\n".join(TABLE.splitlines()[:2]).replace("ID  ", "ID ").replace("box  ", "box ") + "\n",
        "",
    )


def test_a_share_is_time_used_between_two_looks() -> None:
    """In percent of one cpu; a container that was not there before has none yet."""
    before = [Sample("a", "running", 10.0, 10**9), Sample("b", "running", 10.0, 10**9)]
    now = [Sample("a", "running", 12.0, 4 * 10**9), Sample("c", "running", 12.0, 5), Sample("b", "running", 12.0, 3)]
    assert [each.cpu_share for each in stats.shares(now, before)] == [150.0, None, None]


def test_an_interrupt_is_how_one_ends_it(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    """No error, no message."""
    monkeypatch.setattr("slinger.verbs.stats.time", Clock(KeyboardInterrupt()))
    assert cli.serve(["stats"]) == 0
    assert capfd.readouterr() == ("", "")


def test_the_table_of_a_terminal_has_the_same_cells() -> None:
    """rich draws it; what looks like its markup is an id."""
    console = Console(file=io.StringIO(), width=120)
    console.print(stats_live.drawn([Sample("[red]x", "running", 0.0, memory=1536)]))
    assert isinstance(console.file, io.StringIO)
    lines = [line.split() for line in console.file.getvalue().splitlines()]
    assert lines == [" ".join(stats.HEAD).split(), ["[red]x", "running", "-", "1.5K", "-", "-", "0", "0", "0"]]


def test_without_rich_the_way_out_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plain table needs nothing."""
    monkeypatch.setitem(__import__("sys").modules, "rich.live", None)
    with pytest.raises(HostError) as caught:
        stats_live.live([], 1.0, lambda now: now)
    assert str(caught.value) == f"{stats_live.MISSING} ({stats_live.HINT})"


@pytest.mark.parametrize("verb", ["stats", "events"])
@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("5", 'must be a time such as 5s, 100ms or 1m30s, not "5"'),
        ("0s", 'must be greater than 0, not "0s"'),
        ("-1s", 'must be greater than 0, not "-1s"'),
    ],
)
def test_a_bad_interval_is_refused(capfd: pytest.CaptureFixture[str], verb: str, text: str, why: str) -> None:
    """Before anything is looked at."""
    assert cli.serve([verb, "--interval", text, "box"]) == 1
    assert capfd.readouterr() == ("", f"slinger: {verb} --interval: {why}\n")


def test_events_are_written_as_they_come(capfd: pytest.CaptureFixture[str]) -> None:
    """One a line, until there are no more."""
    assert cli.serve(["events", "--interval=1500ms", "box"]) == 0
    assert capfd.readouterr() == ('{"type":"oom","id":"box 1.5"}\n{"type":"oom","id":"again"}\n', "")


def test_statistics_once_are_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    """And nothing is waited for."""
    assert cli.serve(["events", "--stats", "box"]) == 0
    line = json.loads(capfd.readouterr().out)
    assert (line["type"], line["id"], line["data"]["pids"]) == ("stats", "box", {"current": 7, "limit": 100})
