"""The lifecycle of a container: statuses, what each verb may act on, and the table of hook stages.

Rule 1: all that decides what may happen when is here. Rule 2: this file knows no host, no config,
no op. Sources: runtime-spec 1.3 runtime.md (Lifecycle, Operations) and config.md (POSIX-platform Hooks).
"""

from __future__ import annotations

from slinger.errors import ContainerError
from slinger.record import Record

CREATING = "creating"
CREATED = "created"
RUNNING = "running"
PAUSED = "paused"
STOPPED = "stopped"
STATUSES = (CREATING, CREATED, RUNNING, PAUSED, STOPPED)

# Where a hook runs, and where its path is looked up.
RUNTIME = "runtime"
CONTAINER = "container"

# The point of the way through at which a stage's hooks are placed.
POINT_RUNTIME_READY = "runtime ready"  # namespaces, mounts and cgroup exist; before the pivot
POINT_BEFORE_PIVOT = "before pivot"
POINT_BEFORE_EXEC = "before exec"
POINT_AFTER_EXEC = "after exec"
POINT_AFTER_DESTROY = "after destroy"

LATE_POINTS = frozenset({POINT_AFTER_EXEC, POINT_AFTER_DESTROY})  # when the container's own plan is over

# What a failing hook does.
DESTROY = "destroy"  # error, stop the container, destroy it, run its poststop hooks
WARN = "warn"  # say so and go on with the next hook

# Which working directory a hook starts in.
CWD_BUNDLE = "bundle"
CWD_ROOT = "root"  # the container's root, not yet pivoted into
CWD_PROCESS = "process"  # process.cwd

# What stands in for an absent ``env``.
ENV_CALLER = "caller"
ENV_EMPTY = "empty"  # never the image's: CVE-2025-23266
ENV_PROCESS = "process"

# When it runs in a container that is brought back from a checkpoint: docs/lifecycle.md, "Restore and exec".
RESTORE_READY = "ready"  # namespaces and mounts exist, and none of its processes runs yet
RESTORE_NEVER = "never"
RESTORE_DELETE = "delete"  # the end of its life is as ever

# Whose pid the state shows.
PID_HOST = "host"
PID_INSIDE = "inside"
PID_ABSENT = "absent"


class Stage(Record):
    """One row of the table in docs/lifecycle.md."""

    name: str
    runs_in: str
    path_in: str
    point: str
    status: str
    pid: str
    cwd: str
    env: str
    verb: str
    failure: str
    restore: str


# fmt: off
STAGES = (
    Stage("prestart",        RUNTIME,   RUNTIME,   POINT_RUNTIME_READY, CREATING, PID_HOST,   CWD_BUNDLE,  ENV_CALLER,  "create", DESTROY, RESTORE_READY),
    Stage("createRuntime",   RUNTIME,   RUNTIME,   POINT_RUNTIME_READY, CREATING, PID_HOST,   CWD_BUNDLE,  ENV_CALLER,  "create", DESTROY, RESTORE_READY),
    Stage("createContainer", CONTAINER, RUNTIME,   POINT_BEFORE_PIVOT,  CREATING, PID_INSIDE, CWD_ROOT,    ENV_EMPTY,   "create", DESTROY, RESTORE_NEVER),
    Stage("startContainer",  CONTAINER, CONTAINER, POINT_BEFORE_EXEC,   CREATED,  PID_INSIDE, CWD_PROCESS, ENV_PROCESS, "start",  DESTROY, RESTORE_NEVER),
    Stage("poststart",       RUNTIME,   RUNTIME,   POINT_AFTER_EXEC,    RUNNING,  PID_HOST,   CWD_BUNDLE,  ENV_CALLER,  "start",  DESTROY, RESTORE_NEVER),
    Stage("poststop",        RUNTIME,   RUNTIME,   POINT_AFTER_DESTROY, STOPPED,  PID_ABSENT, CWD_BUNDLE,  ENV_CALLER,  "delete", WARN,    RESTORE_DELETE),
)
# fmt: on

STAGE_NAMES = tuple(stage.name for stage in STAGES)


def stage_of(name: str) -> Stage:
    """The row of the stage with this name; KeyError if there is none."""
    for stage in STAGES:
        if stage.name == name:
            return stage
    raise KeyError(name)


def stages_at(point: str) -> tuple[Stage, ...]:
    """The stages whose hooks are placed at this point, in the order in which they run."""
    return tuple(stage for stage in STAGES if stage.point == point)


class Rule(Record):
    """What a verb may act on, and what it says where it may not: status -> message."""

    allowed: frozenset[str]
    refusals: tuple[tuple[str, str], ...]
    otherwise: str


# The texts are those that callers look for (containerd's shim, CRI-O, podman: facts 3.4 and 3.6).
RULES = {
    "start": Rule(
        frozenset({CREATED}),
        (
            (STOPPED, "cannot start a container that has stopped"),
            (RUNNING, "cannot start an already running container"),
        ),
        "cannot start a container that is {status}",
    ),
    "kill": Rule(frozenset({CREATED, RUNNING, PAUSED}), (), "container not running"),
    # The spec allows stopped only. Engines delete a created container, so runc, crun and we do too.
    "delete": Rule(frozenset({STOPPED, CREATED}), (), "cannot delete container {id} that is not stopped: {status}"),
    "pause": Rule(frozenset({CREATED, RUNNING}), (), "container not running"),
    "resume": Rule(frozenset({PAUSED}), (), "container not paused"),
    "update": Rule(frozenset({CREATED, RUNNING, PAUSED}), (), "container not running"),
    "events": Rule(frozenset({CREATED, RUNNING, PAUSED}), (), "container with id {id} is not running"),
    "exec": Rule(
        frozenset({CREATED, RUNNING}),
        ((PAUSED, "cannot exec in a paused container (use --ignore-paused to override)"),),
        "cannot exec in a stopped container",
    ),
}


def check(verb: str, container_id: str, status: str) -> None:
    """Raise ContainerError unless ``verb`` may act on a container of this status."""
    rule = RULES[verb]
    if status not in rule.allowed:
        text = dict(rule.refusals).get(status, rule.otherwise)
        raise ContainerError(text.format(id=container_id, status=status))


def derive(*, creating: bool, alive: bool, start_pending: bool, frozen: bool) -> str:
    """The status, from what the kernel shows.

    ``creating``: the record says that create has not ended; ``alive``: init exists and is no zombie;
    ``start_pending``: nobody has started it yet; ``frozen``: its cgroup is.
    """
    if creating:
        return CREATING
    if not alive:
        return STOPPED
    if frozen:
        return PAUSED
    return CREATED if start_pending else RUNNING
