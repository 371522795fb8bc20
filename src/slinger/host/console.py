"""The terminal's other end, copied to and from our own terminal."""

from __future__ import annotations

import _signal
import errno
import os
import select

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Self

CHUNK = 65536
TIOCGWINSZ, TIOCSWINSZ = 0x5413, 0x5414
WINSIZE_BYTES = 8
SIGWINCH = 28
OFLAG = 1  # where tcgetattr has the modes of output
END_OF_FILE = b"\x04"  # VEOF
END_PAUSE = 200  # milliseconds


def window_size(fd: int) -> tuple[int, int] | None:
    """(rows, columns) of a terminal; None if ``fd`` is not one."""
    import fcntl  # noqa: PLC0415 - only where there is a terminal

    if not os.isatty(fd):
        return None
    data = fcntl.ioctl(fd, TIOCGWINSZ, bytes(WINSIZE_BYTES))
    return int.from_bytes(data[0:2], "little"), int.from_bytes(data[2:4], "little")


def leave_line_ends(master: int) -> None:
    """Let lines end as the program writes them (ONLCR off), as runc does where it serves the terminal itself.

    Our own terminal puts the carriage returns in; what reads our output from a pipe or a file wants none.
    """
    import termios  # noqa: PLC0415 - only where there is a terminal

    modes = termios.tcgetattr(master)
    modes[OFLAG] &= ~termios.ONLCR
    termios.tcsetattr(master, termios.TCSANOW, modes)


class Proxy:
    """Copies between a container's terminal and our stdio, raw while it is entered, restored in the end.

    Raw but for the output: the line ends of ``leave_line_ends`` become those of a terminal in ours.
    Works as well where stdin is no terminal: then its bytes are passed on, and its end as the end of
    file that the terminal's line discipline knows (VEOF). Follows our terminal's size as it changes; the
    size to begin with was the plan's to set (ours, or ``process.consoleSize``).
    """

    def __init__(self, master: int, stdin: int, stdout: int) -> None:
        self.master = master
        self.stdin = stdin
        self._at_end = False
        self.stdout = stdout
        self._saved: list[object] | None = None
        self._handler: object = None

    def __enter__(self) -> Self:
        if os.isatty(self.stdin):
            import termios  # noqa: PLC0415
            import tty  # noqa: PLC0415

            self._saved = before = termios.tcgetattr(self.stdin)
            tty.setraw(self.stdin, termios.TCSANOW)
            modes = termios.tcgetattr(self.stdin)
            modes[OFLAG] |= before[OFLAG] & termios.OPOST
            termios.tcsetattr(self.stdin, termios.TCSANOW, modes)
            try:
                self._handler = _signal.signal(SIGWINCH, self._resize)
            except ValueError:
                pass  # not the main thread of a Python program: the size stays what it is now
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._saved is not None:
            import termios  # noqa: PLC0415

            termios.tcsetattr(self.stdin, termios.TCSADRAIN, self._saved)  # type: ignore[arg-type]
            if self._handler is not None:
                _signal.signal(SIGWINCH, self._handler)  # type: ignore[arg-type]
        os.close(self.master)

    def _resize(self, _number: int, _frame: FrameType | None) -> None:
        import fcntl  # noqa: PLC0415

        size = fcntl.ioctl(self.stdin, TIOCGWINSZ, bytes(WINSIZE_BYTES))
        try:
            fcntl.ioctl(self.master, TIOCSWINSZ, size)
        except OSError as error:
            if error.errno != errno.EIO:  # the container has ended
                raise

    def copy_until(self, done: int) -> None:
        """Copy both ways until ``done`` is readable, then what is left of the output."""
        poll = select.poll()
        poll.register(done, select.POLLIN)
        poll.register(self.master, select.POLLIN)
        poll.register(self.stdin, select.POLLIN)
        while True:
            ready = {fd for fd, _ in poll.poll(END_PAUSE if self._at_end else None)}
            if not ready:
                self._end_of_input()
            elif self.master in ready and not self._take_output():
                poll.unregister(self.master)
            elif self.stdin in ready and not self._give_input():
                poll.unregister(self.stdin)
                self._at_end = True
                self._end_of_input()
            elif done in ready and self.master not in ready:
                return

    def _take_output(self) -> bool:
        try:
            data = os.read(self.master, CHUNK)
        except OSError as error:
            if error.errno == errno.EIO:  # the last slave was closed
                return False
            raise
        view = memoryview(data)
        while view:
            view = view[os.write(self.stdout, view) :]
        return bool(data)

    def _give_input(self) -> bool:
        data = os.read(self.stdin, CHUNK)
        view = memoryview(data)
        while view:
            view = view[os.write(self.master, view) :]
        return bool(data)

    def _end_of_input(self) -> None:
        """Type the end-of-file character: again and again, since a program that sets up its terminal drops it."""
        try:
            os.write(self.master, END_OF_FILE)
        except OSError as error:
            if error.errno != errno.EIO:  # the container has ended
                raise
