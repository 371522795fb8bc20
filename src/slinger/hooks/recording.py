"""What is done with what the hands tell of hooks on their way through a plan: records are kept, functions called.

Every start loads this file, most of them for a container without hooks: no parser of config.json, no compiler.
"""

from __future__ import annotations

import os

from slinger import lifecycle
from slinger.errors import HostError
from slinger.hooks.records import failure, make_record, origin_parts, to_json
from slinger.host import machine
from slinger.host.store import HOOKS
from slinger.plan import ops
from slinger.plan.facts import Options
from slinger.record import Record
from slinger.spec.jsontext import dump

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from slinger.errors import HookError
    from slinger.hooks.records import HookRecord
    from slinger.host.store import Home, Saved
    from slinger.lifecycle import Stage
    from slinger.plan.ops import Op
    from slinger.plan.wire import HookRan
    from slinger.spec.config import Config


class Setting(Record):
    """What hooks are told about their container, besides config.json. ``pid`` 0: the hands know it, not we."""

    options: Options
    rootfs: str
    pid: int = 0
    namespaces: tuple[str, ...] = ()  # the container's that are not the runtime's
    output: tuple[str, str] = ("", "")  # files that get the hooks' stdout and stderr
    files: tuple[tuple[str, str], ...] = ()  # Saved.hook_files
    stdio: tuple[int, ...] = ()  # the container's, where they are ours too


def hook_output(annotations: tuple[tuple[str, str], ...]) -> tuple[str, str]:
    """The files that the hooks' stdout and stderr are to be appended to, "" for none: crun's annotations."""
    named = dict(annotations)
    return named.get("run.oci.hooks.stdout", ""), named.get("run.oci.hooks.stderr", "")


def setting_of(saved: Saved, environment: tuple[str, ...]) -> Setting:
    """What hooks after create are told, from the container's record."""
    options = Options(container_id=saved.container_id, bundle=saved.bundle, environment=environment)
    return Setting(
        options,
        saved.rootfs,
        saved.init[0] if saved.init else 0,
        saved.namespaces,
        hook_output(saved.annotations),
        saved.hook_files,
    )


class Recorder:
    """Turns what the hands report of hooks into records, kept in the container's directory."""

    def __init__(self, plan: dict[int, Op], home: Home, setting: Setting, warn: Callable[[str], None]) -> None:
        self.plan = plan
        self.home = home
        self.setting = setting
        self.warn = warn
        self.pid = setting.pid
        self.failure: HookError | None = None
        self.records: list[HookRecord] = []
        self._inside: int | None = None

    def look(self) -> None:
        """Note init's pid inside while it surely exists: a short program has ended before we have read of its hooks."""
        if self._inside is None:
            self._inside = machine.inside_pid(self.pid)

    def took(self, ran: HookRan) -> None:
        """Keep the record of a run; remember the failure that the hands will stop at, or warn of it."""
        op = self.plan[ran.op]
        if not isinstance(op, ops.Hook):
            message = f"the hands: a hook's record for op {ran.op}, which is none"
            raise HostError(message)
        record = make_record(
            op,
            ran,
            strerror=os.strerror(ran.value) if ran.step else "",
            pid_shown=self.shown(lifecycle.stage_of(origin_parts(op.origin)[0])),
            cwd=op.cwd or (self.setting.rootfs if op.in_root else ""),
            differs=self.setting.namespaces,
        )
        self._append(self.setting.output[0], ran.stdout, ran.stdout_size)
        self._append(self.setting.output[1], ran.stderr, ran.stderr_size)
        self.keep(record, None if record.ok else failure(record, self.setting.files), go_on=bool(op.go_on))

    def keep(self, record: HookRecord, error: HookError | None, *, go_on: bool) -> None:
        """Keep a record, and the failure if there is one: to be raised, or a warning where the next hook runs."""
        self.records.append(record)
        self.home.append_line(HOOKS, dump(to_json(record)))
        if error is not None and go_on:
            self.warn(str(error))
        elif error is not None:
            self.failure = error

    def _append(self, path: str, tail: bytes, size: int) -> None:
        """What a hook has written, appended to a file that an annotation names; a relative path is the bundle's.

        Of long output it is the end, as in the record, behind a line that says so. It is no hook's fault if the
        file cannot be written: a warning.
        """
        if not path or not size:
            return
        left_out = size - len(tail)
        note = f"[{left_out} bytes left out]\n".encode() if left_out else b""
        where = os.path.join(self.setting.options.bundle, path)
        try:
            fd = os.open(where, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)
            try:
                os.write(fd, note + tail)
                self._go_behind(fd)
            finally:
                os.close(fd)
        except OSError as error:
            self.warn(str(HostError.of("the hooks' output", error)))

    def _go_behind(self, file: int) -> None:
        """Let the program write behind the hooks where its output goes to the same file, at a place of its own."""
        written = os.fstat(file)
        for fd in self.setting.stdio:
            if os.path.samestat(os.fstat(fd), written):
                os.lseek(fd, 0, os.SEEK_END)

    def shown(self, stage: Stage) -> int | None:
        """The pid in the state that a hook of this stage gets."""
        if stage.pid == lifecycle.PID_ABSENT:
            return None
        if stage.pid == lifecycle.PID_HOST:
            return self.pid
        self.look()
        return self._inside


class Functions:
    """Hooks that are functions of the program: called where the hands stand at their gates, with what init lends."""

    def __init__(
        self, config: Callable[[], Config], recorder: Recorder, pids: Callable[[], tuple[int, ...]] = tuple
    ) -> None:
        """``config``: with the functions in its lists, asked for when one is reached; ``pids``: the container's own."""
        self._config = config
        self._recorder = recorder
        self._pids = pids
        self._lent: dict[str, int] = {}

    def lend(self, name: str, fd: int) -> None:
        """Keep a descriptor of init's until the next call is over."""
        self._lent[name] = fd

    def call(self, origin: str) -> None:
        """Call the function at this JSON path. HookError where it failed and that counts."""
        from slinger.hooks.calling import Caller  # noqa: PLC0415 - for the few programs that have functions

        recorder = self._recorder
        root = os.path.dirname(recorder.home.path)
        try:
            Caller(self._config(), recorder.setting, root, self._pids).call(origin, self._lent, recorder)
        finally:
            self.close()

    def close(self) -> None:
        """Give back what was lent."""
        while self._lent:
            os.close(self._lent.popitem()[1])
