"""The Trace Event Format as its readers take it: what Perfetto's importer of JSON does with each event.

Rule of the file: what the importer drops, moves to another track or counts as an error is an AssertionError here. It
reads numbers as doubles, and times as microseconds that it rounds to nanoseconds (json_trace_tokenizer.cc,
json_trace_parser.cc of google/perfetto, August 2026).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

METADATA: Final = {
    "process_name": "name",
    "thread_name": "name",
    "process_sort_index": "sort_index",
    "thread_sort_index": "sort_index",
}
LARGEST: Final = 2**32 - 1


class Slice(NamedTuple):
    """What becomes of a complete event; in nanoseconds."""

    began: int
    ended: int
    name: str


def nanoseconds(value: float) -> int:
    """A time as it is read."""
    assert type(value) in {int, float}
    return math.floor(float(value) * 1000 + 0.5)


def imported(document: Mapping[str, Any]) -> dict[str, list[Slice]]:
    """The slices of each thread, by its name, in their order."""
    assert document["displayTimeUnit"] in {"ms", "ns"}
    names: dict[tuple[int, int], str] = {}
    threads: dict[tuple[int, int], list[Slice]] = {}
    for event in document["traceEvents"]:
        place = (event["pid"], event["tid"])
        assert all(type(number) is int and 0 <= number <= LARGEST for number in place)
        assert isinstance(event["name"], str)
        assert event["name"]
        if event["ph"] == "M":
            value = event["args"][METADATA[event["name"]]]
            assert isinstance(value, int) if event["name"].endswith("index") else value
            if event["name"] == "thread_name":
                names[place] = value
            continue
        assert event["ph"] == "X"
        assert isinstance(event["cat"], str)
        assert isinstance(event["args"], dict)
        began, duration = nanoseconds(event["ts"]), nanoseconds(event["dur"])
        assert duration >= 0
        threads.setdefault(place, []).append(Slice(began, began + duration, event["name"]))
    for slices in threads.values():
        slices.sort(key=lambda each: (each.began, -each.ended))
        check_nesting(slices)
    return {names[place]: slices for place, slices in threads.items()}


def check_nesting(slices: list[Slice]) -> None:
    """Of two on one thread one ends before the other begins, or lies in it whole."""
    opened: list[Slice] = []
    for each in slices:
        while opened and opened[-1].ended <= each.began:
            opened.pop()
        assert not opened or each.ended <= opened[-1].ended, f"{each} overlaps {opened[-1]}"
        opened.append(each)
