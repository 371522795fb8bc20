"""Starting the hands and talking with them.

The hands run from a sealed copy of themselves, so nothing that a container can reach through
/proc/PID/exe is the file on the host (CVE-2019-5736).
"""

from __future__ import annotations

import _socket
import errno
import fcntl
import os
import select

from slinger.errors import HostError
from slinger.plan.wire import GO, decode_message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.plan.wire import Message

PROGRAM = "slinger-init"
MFD_EXEC = 0x10  # Linux 6.3; older kernels refuse it and need no such word
MESSAGE_LIMIT = 64 * 1024
SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
SIGKILL, SIGSTOP = 9, 19
# Back to their defaults in the hands, and so in hooks and programs: what our caller ignores (nohup, a shell's `&`) is
# not for the container. 32 and 33 are the C library's.
SIGNALS = tuple(number for number in range(1, 65) if number not in {SIGKILL, SIGSTOP, 32, 33})
FD_BYTES = 4
SIGNALLED = 128  # and the signal's number: how a shell tells that a program was killed
PATIENCE = 2000  # milliseconds; the outer process itself gives init one second (init/run.c)


def hands_path() -> str:
    """Where the installed hands are: beside the package's Python files."""
    return os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "libexec", PROGRAM)


def exit_code(status: int) -> int:
    """Of a status as waitpid(2) has it: the program's exit code, or 128 + N if signal N killed it."""
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else SIGNALLED - code


def _memfd(name: str, *, executable: bool) -> int:
    flags = os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING
    if executable:
        try:
            return os.memfd_create(name, flags | MFD_EXEC)
        except OSError:
            return os.memfd_create(name, flags)
    return os.memfd_create(name, flags)


def sealed_program() -> int:
    """A sealed memfd with the hands in it. HostError if they are not installed."""
    path = hands_path()
    try:
        source = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        missing = error.errno in {errno.ENOENT, errno.EACCES}
        hint = "slinger is not installed whole; install it again" if missing else ""
        raise HostError.of("the hands", error, hint=hint) from error
    try:
        fd = _memfd(PROGRAM, executable=True)
        while os.sendfile(fd, source, None, 1 << 30):
            pass
    finally:
        os.close(source)
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, SEALS)
    return fd


def sealed_plan(data: bytes) -> int:
    """A sealed memfd with a plan in it."""
    fd = _memfd("plan", executable=False)
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, SEALS)
    return fd


def receive_from(channel: _socket.socket) -> tuple[Message | None, int]:
    """The next message and the descriptor that came with it (or -1); None when the hands are gone."""
    try:
        data, ancillary, _flags, _address = channel.recvmsg(MESSAGE_LIMIT, _socket.CMSG_SPACE(FD_BYTES))
    except ConnectionResetError:
        return None, -1
    fd = -1
    for level, kind, payload in ancillary:
        if level == _socket.SOL_SOCKET and kind == _socket.SCM_RIGHTS:
            fd = int.from_bytes(payload[:FD_BYTES], "little")
            os.set_inheritable(fd, False)  # noqa: FBT003 - the stdlib's signature
    return (decode_message(data), fd) if data else (None, -1)


class Hands:
    """A running outer process and the channel to it."""

    def __init__(self, pid: int, channel: _socket.socket) -> None:
        self.pid = pid
        self.channel = channel
        self._reaped = False

    @classmethod
    def start(
        cls,
        plan: bytes,
        *,
        stdio: tuple[int, int, int] = (0, 1, 2),
        listener: int = -1,
        keep_fds: int = 0,
        mode: str = "detach",
        environment: tuple[str, ...] = (),
    ) -> Hands:
        """Start the outer process with this plan; ``keep_fds``: fds 3.. of ours that are the container's."""
        ours, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET | _socket.SOCK_CLOEXEC)
        opened = [theirs.fileno()]
        try:
            opened.append(sealed_plan(plan))
            program = sealed_program()
            opened.append(program)
            wanted = [theirs.fileno(), opened[1], listener]
            base = max(3 + keep_fds, *opened, *wanted, *stdio) + 1
            actions: list[tuple[int, int, int]] = []
            # To high numbers first, so that no step overwrites what a later one needs.
            moved = [base + at for at in range(3)]
            actions += [(os.POSIX_SPAWN_DUP2, fd, to) for fd, to in zip(stdio, moved, strict=True)]
            numbers = [base + 3 + at if fd >= 0 else -1 for at, fd in enumerate(wanted)]
            actions += [(os.POSIX_SPAWN_DUP2, fd, to) for fd, to in zip(wanted, numbers, strict=True) if fd >= 0]
            actions += [(os.POSIX_SPAWN_DUP2, fd, to) for to, fd in enumerate(moved)]
            argv = (PROGRAM, str(numbers[0]), str(numbers[1]), str(numbers[2]), str(keep_fds), mode)
            pid = os.posix_spawn(
                f"/proc/self/fd/{program}",
                argv,
                dict(entry.split("=", 1) for entry in environment),
                file_actions=actions,
                setsigdef=SIGNALS,
            )
        except OSError as error:
            ours.close()
            raise HostError.of("starting the hands", error) from error
        finally:
            theirs.detach()
            for fd in opened:
                os.close(fd)
        return cls(pid, ours)

    def receive(self) -> tuple[Message | None, int]:
        """The next message and the descriptor that came with it (or -1); None when the hands are gone."""
        return receive_from(self.channel)

    def go(self) -> None:
        """Let the hands pass the gate they stand at."""
        try:
            self.channel.send(GO, _socket.MSG_NOSIGNAL)
        except OSError as error:
            raise HostError.of("the hands", error) from error

    def reap(self) -> None:
        """Wait until the outer process has ended. Somebody else's wait may have taken it, which is as good."""
        if self._reaped:
            return
        try:
            os.waitpid(self.pid, 0)
        except ChildProcessError:
            pass
        self._reaped = True

    def kill(self) -> None:
        """End the outer process, and with it an init that is not on its own yet and a hook that runs.

        The closed channel tells it; only where that does not help within PATIENCE is it killed. A killed one
        could not end the hook's process group any more.
        """
        self.close()
        if self._reaped:
            return
        if not self._ends():
            try:
                os.kill(self.pid, SIGKILL)
            except ProcessLookupError:
                pass
        self.reap()

    def _ends(self) -> bool:
        """Whether the outer process ends within PATIENCE."""
        try:
            fd = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return True
        try:
            poll = select.poll()
            poll.register(fd, select.POLLIN)
            return bool(poll.poll(PATIENCE))
        finally:
            os.close(fd)

    def close(self) -> None:
        """Let go of the channel: hands that are still at work give up."""
        self.channel.close()
