"""hooks/records.py: what is kept of a run, and the error that quotes it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from slinger.errors import HostError
from slinger.hooks.records import HookRecord, failure, make_record, origin_parts, outcome, parse_records, to_json
from slinger.plan import ops
from slinger.plan.wire import HOW_EXIT, HOW_NOT_STARTED, HOW_SIGNAL, HOW_TIMEOUT, HookRan
from slinger.spec.jsontext import dump

RAN = HookRan(
    op=3,
    started=1_700_000_000_000_000_000,
    duration=5_000_000,
    pid=42,
    how=HOW_EXIT,
    value=0,
    capabilities=0x21,
    step="",
    stdout_size=0,
    stderr_size=0,
    stdout=b"",
    stderr=b"",
)
OP = ops.Hook("hooks.createRuntime[1]", by=ops.OUTER, path="/opt/x", args=("x", "y"))


def record(op: ops.Hook = OP, **changes: Any) -> HookRecord:
    """The record of a run."""
    return make_record(
        op, RAN.replace(**changes), strerror="No such file or directory", pid_shown=42, cwd="/b", differs=("pid", "mnt")
    )


@pytest.mark.parametrize(
    ("origin", "parts"), [("hooks.createRuntime[1]", ("createRuntime", 1)), ("hooks.poststop[12]", ("poststop", 12))]
)
def test_an_origin_names_stage_and_index(origin: str, parts: tuple[str, int]) -> None:
    """As the placer wrote it."""
    assert origin_parts(origin) == parts


@pytest.mark.parametrize(
    ("how", "value", "step", "text"),
    [
        (HOW_EXIT, 0, "", "exit status 0"),
        (HOW_EXIT, 3, "", "exit status 3"),
        (HOW_SIGNAL, 11, "", "killed by SIGSEGV"),
        (HOW_SIGNAL, 40, "", "killed by SIGRTMIN+6"),
        (HOW_TIMEOUT, 2, "", "timed out after 2 s"),
        (HOW_NOT_STARTED, 2, "execve", "not started: execve: no such file or directory"),
    ],
)
def test_how_a_run_ended_is_said_in_words(how: int, value: int, step: str, text: str) -> None:
    """Four ways; only an exit has a status."""
    assert outcome(RAN.replace(how=how, value=value, step=step), "No such file or directory") == text
    made = record(how=how, value=value, step=step)
    assert made.outcome == text
    assert made.exit_status == (value if how == HOW_EXIT else None)
    assert made.ok is (text == "exit status 0")


def test_a_record_tells_what_the_hook_was_given_and_what_it_left() -> None:
    """Bytes that are no text are replaced, not lost."""
    assert record(stdout=b"out\xff", stderr=b"err", stdout_size=4, stderr_size=3) == HookRecord(
        stage="createRuntime",
        index=1,
        path="/opt/x",
        args=("x", "y"),
        cwd="/b",
        namespaces=(),
        capabilities=0x21,
        status="creating",
        pid_shown=42,
        pid=42,
        started=RAN.started,
        duration=RAN.duration,
        outcome="exit status 0",
        exit_status=0,
        stdout="out\ufffd",
        stderr="err",
        stdout_size=4,
        stderr_size=3,
    )


@pytest.mark.parametrize(
    ("stage", "namespaces", "status"),
    [
        ("prestart", (), "creating"),
        ("createContainer", ("pid", "mnt"), "creating"),
        ("startContainer", ("pid", "mnt"), "created"),
        ("poststart", (), "running"),
    ],
)
def test_only_a_hook_in_the_container_has_its_namespaces(stage: str, namespaces: tuple[str, ...], status: str) -> None:
    """The table of lifecycle.py says which."""
    made = record(OP.replace(origin=f"hooks.{stage}[0]"))
    assert (made.namespaces, made.status) == (namespaces, status)


@pytest.mark.parametrize(
    ("stdout", "stderr", "quoted"),
    [
        (b"", b"", ""),
        (b"", b"no\n", ": no"),
        (b"said\n", b"", ": said"),
        (b"said\n", b" why \n", ": why"),
        (b"", b"1\n2\n\n3\n4\n", ": 2 | 3 | 4"),
        (b"", b"x" * 500, f": {'x' * 400}"),
    ],
)
def test_a_failure_names_the_hook_and_quotes_its_last_lines(stdout: bytes, stderr: bytes, quoted: str) -> None:
    """Of stderr, or else of stdout; three lines, 400 characters."""
    error = failure(record(value=3, stdout=stdout, stderr=stderr))
    assert str(error) == f"createRuntime hook #1 (/opt/x): exit status 3{quoted}"
    assert error.origin == "hooks.createRuntime[1]"


def test_a_record_survives_being_written_and_read() -> None:
    """A line each, of the names that the specification's style would give."""
    first, second = (
        record(stderr=b"a\nb", stderr_size=3),
        record(OP.replace(origin="hooks.poststop[0]"), how=HOW_SIGNAL),
    )
    lines = [dump(to_json(each)) for each in (first, second)]
    assert sorted(json.loads(lines[0])) == sorted(
        [
            *(
                "args",
                "capabilities",
                "cwd",
                "duration",
                "exitStatus",
                "index",
                "namespaces",
                "outcome",
                "path",
                "pid",
                "pidShown",
            ),
            *("stage", "started", "status", "stderr", "stderrSize", "stdout", "stdoutSize"),
        ]
    )
    assert parse_records("\n".join([*lines, ""]).encode()) == (first, second)


@pytest.mark.parametrize("text", [b"{}", b"[]", b'{"stage":"poststop"}'])
def test_a_line_that_is_no_record_is_an_error(text: bytes) -> None:
    """The first member that is missing is named."""
    missing = "index" if b"poststop" in text else "stage"
    with pytest.raises(HostError) as caught:
        parse_records(text)
    assert str(caught.value) == f"a hook record without {missing}: not written by this version of slinger"


@pytest.mark.parametrize(
    ("name", "value"),
    [("index", "1"), ("args", "x"), ("args", [["x"]]), ("exitStatus", "0"), ("pidShown", 1.5), ("stderr", None)],
)
def test_a_record_with_another_kind_of_value_is_an_error_that_names_it(name: str, value: object) -> None:
    """And nothing that the timeline stumbles over later."""
    with pytest.raises(HostError) as caught:
        parse_records(dump({**to_json(record()), name: value}).encode())
    assert str(caught.value) == (f"a hook record with another kind of {name}: not written by this version of slinger")
