"""Functions as hooks, for the tests: what they say from inside, and a whole life with them."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import pytest

from slinger import HookContext, HookError, HookRecord, Hooks, State
from tests.integration.shop import Shop

STAGES = {
    "prestart": "prestart",
    "create_runtime": "createRuntime",
    "create_container": "createContainer",
    "start_container": "startContainer",
    "poststart": "poststart",
    "poststop": "poststop",
}
COUNTED = [name for name in STAGES if name != "poststop"]  # those whose failure counts
INSIDE = ("create_container", "start_container")
NAMESPACES = ("cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts")


def say(text: str) -> None:
    """A line for the record, by a function that runs in another process."""
    sys.stdout.write(f"{text}\n")


def tell(**facts: object) -> None:
    """Facts for the record."""
    say(json.dumps(facts))


def calling(act: Callable[[], object]) -> Callable[[State, HookContext], None]:
    """A hook that does not look at what it gets."""

    def hook(_state: State, _context: HookContext) -> None:
        act()

    return hook


def told(record: HookRecord) -> dict[str, Any]:
    """The facts again."""
    facts: dict[str, Any] = json.loads(record.stdout)
    return facts


def look(state: State, context: HookContext) -> None:
    """What an inside function sees."""
    tell(
        stage=context.stage,
        status=state.status,
        shown=state.pid,
        root=state.rootfs,
        pid=os.getpid(),
        cwd=os.getcwd(),
        host=os.uname().nodename,
        uid=os.getuid(),
        gid=os.getgid(),
        groups=os.getgroups(),
        umask=os.umask(0),  # noqa: TID251 - of its own process
        uts=os.fstat(context.namespaces["uts"]).st_ino,
        files=sorted(os.listdir()),
    )


def run(shop: Shop, given: Hooks, *, warn: Callable[[str], None] = print, **options: Any) -> list[HookRecord]:
    """A whole life; the records of its hooks."""
    with shop.bundle("true", **options) as bundle, shop.create(bundle, hooks=given, warn=warn) as container:
        container.start()
        assert container.wait() == 0
        container.delete()
        return list(container.hook_records())


def failure(shop: Shop, hooks: Hooks, **options: Any) -> HookError:
    """The error in which create or start ends."""
    with (
        shop.bundle("sleep", "60", **options) as bundle,
        pytest.raises(HookError) as caught,
        shop.create(bundle, hooks=hooks) as container,
    ):
        container.start()
    return caught.value


def fail(_state: State, _context: HookContext) -> NoReturn:
    """The exception of the tests."""
    raise ValueError("no such network")
