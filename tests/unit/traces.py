"""Traces for tests: of a container that was created, started and deleted, as the verbs would have written it."""

from __future__ import annotations

import json
from typing import Any

from slinger.hooks.records import HookRecord, to_json
from slinger.hooks.trace import Trace, read_trace
from slinger.spec.jsontext import dump

EPOCH = 1_700_000_000_000_000_000
MS = 1_000_000
CLOCK = 5_000 * MS  # the monotonic clock at EPOCH

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>&amp;\"'`\x1b[31m\x00\u2028{red}[bold]x[/bold]"


def record(stage: str = "createRuntime", index: int = 0, **changes: Any) -> HookRecord:
    """A run that went well, 30 ms after EPOCH."""
    values: dict[str, Any] = {
        "stage": stage,
        "index": index,
        "path": "/opt/hook",
        "args": ("hook", "a b"),
        "cwd": "/bundle",
        "namespaces": (),
        "capabilities": 0x21,
        "status": "creating",
        "pid_shown": 42,
        "pid": 77,
        "started": EPOCH + 30 * MS,
        "duration": 4 * MS,
        "outcome": "exit status 0",
        "exit_status": 0,
        "stdout": "",
        "stderr": "",
        "stdout_size": 0,
        "stderr_size": 0,
    }
    return HookRecord(**{**values, **changes})


def times(*pairs: tuple[int, int]) -> str:
    """What the hands tell, in hex: (began, ended) in milliseconds after EPOCH."""
    moments = [CLOCK + at * MS if at else 0 for pair in pairs for at in pair]
    return b"".join(moment.to_bytes(8, "little") for moment in moments).hex()


def line(verb: str, **changes: Any) -> str:
    """A line of trace.jsonl: a verb that began at EPOCH."""
    values: dict[str, object] = {
        "verb": verb,
        "wall": EPOCH,
        "clock": CLOCK,
        "spans": [],
        "ops": [],
        "times": "",
        "error": "",
    }
    return json.dumps({**values, **changes})


CREATE = line(
    "create",
    spans=[["read config.json", CLOCK, CLOCK + 2 * MS], ["compile the plan", CLOCK + 2 * MS, CLOCK + 5 * MS]],
    ops=[
        [0, "KeepTimes", "", "outer", ""],
        [1, "Clone", "linux.namespaces", "outer", ""],
        [2, "MountNew", "mounts[0]", "init", "/proc"],
        [3, "Gate", "", "init", "hooks"],
        [4, "Hook", "hooks.createRuntime[0]", "outer", "/opt/hook"],
        [5, "WaitStart", "", "init", ""],
    ],
    times=times((0, 6), (6, 9), (9, 10), (10, 30), (30, 34), (34, 9_000)),
)
START = line(
    "start",
    wall=EPOCH + 9_000 * MS,
    clock=CLOCK + 9_000 * MS,
    spans=[["exec", CLOCK + 9_000 * MS, CLOCK + 9_001 * MS]],
    error="process.args: no such file",
)


def hooks_text(*records: HookRecord) -> bytes:
    """As hooks.jsonl has them."""
    return "".join(f"{dump(to_json(each))}\n" for each in records).encode()


def trace(*records: HookRecord, container_id: str = "box", lines: tuple[str, ...] = (CREATE, START)) -> Trace:
    """The trace of these verbs and hooks."""
    return read_trace(container_id, "/bundle", EPOCH + 10_000 * MS, "\n".join(lines).encode(), hooks_text(*records))


def hostile() -> Trace:
    """A trace in which every text that a stranger writes is hostile."""
    shell = record(
        path=f"/opt/{HOSTILE}",
        args=(HOSTILE,),
        cwd=HOSTILE,
        stdout=HOSTILE,
        stderr=HOSTILE * 3,
        stdout_size=99_999,
        stderr_size=3 * len(HOSTILE),
        outcome=f"not started: {HOSTILE}",
        exit_status=None,
    )
    made = json.loads(CREATE)
    made["ops"][2] = [2, "MountNew", HOSTILE, "init", HOSTILE]
    return trace(shell, container_id="box", lines=(json.dumps(made), line("start", error=HOSTILE)))
