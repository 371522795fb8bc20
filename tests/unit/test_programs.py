"""host/programs.py: programs of an image, which may be made to be looked at."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from slinger.host.programs import look_at

if TYPE_CHECKING:
    from pathlib import Path

HEADER = 64


def elf(*, at: int = HEADER, size: int = 56, count: int = 1, where: int = 120, length: int = 8) -> bytes:
    """A program of 64 bits whose only program header names a loader, which is none that there is."""
    head = bytearray(HEADER)
    head[:6] = b"\x7fELF\x02\x01"
    head[32:40] = at.to_bytes(8, "little")
    head[54:58] = size.to_bytes(2, "little") + count.to_bytes(2, "little")
    row = bytearray(56)
    row[0] = 3
    row[8:16] = where.to_bytes(8, "little")
    row[32:40] = length.to_bytes(8, "little")
    return bytes(head + row) + b"/no/ld\0\0"


def looked(tmp_path: Path, data: bytes, size: int = 0) -> str:
    """What is wrong with such a program; ``size``: of the file, in which the rest is a hole."""
    file = tmp_path / "program"
    file.write_bytes(data)
    file.chmod(0o755)
    if size:
        os.truncate(file, size)
    return look_at("/program", str(tmp_path)).why


def test_a_loader_that_is_missing_is_named(tmp_path: Path) -> None:
    """So the next tests are of the same program."""
    assert looked(tmp_path, elf()) == "its loader /no/ld: no such file or directory"


@pytest.mark.parametrize(
    "fields",
    [{"at": (1 << 64) - 1}, {"at": 1 << 63}, {"where": (1 << 64) - 1}, {"where": 1 << 63}, {"length": (1 << 64) - 1}],
)
def test_numbers_that_no_file_reaches_are_no_crash(tmp_path: Path, fields: dict[str, int]) -> None:
    """The header is the image's, and off_t has a sign."""
    assert looked(tmp_path, elf(**fields)) in {"", "its loader /no/ld: no such file or directory"}


def test_a_table_of_4_gb_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel takes none above 64 kB; a file of holes costs an image nothing."""
    asked: list[int] = []

    def pread(_fd: int, size: int, _at: int) -> bytes:
        asked.append(size)
        return b""

    monkeypatch.setattr(os, "pread", pread)
    assert looked(tmp_path, elf(size=0xFFFF, count=0xFFFF), 1 << 33) == ""
    assert all(size <= 1 << 16 for size in asked)
