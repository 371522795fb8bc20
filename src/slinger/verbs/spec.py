"""``slinger spec``: write a config.json that ``slinger run`` accepts at once."""

from __future__ import annotations

import os

from slinger.errors import HostError
from slinger.spec.default import default_config
from slinger.verbs import Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.verbs import Call

# Only the unified hierarchy has it, and only in its root (kernel: cgroup-v2.rst, "Core Interface Files").
CGROUP_V2_MARK = "/sys/fs/cgroup/cgroup.controllers"


def main(call: Call) -> Outcome:
    """Write config.json into the bundle."""
    rootless = call.options.flag("rootless") or os.geteuid() != 0
    text = default_config(
        rootless=(os.geteuid(), os.getegid()) if rootless else None,
        cgroup_v2=os.path.exists(CGROUP_V2_MARK),
    )
    write_new(os.path.join(call.options.text("bundle"), "config.json"), text)
    return Outcome()


def write_new(path: str, text: str) -> None:
    """Make the file; HostError if it is there already: it may hold somebody's work."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    except FileExistsError as error:
        message = f"{path}: exists already"
        raise HostError(message, hint="remove it first, or name another directory with --bundle") from error
    except OSError as error:
        what = "spec"
        raise HostError.of(what, error) from error
    try:
        with open(fd, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        os.unlink(path)
        error.filename = path
        what = "spec"
        raise HostError.of(what, error) from error
