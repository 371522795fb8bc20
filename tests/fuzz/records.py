"""Invariant tested: whatever lies in a container's directory, reading it ends with a record or a SlingerError.

Files are state.json with the cgroup record in it, and hooks.jsonl. A record that is read has the types that its class
names, so that nothing stumbles over it later; it is written as it was read.
"""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from slinger.errors import SlingerError
from slinger.hooks.records import HookRecord, parse_records, to_json
from slinger.host import cgroup
from slinger.host.store import STATE, Home, Saved
from slinger.spec.jsontext import dump

REF = cgroup.Ref((cgroup.Place("/sys/fs/cgroup", 2, (), "/sys/fs/cgroup/a/box", "/sys/fs/cgroup", ("x",)),))
SAVED = Saved(
    container_id="box",
    bundle="/bundle",
    rootfs="/bundle/rootfs",
    creating=False,
    owner=0,
    created="2026-01-02T03:04:05.678901Z",
    init=(4242, 123456),
    cgroup=REF.text(),
    annotations=(("a", "b"), ("c", "")),
    namespaces=("mnt", "pid"),
    late_hooks=("poststart",),
    started=((7, "hook", "hooks.startContainer[0]", "hook", ("/sbin/ldconfig", "x")),),
)
RECORD = HookRecord(
    stage="createRuntime",
    index=1,
    path="/opt/hook",
    args=("hook", "x"),
    cwd="/bundle",
    namespaces=(),
    capabilities=0x1FF,
    status="creating",
    pid_shown=4242,
    pid=4243,
    started=1_700_000_000_000_000_000,
    duration=1_000_000,
    outcome="exit status 3",
    exit_status=3,
    stdout="out\n",
    stderr="",
    stdout_size=4,
    stderr_size=0,
)


def corpus() -> list[bytes]:
    """What slinger writes: early and late records, one hook and many."""
    line = dump(to_json(RECORD)).encode()
    killed = dump(to_json(RECORD.replace(exit_status=None, pid_shown=None, outcome="killed by SIGSEGV"))).encode()
    early = SAVED.replace(creating=True, created="", init=None, cgroup="", annotations=(), started=())
    states = [dump(dict(saved.__dict__)).encode() for saved in (SAVED, early)]
    return [*states, REF.text().encode(), line, b"\n".join([line, killed, line]) + b"\n"]


def one(data: bytes) -> None:
    """Read one text as each of the files."""
    try:
        records = parse_records(data)
        again = parse_records(b"".join(dump(to_json(record)).encode() + b"\n" for record in records))
        assert again == records
        for record in records:
            assert isinstance(record.ok, bool)
            check_types(record.__dict__, HookRecord.__annotations__)
    except SlingerError:
        pass
    with suppress(SlingerError):
        cgroup.Ref.parse(str(data, "utf-8", "surrogateescape"))
    _read_state(data)


def _read_state(data: bytes) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as place:
        Path(place, STATE).write_bytes(data)
        home = Home(place, os.open(place, os.O_RDONLY | os.O_DIRECTORY))
        try:
            saved = home.read()
            assert saved is not None
            check_types(saved.__dict__, Saved.__annotations__)
            home.write(saved)
            assert home.read() == saved
            cgroup.Ref.parse(saved.cgroup)
        except SlingerError:
            pass
        finally:
            home.close()


def check_types(values: dict[str, object], annotations: dict[str, str]) -> None:
    """Each value has the outermost type that its annotation names, and what is in a tuple can be hashed."""
    kinds: dict[str, tuple[type, ...]] = {
        "str": (str,),
        "int": (int,),
        "bool": (bool,),
        "int | None": (int, type(None)),
        "tuple[int, int] | None": (tuple, type(None)),
    }
    for name, value in values.items():
        assert type(value) in kinds.get(annotations[name], (tuple,)), f"{name}: {json.dumps(str(value))}"
        hash(value)
