"""update: what it makes of options and documents, and what it calls a property in errors."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from slinger import cli, cli_table
from slinger.errors import ConfigError
from slinger.spec.config import BlockIo, Cpu, Memory, Resources
from slinger.verbs import update

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

MEBI = 1 << 20


class Fake:
    """A container that keeps what it is asked for, and refuses the property that ``wrong`` names."""

    asked: list[Resources]
    schemas: tuple[str, str]
    wrong: str

    @classmethod
    def load(cls, _id: str, **_options: Any) -> Self:
        """As Container.load."""
        return cls()

    def update(
        self, resources: Resources, *, l3_cache_schema: str, mem_bw_schema: str, name: Callable[[str], str]
    ) -> None:
        """As Container.update."""
        type(self).schemas = (l3_cache_schema, mem_bw_schema)
        if self.wrong:
            raise ConfigError(name(self.wrong), "no")
        self.asked.append(resources)

    def close(self) -> None:
        """As Container.close."""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Resources]:
    """What the stand-in is asked for."""
    Fake.asked, Fake.wrong = [], ""
    monkeypatch.setattr(update, "Container", Fake)
    return Fake.asked


ALL = {
    "memory": ("64m", Memory(limit=64 * MEBI)),
    "memory-swap": ("-1", Memory(swap=-1)),
    "memory-reservation": ("1.5m", Memory(reservation=3 * MEBI // 2)),
    "kernel-memory": ("1", Memory(kernel=1)),
    "kernel-memory-tcp": ("2k", Memory(kernel_tcp=2048)),
    "cpu-share": ("512", Cpu(shares=512)),
    "cpu-quota": ("-1", Cpu(quota=-1)),
    "cpu-period": ("50000", Cpu(period=50000)),
    "cpu-burst": ("0", Cpu(burst=0)),
    "cpu-idle": ("1", Cpu(idle=1)),
    "cpu-rt-runtime": ("-5", Cpu(realtime_runtime=-5)),
    "cpu-rt-period": ("7", Cpu(realtime_period=7)),
    "cpuset-cpus": ("0-1", Cpu(cpus="0-1")),
    "cpuset-mems": ("0", Cpu(mems="0")),
    "pids-limit": ("-1", -1),
    "blkio-weight": ("500", BlockIo(weight=500)),
}


@pytest.mark.parametrize("option", ALL)
def test_every_option_is_a_property(asked: list[Resources], option: str) -> None:
    """And nothing else is asked for."""
    value, record = ALL[option]
    assert cli.serve(["update", "box", f"--{option}", value]) == 0
    plain = Resources(memory=Memory(), cpu=Cpu())
    match record:
        case Memory():
            wanted = plain.replace(memory=record)
        case Cpu():
            wanted = plain.replace(cpu=record)
        case BlockIo():
            wanted = plain.replace(block_io=record)
        case number:
            wanted = plain.replace(pids_limit=number)
    assert asked == [wanted]


def test_every_option_of_the_verb_is_known_here() -> None:
    """The table of the command line and those of the verb name the same options."""
    known = {*ALL, *update.SCHEMAS, "resources"}
    assert {row.name for row in cli_table.UPDATE} == known


@pytest.mark.parametrize(
    ("option", "value", "why"),
    [
        ("memory", "much", "must be a size such as 536870912, 512m or 1.5g, or -1, not"),
        ("memory-swap", "-2", "must be a size such as 536870912, 512m or 1.5g, or -1, not"),
        ("cpu-share", "-1", "must be a whole number from 0, not"),
        ("cpu-share", str(1 << 64), "must be a whole number from 0, not"),
        ("cpu-quota", "1.5", "must be a whole number, not"),
        ("blkio-weight", "70000", "must be a whole number from 0, not"),
        ("pids-limit", "", "must be a whole number, not"),
        ("cpuset-cpus", "", "must be a list such as 0-2,4, not"),
    ],
)
def test_a_bad_value_names_the_option(
    asked: list[Resources], capfd: pytest.CaptureFixture[str], option: str, value: str, why: str
) -> None:
    """Before any container is looked for."""
    assert cli.serve(["update", "box", f"--{option}", value]) == 1
    assert (capfd.readouterr().err, asked) == (f'slinger: update --{option}: {why} "{value}"\n', [])


@pytest.mark.parametrize("option", sorted(update.OPTIONS.values()))
def test_an_error_of_a_property_names_the_option(
    asked: list[Resources], capfd: pytest.CaptureFixture[str], option: str
) -> None:
    """It is what the caller wrote."""
    (path,) = (path for path, name in update.OPTIONS.items() if name == option)
    Fake.wrong = f"linux.resources.{path}"
    assert cli.serve(["update", "box", option, ALL[option[2:]][0]]) == 1
    assert (capfd.readouterr().err, asked) == (f"slinger: {option}: no\n", [])


def test_a_document_says_it_all(asked: list[Resources], capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Options beside it are ignored, as by runc, but not silently; so are properties that nobody knows."""
    document = tmp_path / "limits.json"
    document.write_text('{"memory": {"limit": 5, "Swap": 6}, "CPU": {}, "x": 1}', "utf-8")
    assert cli.serve(["update", "--pids-limit", "7", "-r", str(document), "box"]) == 0
    assert asked == [Resources(memory=Memory(limit=5))]
    assert capfd.readouterr().err.splitlines() == [
        "slinger: warning: --pids-limit: ignored, because --resources is given",
        'slinger: warning: resources.CPU: unknown property, ignored (did you mean "cpu"?)',
        "slinger: warning: resources.x: unknown property, ignored",
        'slinger: warning: resources.memory.Swap: unknown property, ignored (did you mean "swap"?)',
    ]


