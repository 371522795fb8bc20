"""Reports made comparable: one flat table of `key: text`, with everything removed that differs from run to run."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from tests.bundles import Bundle, Json, mapping, sequence, text

# In a pid namespace of its own the program is 1 and its parent 0; all other numbers differ from run to run.
LARGEST_STABLE_PID: Final = 1
DROPPED: Final = ("keyring:id",)
LIBRARY_SIGNALS: Final = 1 << 31 | 1 << 32  # 32 and 33

Flat = Mapping[str, str]


def namespace_ids(directory: str) -> dict[str, str]:
    """Read the identities in a /proc/PID/ns directory, by name."""
    return {name: os.readlink(f"{directory}/{name}") for name in sorted(os.listdir(directory))}


def normalise(report: Mapping[str, Json], bundle: Bundle, known: Mapping[str, str]) -> dict[str, str]:
    """Flatten a report of the payload.

    known: names for identities of namespaces ("net:[4026531833]" -> "host"); others become "own".
    """
    parts = dict(report)
    parts["mounts"] = _mounts(parts["mounts"])
    parts["namespaces"] = {
        name: known.get(text(identity), "own" if "[" in text(identity) else identity)
        for name, identity in mapping(parts["namespaces"]).items()
    }
    for name in ("pid", "ppid", "pgid", "sid"):
        number = parts[name]
        parts[name] = number if isinstance(number, int) and number <= LARGEST_STABLE_PID else "other"
    flat = {key: _stable(value, bundle) for key, value in _flatten("", parts) if key not in DROPPED}
    return {key: _volatile(key, value) for key, value in flat.items()}


def _mounts(table: Json) -> dict[str, Json]:
    """Turn the mount table into an object by mount point; a second mount there is called `POINT #2`."""
    if isinstance(table, str):
        return {"error": table}
    points: dict[str, Json] = {}
    for line in sequence(table):
        entry = dict(mapping(line))
        point = re.sub(r"^/proc/(?!1/)\d+/", "/proc/PID/", text(entry.pop("point")))
        count = 1 + sum(name == point or name.startswith(f"{point} #") for name in points)
        points[point if count == 1 else f"{point} #{count}"] = entry
    return points


def _flatten(key: str, value: Json) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        if not value:
            yield key, "{}"
        for name, inner in value.items():
            yield from _flatten(f"{key}:{name}" if key else name, inner)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        yield key, " ".join(str(inner) for inner in value)
    else:
        yield key, str(value)


def _stable(value: str, bundle: Bundle) -> str:
    value = value.replace(str(bundle.directory), "BUNDLE").replace(bundle.container, "ID")
    value = re.sub(r"\b(shared|master|propagate_from):\d+", r"\1:N", value)
    value = re.sub(r"^/proc/(?!1$)\d+$", "/proc/PID", value)  # a working directory
    return re.sub(r"\b(pipe|socket|anon_inode|mnt|net|ipc):\[\d+\]", r"\1", value)


def _volatile(key: str, value: str) -> str:
    """Reduce what /proc and /sys say about the machine's present state to "some"."""
    if key == "signalsIgnored" and value != "None":
        # The C library's two own signals: whoever was started by its posix_spawn (all that make starts) has them
        # ignored, and only slinger gives the container a clean slate.
        return f"{int(value, 16) & ~LIBRARY_SIGNALS:016x}"
    live = key.startswith(("probes:/proc/", "probes:/sys/"))
    if live and key.endswith((":text", ":size")) and value not in {"", "0"}:
        return "some"
    if live and ":entries:" in key:
        return "listed"
    return value
