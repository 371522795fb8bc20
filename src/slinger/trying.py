"""Hooks of one stage, tried: a throwaway container of a bundle is brought to the stage, and away again.

Rule of the file: nothing is imitated. The namespaces, the state, the order and the runner are those of a container that
create and start make; only the program is another one, which waits, so that the bundle's own does not run.
"""

from __future__ import annotations

import os

from slinger.container import Container
from slinger.creation import Creation
from slinger.errors import HookError, UsageError
from slinger.host.store import prepare_root
from slinger.lifecycle import STAGE_NAMES, stage_of
from slinger.planning import read_request
from slinger.record import Record
from slinger.spec.jsontext import dump_pretty, load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from slinger.hooks.records import HookRecord
    from slinger.planning import Request
    from slinger.spec.jsontext import Json

HOLD_FD = 3
# The hands, which can also just be there; the descriptor is one that the container keeps, see init/main.c.
HOLD: list[Json] = [f"/proc/self/fd/{HOLD_FD}", "hold"]


class Trial(Record):
    """What came of it: a record of each hook that ran, and how many there are."""

    container_id: str
    records: tuple[HookRecord, ...]
    hooks: int

    @property
    def ok(self) -> bool:
        """Whether all have run, and succeeded."""
        return len(self.records) == self.hooks and all(record.ok for record in self.records)


def try_stage(request: Request, stage: str, index: int | None, warn: Callable[[str], None]) -> Trial:
    """Run the hooks of a stage, or the one of this index, as a container of the bundle would.

    ``request``: what create is asked for, with a state root of its own; descriptor 3 must be the hands' program.
    Raises UsageError where there is no such hook, and what else went wrong.
    """
    if stage not in STAGE_NAMES:
        raise UsageError(f'no such stage: "{stage}"', hint=f"the stages are {', '.join(STAGE_NAMES)}")
    config, text, _ = read_request(request, warn)
    hooks = config.hooks.of(stage)
    if not hooks or (index is not None and index >= len(hooks)):
        asked = "" if index is None else f" of index {index}"
        last = f"the last is {len(hooks) - 1}, the first 0" if len(hooks) > 1 else "the only one is 0"
        raise UsageError(f"{request.config_file}: no {stage} hook{asked}", hint=last if hooks else "there is none")
    file = os.path.join(request.root, "config.json")
    with open(file, "wb") as out:
        out.write(throwaway(load(text, request.config_file), stage, index))
    changed = request.replace(
        root=prepare_root(os.path.join(request.root, "state")),
        config_file=file,
        injection=None,
        preserve_fds=1,
    )
    records = _bring_to(stage_of(stage).verb, changed, warn)
    if index is not None:
        records = tuple(record.replace(index=index) for record in records)
    return Trial(request.container_id, records, 1 if index is not None else len(hooks))


def throwaway(document: Json, stage: str, index: int | None) -> bytes:
    """The configuration with those hooks alone, a program that waits, and no cgroup that somebody else may have."""
    root = dict(document) if isinstance(document, dict) else {}
    hooks = root.get("hooks")
    listed = hooks.get(stage) if isinstance(hooks, dict) else None
    entries = listed if isinstance(listed, list) else []
    root["hooks"] = {stage: entries if index is None else entries[index : index + 1]}
    process = root.get("process")
    if isinstance(process, dict):
        root["process"] = {**process, "args": HOLD, "terminal": False}
    linux = root.get("linux")
    if isinstance(linux, dict):
        root["linux"] = {name: value for name, value in linux.items() if name not in {"cgroupsPath", "intelRdt"}}
    return dump_pretty(root, "\t").encode()


def _bring_to(verb: str, request: Request, warn: Callable[[str], None]) -> tuple[HookRecord, ...]:
    """The records of a container's hooks up to a verb; a hook's failure is in its record."""
    creation = Creation(request, warn)
    try:
        created = creation.run()
    except HookError:
        return creation.hook_records()
    with Container.adopt(created, request.stdio, request.environment, warn) as container:
        container.hold_records()
        try:
            if verb == "start":
                container.start()
            container.delete(force=True)
        except HookError:
            pass  # its record says so, and start has removed the container
        return container.hook_records()
