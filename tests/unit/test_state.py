"""spec/state.py: the state for people and for hooks."""

from __future__ import annotations

import json

import pytest

from slinger.spec.state import State, hook_state_parts, state_text


def test_the_state_is_printed_as_runc_prints_it() -> None:
    """Members in this order, two spaces, no newline at the end."""
    state = State(
        oci_version="1.3.0",
        id="box",
        status="running",
        pid=42,
        bundle="/b",
        annotations=(("k", "v"),),
        rootfs="/b/rootfs",
        created="2025-01-02T03:04:05.6Z",
    )
    assert state_text(state) == (
        '{\n  "ociVersion": "1.3.0",\n  "id": "box",\n  "pid": 42,\n  "status": "running",\n  "bundle": "/b",\n'
        '  "rootfs": "/b/rootfs",\n  "created": "2025-01-02T03:04:05.6Z",\n  "annotations": {\n    "k": "v"\n  },\n'
        '  "owner": ""\n}'
    )


def test_a_stopped_container_has_pid_0() -> None:
    """As runc has it; and annotations are there when there are none."""
    state = json.loads(state_text(State("1.3.0", "box", "stopped", None, "/b")))
    assert (state["pid"], state["annotations"]) == (0, {})


ANNOTATIONS = (("a", 'quote "'), ("b", ""))


@pytest.mark.parametrize("pid", [1, 4194304])
@pytest.mark.parametrize("root", [None, "/b/rootfs"])
def test_the_parts_around_the_pid_are_the_state_that_hooks_read(pid: int, root: str | None) -> None:
    """Exactly the members of runtime.md, and ``root`` where there is one."""
    head, tail = hook_state_parts(
        id="box", status="creating", bundle="/bün", annotations=ANNOTATIONS, root=root, with_pid=True
    )
    expected = {
        "ociVersion": "1.3.0",
        "id": "box",
        "status": "creating",
        "pid": pid,
        "bundle": "/bün",
        "annotations": dict(ANNOTATIONS),
        **({} if root is None else {"root": root}),
    }
    assert json.loads(head + str(pid) + tail) == expected
    assert list(json.loads(head + str(pid) + tail)) == list(expected)


def test_the_text_that_hooks_read_is_compact() -> None:
    """One line of ASCII; annotations are there even when empty."""
    head, tail = hook_state_parts(id="a", status="created", bundle="/b", annotations=(), root=None, with_pid=True)
    assert (head, tail) == (
        '{"ociVersion":"1.3.0","id":"a","status":"created","pid":',
        ',"bundle":"/b","annotations":{}}',
    )


def test_a_stopped_container_has_no_pid_for_hooks() -> None:
    """The head is the whole."""
    head, tail = hook_state_parts(id="a", status="stopped", bundle="/b", annotations=(), root="/b/r", with_pid=False)
    assert head == '{"ociVersion":"1.3.0","id":"a","status":"stopped","bundle":"/b","annotations":{},"root":"/b/r"}'
    assert tail == ""