def test_a_document_may_come_from_standard_input(asked: list[Resources], monkeypatch: pytest.MonkeyPatch) -> None:
    """As engines send it."""
    reader, writer = os.pipe()
    os.write(writer, b'{"pids": {"limit": 9}}')
    os.close(writer)
    real = os.read

    def read(fd: int, size: int) -> bytes:
        return real(fd or reader, size)

    monkeypatch.setattr(os, "read", read)
    assert cli.serve(["update", "--resources", "-", "box"]) == 0
    os.close(reader)
    assert asked == [Resources(pids_limit=9)]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('{"memory": {"limit": "5"}}', 'resources.memory.limit: expected an integer, got "5"'),
        ("[]", "resources: expected an object, got an array"),
        ('{"pids": 1,}', "{file}: invalid JSON at line 1 column 12: expecting a member name in double quotes"),
    ],
)
def test_a_wrong_document_is_refused_with_the_path(
    asked: list[Resources], capfd: pytest.CaptureFixture[str], tmp_path: Path, text: str, error: str
) -> None:
    """Of the property, or the file's."""
    document = tmp_path / "limits.json"
    document.write_text(text, "utf-8")
    assert cli.serve(["update", "-r", str(document), "box"]) == 1
    assert (capfd.readouterr().err, asked) == (f"slinger: {error.format(file=document)}\n", [])


def test_a_missing_document_is_refused(asked: list[Resources], capfd: pytest.CaptureFixture[str]) -> None:
    """By the name that was given."""
    assert cli.serve(["update", "-r", "/no/where", "box"]) == 1
    assert (capfd.readouterr().err, asked) == ("slinger: --resources /no/where: no such file or directory\n", [])


def test_schemas_are_no_resources(asked: list[Resources], capfd: pytest.CaptureFixture[str]) -> None:
    """They go to resctrl, and an error has the option's name."""
    words = ["update", "--l3-cache-schema", "L3:0=f", "--mem-bw-schema", "MB:0=50", "box"]
    assert cli.serve(words) == 0
    assert (asked, Fake.schemas) == ([Resources(memory=Memory(), cpu=Cpu())], ("L3:0=f", "MB:0=50"))
    Fake.wrong = "linux.intelRdt.memBwSchema"
    assert cli.serve(words) == 1
    assert capfd.readouterr().err == "slinger: --mem-bw-schema: no\n"
