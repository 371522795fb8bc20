"""A function of the program's, called inside a container: in a process forked from ours that enters its namespaces.

    program   |  fork ......... listens: how it ended, what it wrote; at the timeout it ends the group of the callee
    entrant   |       enters the namespaces, forks again (a pid namespace is entered by children alone), waits
    callee    |                 becomes who it is to be, seals itself off (guard.py), calls the function, tells, ends

Only the thread that calls survives a fork: a lock that another thread held stays held for ever in the copy. The callee
has all of the program's memory and descriptors, so it runs only while no process of the container's own does, and is
never dumpable.
"""

from __future__ import annotations

import _signal
import _socket
import fcntl
import os
import select
import sys

from slinger.errors import HostError
from slinger.host.inside.entering import Entry, become, conceal, enter, prepare
from slinger.host.inside.guard import seal
from slinger.record import Record
from slinger.spec.jsontext import dump, load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

RETURNED, RAISED, TIMED_OUT, NOT_ENTERED = "returned", "raised", "timed out", "not entered"
KILLED, LEFT = "killed", "left"  # by a signal; by os._exit, before it returned
SIGKILL = 9
TAIL = 8192  # of each stream, as the hands keep it
TEXT = 4096  # of an exception's message
FRAMES = 32
MESSAGE_LIMIT = 128 * 1024  # of both texts at their longest, as JSON
CHUNK = 1 << 16


class Ended(Record):
    """How a call ended. ``frames`` are (file, line, function); ``what``: exception, signal or exit status."""

    how: str
    what: str = ""
    frames: tuple[tuple[str, int, str], ...] = ()
    pid: int = 0
    stdout: bytes = b""
    stderr: bytes = b""
    stdout_size: int = 0
    stderr_size: int = 0


def call_inside(entry: Entry, function: Callable[[], object], timeout: float | None) -> Ended:
    """Call the function in the container; ``timeout`` in seconds. HostError where there can be no process."""
    prepare()
    call = _Call()
    # No handler of the program's may raise in the entrant, which would go on as the program.
    mask = _signal.pthread_sigmask(_signal.SIG_BLOCK, _signal.valid_signals())
    try:
        try:
            call.pid = os.fork()
        except OSError as error:
            raise HostError.of("a process for the hook", error) from error
        if call.pid == 0:
            _be_entrant(call, entry, function)
        try:
            _signal.pthread_sigmask(_signal.SIG_SETMASK, mask)
            return call.attend(timeout)
        except BaseException:  # such as a KeyboardInterrupt: the program goes its way, and nothing of ours stays inside
            call.abandon()
            raise
    finally:
        _signal.pthread_sigmask(_signal.SIG_SETMASK, mask)
        call.close()


# ---- the program's side


class _Stream:
    """The last bytes of what the callee writes."""

    def __init__(self) -> None:
        self.reader, self.writer = os.pipe()
        fcntl.fcntl(self.reader, fcntl.F_SETFL, os.O_NONBLOCK)
        self.tail = b""
        self.size = 0
        self.ended = False

    def drain(self) -> None:
        """Take what is there, and not more than a pipe holds: who writes for ever does not keep us here."""
        try:
            data = b"" if self.ended else os.read(self.reader, CHUNK)
        except BlockingIOError:
            return
        self.ended = not data
        self.size += len(data)
        self.tail = (self.tail + data)[-TAIL:]


class _Call:
    """One call: its processes as far as we know them, its streams, and the socket on which they tell."""

    def __init__(self) -> None:
        self.pid = 0  # the entrant
        self.callee = 0
        self.dismissed = False
        self.result: dict[str, object] = {}
        self.out, self.err = _Stream(), _Stream()
        self.ours, self.theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)

    def attend(self, timeout: float | None) -> Ended:
        """Listen until the callee has ended, or make it end."""
        self.theirs.close()
        for stream in (self.out, self.err):
            os.close(stream.writer)
            stream.writer = -1
        status = self._listen(timeout)
        if status is None:
            self._end()
        self.out.drain()
        self.err.drain()
        self._dismiss()
        return self._ended(status)

    def abandon(self) -> None:
        """End both processes; how they ended does not matter any more."""
        if not self.dismissed:
            self._end()
        self._dismiss()

    def _dismiss(self) -> None:
        """Let the entrant go, and wait for its end. From here on the callee's pid may be somebody else's."""
        self.dismissed = True
        try:
            # Not a closed socket: another thread's fork may have a copy of this end.
            self.ours.send(b"G", _socket.MSG_NOSIGNAL)
        except OSError:
            pass  # it is gone
        try:
            os.waitpid(self.pid, 0)
        except ChildProcessError:
            pass  # somebody else of the program waits for all children

    def _listen(self, timeout: float | None) -> int | None:
        """The callee's wait status; None when the time is over."""
        from time import monotonic  # noqa: PLC0415 - a builtin module, for who gets here alone

        poll = select.poll()
        for fd in (self.ours.fileno(), self.out.reader, self.err.reader):
            poll.register(fd, select.POLLIN)
        end = None if timeout is None else monotonic() + timeout
        while True:
            left = None if end is None else max(0, int((end - monotonic()) * 1000) + 1)
            events = poll.poll(left)
            if not events and end is not None and monotonic() >= end:
                return None
            for fd, _ in events:
                if fd != self.ours.fileno():
                    stream = self.out if fd == self.out.reader else self.err
                    stream.drain()
                    if stream.ended:
                        poll.unregister(fd)
                elif (status := self._hear()) is not None:
                    return status

    def _hear(self) -> int | None:
        """Take one message: the wait status when it is the last."""
        data = self.ours.recv(MESSAGE_LIMIT)
        if not data:
            return SIGKILL  # the entrant was killed, and the callee with it
        message = load(data, "the hook's process")
        told: dict[str, object] = message if isinstance(message, dict) else {}  # type: ignore[assignment]
        if "callee" in told:
            self.callee = int(str(told["callee"]))
            return None
        if "status" in told:
            return int(str(told["status"]))
        self.result = told
        return None

    def _end(self) -> None:
        """The callee with its group: it has not been waited for, so the pid is still its own. The entrant follows."""
        doomed = ((os.killpg, self.callee), (os.kill, self.callee)) if self.callee else ((os.kill, self.pid),)
        for kill, pid in doomed:
            try:
                kill(pid, SIGKILL)
            except ProcessLookupError:
                continue

    def _ended(self, status: int | None) -> Ended:
        how, what = str(self.result.get("how", "")), str(self.result.get("what", ""))
        frames: list[list[object]] = self.result.get("frames", [])  # type: ignore[assignment]
        if status is None:
            how, what = TIMED_OUT, ""
        elif not how:
            code = os.waitstatus_to_exitcode(status)
            how, what = (KILLED, str(-code)) if code < 0 else (LEFT, str(code))
        return Ended(
            how,
            what,
            tuple((str(file), int(str(line)), str(name)) for file, line, name in frames) if how == RAISED else (),
            pid=self.callee,
            stdout=self.out.tail,
            stderr=self.err.tail,
            stdout_size=self.out.size,
            stderr_size=self.err.size,
        )

    def close(self) -> None:
        """Let go of all descriptors."""
        self.ours.close()
        self.theirs.close()
        for stream in (self.out, self.err):
            os.close(stream.reader)
            if stream.writer >= 0:
                os.close(stream.writer)


