# The C half of the signal module, which the hot path imports because `signal` itself costs `enum`.
# Here handlers and signals are plain ints, and the constants are those of the signal module.
from collections.abc import Callable, Iterable
from types import FrameType

class struct_siginfo(tuple[int, ...]):
    si_signo: int
    si_code: int
    si_errno: int
    si_pid: int
    si_uid: int
    si_status: int
    si_band: int

type _Handler = Callable[[int, FrameType | None], object] | int | None

SIG_DFL: int
SIG_IGN: int
SIG_BLOCK: int
SIG_UNBLOCK: int
SIG_SETMASK: int
NSIG: int

SIGABRT: int
SIGALRM: int
SIGBUS: int
SIGCHLD: int
SIGCONT: int
SIGFPE: int
SIGHUP: int
SIGILL: int
SIGINT: int
SIGIO: int
SIGKILL: int
SIGPIPE: int
SIGPROF: int
SIGPWR: int
SIGQUIT: int
SIGRTMAX: int
SIGRTMIN: int
SIGSEGV: int
SIGSTKFLT: int
SIGSTOP: int
SIGSYS: int
SIGTERM: int
SIGTRAP: int
SIGTSTP: int
SIGTTIN: int
SIGTTOU: int
SIGURG: int
SIGUSR1: int
SIGUSR2: int
SIGVTALRM: int
SIGWINCH: int
SIGXCPU: int
SIGXFSZ: int

def default_int_handler(signalnum: int, frame: FrameType | None, /) -> None: ...
def getsignal(signalnum: int, /) -> _Handler: ...
def pidfd_send_signal(pidfd: int, sig: int, siginfo: None = None, flags: int = 0, /) -> None: ...
def pthread_sigmask(how: int, mask: Iterable[int], /) -> set[int]: ...
def set_wakeup_fd(fd: int, /, *, warn_on_full_buffer: bool = True) -> int: ...
def signal(signalnum: int, handler: _Handler, /) -> _Handler: ...
def sigpending() -> set[int]: ...
def sigtimedwait(sigset: Iterable[int], timeout: float, /) -> struct_siginfo | None: ...
def sigwait(sigset: Iterable[int], /) -> int: ...
def sigwaitinfo(sigset: Iterable[int], /) -> struct_siginfo: ...
def strsignal(signalnum: int, /) -> str | None: ...
def valid_signals() -> set[int]: ...