# ---- inside


def _be_entrant(call: _Call, entry: Entry, function: Callable[[], object]) -> NoReturn:
    """The first of the two processes, to its end. Whatever happens, nothing of the program's goes on here."""
    try:
        conceal()
        os.setsid()  # what a terminal sends is for the program to take, which may well go on
        _forget_signals()
        call.ours.close()
        enter(entry)
        me = os.pidfd_open(os.getpid())
        callee = os.fork()
        if callee == 0:
            _be_callee(call, entry, function, me)
        _tell(call, {"callee": callee})
        ended = os.waitid(os.P_PID, callee, os.WEXITED | os.WNOWAIT)
        assert ended is not None  # noqa: S101 - only with WNOHANG is there none
        exited = ended.si_code == os.CLD_EXITED
        # It stays a zombie until the program has heard of it, so that its pid is nobody else's.
        _tell(call, {"status": ended.si_status << 8 if exited else ended.si_status})
        call.theirs.recv(1)
        # A zombie left to whoever adopts orphans would hold up the end of its pid namespace.
        os.waitpid(callee, 0)
    except BaseException as error:  # noqa: BLE001 - there is no caller to raise to
        _tell(call, {"how": NOT_ENTERED, "what": _words(error)})
        _tell(call, {"status": 0})
    os._exit(0)


def _be_callee(call: _Call, entry: Entry, function: Callable[[], object], entrant: int) -> NoReturn:
    """The process in which the function is called."""
    try:
        os.setsid()
        become(entry)
        conceal()
        if select.select([entrant], [], [], 0)[0]:
            os._exit(1)  # it went before it could take us with it
        _redirect(call)
        seal(entry.filter)
    except BaseException as error:  # noqa: BLE001 - there is no caller to raise to
        _tell(call, {"how": NOT_ENTERED, "what": _words(error)})
        os._exit(0)
    result: dict[str, object] = {"how": RETURNED}
    try:
        function()
    except BaseException as error:  # noqa: BLE001 - SystemExit too is not the program's here
        result = {"how": RAISED, "what": _words(error), "frames": _frames(error)}
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue  # closed by the function, or nobody reads: what it had to say was said
    _tell(call, result)
    os._exit(0)


def _forget_signals() -> None:
    """The handlers are the program's: what ends this process is to end it."""
    _signal.set_wakeup_fd(-1)
    for number in _signal.valid_signals():
        if callable(_signal.getsignal(number)):
            _signal.signal(number, _signal.SIG_DFL)
    _signal.pthread_sigmask(_signal.SIG_SETMASK, ())


def _redirect(call: _Call) -> None:
    """Standard input is empty; output goes to the record, not into buffers that the program had half filled."""
    empty, writer = os.pipe()  # and not /dev/null, which may be any file of the container's, and one to wait for
    os.close(writer)
    for to, fd in enumerate((empty, call.out.writer, call.err.writer)):
        os.dup2(fd, to)
    sys.stdout = open(1, "w", encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115


def _words(error: BaseException) -> str:
    """``ValueError: text``; a text that cannot be had is left out."""
    try:
        text = str(error)[:TEXT]
    except Exception:  # noqa: BLE001 - a __str__ of the program's
        text = ""
    name = type(error).__qualname__
    return f"{name}: {text}" if text else name


def _frames(error: BaseException) -> list[list[object]]:
    """The frames from the function on; their lines are looked up outside, where the files are the program's."""
    found: list[list[object]] = []
    trace = error.__traceback__.tb_next if error.__traceback__ else None
    while trace is not None:
        code = trace.tb_frame.f_code
        found.append([code.co_filename, trace.tb_lineno, code.co_name])
        trace = trace.tb_next
    return found[:FRAMES]


def _tell(call: _Call, message: dict[str, object]) -> None:
    try:
        call.theirs.send(dump(message).encode("utf-8", "backslashreplace"), _socket.MSG_NOSIGNAL)
    except OSError:
        os._exit(1)  # the program is gone
