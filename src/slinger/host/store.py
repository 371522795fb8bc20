"""Where containers are remembered: one directory a container below the state root.

    <root>/<id>/state.json     what was made, written before it is made (tmp + rename)
    <root>/<id>/config.json    the configuration as it was at create
    <root>/<id>/start          the socket that init listens on until it is started
    <root>/<id>/hooks.jsonl    a record a line of every hook that ran
    <root>/<id>/trace.jsonl    a line for each verb that was called: what it spent its time on

The directory is locked (flock) while a verb changes it. A directory whose record says "creating" and
which nobody has locked was left by a create that was killed.
"""

from __future__ import annotations

import _socket
import errno
import fcntl
import os

from slinger.errors import ExistsError, HostError, NotFoundError, UsageError
from slinger.record import Record, frozen
from slinger.spec.jsontext import dump, load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self

ID_LIMIT = 255
ID_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-.")
STATE, CONFIG, START, HOOKS, TRACE = "state.json", "config.json", "start", "hooks.jsonl", "trace.jsonl"
READ_SIZE = 1 << 20


def default_root(environment: dict[str, str] | None = None) -> str:
    """``/run/slinger``; without privilege ``$XDG_RUNTIME_DIR/slinger``, or a directory of one's own in /tmp."""
    env = os.environ if environment is None else environment
    if os.geteuid() == 0 and env.get("USER", "root") == "root":
        return "/run/slinger"
    runtime = env.get("XDG_RUNTIME_DIR", "")
    if runtime:
        return f"{runtime}/slinger"
    return "/run/slinger" if os.geteuid() == 0 else f"/tmp/slinger-{os.geteuid()}"  # noqa: S108 - checked to be ours


def check_id(container_id: str) -> None:
    """Raise UsageError unless it can be a directory name and nothing more (runc's alphabet, and not hidden)."""
    if not container_id:
        raise UsageError("invalid container ID format: empty")
    if len(container_id) > ID_LIMIT:
        message = f"invalid container ID format: {len(container_id)} characters, at most {ID_LIMIT} are allowed"
        raise UsageError(message)
    for character in container_id:
        if character not in ID_CHARACTERS:
            message = f'invalid container ID format: "{container_id}": invalid character "{character}"'
            raise UsageError(message, hint="letters, digits and _+-. are allowed")
    if container_id.startswith("."):
        message = f'invalid container ID format: "{container_id}" starts with a dot'
        raise UsageError(message, hint="it would be hidden")


def prepare_root(root: str) -> str:
    """The state root, made if missing, absolute; refused if it is / or another user could write there."""
    root = os.path.abspath(root)
    if root == "/":
        raise UsageError("--root: / cannot be the state directory")
    try:
        os.makedirs(root, mode=0o700, exist_ok=True)
        info = os.stat(root)
    except OSError as error:
        raise HostError.of("the state directory", error, hint="choose another with --root") from error
    if info.st_uid not in {os.geteuid(), 0}:
        message = f"the state directory {root}: belongs to user {info.st_uid}"
        raise HostError(message, hint="choose another with --root")
    return root


class Saved(Record):
    """state.json. ``created`` is RFC 3339; ``init`` is (pid, start time) or None; ``cgroup`` as the driver wrote it."""

    container_id: str
    bundle: str
    rootfs: str
    creating: bool
    owner: int
    created: str = ""
    init: tuple[int, int] | None = None
    cgroup: str = ""
    annotations: tuple[tuple[str, str], ...] = ()
    namespaces: tuple[str, ...] = ()  # those that are not the runtime's, as in /proc/PID/ns
    late_hooks: tuple[str, ...] = ()  # stages after create's plan that have hooks
    hook_files: tuple[tuple[str, str], ...] = ()  # JSON path of a hook -> the file from which it was added
    started: tuple[tuple[int, str, str, str, tuple[str, ...]], ...] = ()  # plan.plan.started_ops
    resctrl: tuple[str, str, bool, str] = ("", "", False, "")  # host.resctrl.Groups
    calls: tuple[str, ...] = ()  # hooks that are functions of the program that created it, by JSON path
    trace_dir: str = ""  # where the records go when the container is deleted; "" for nowhere
    listener: tuple[str, str] = ("", "")  # linux.seccomp.listenerPath and listenerMetadata


class Home:
    """One container's directory, held open. Locked unless it was opened only to look."""

    def __init__(self, path: str, fd: int) -> None:
        self.path = path
        self.fd = fd

    @property
    def container_id(self) -> str:
        """The id, which is the directory's name."""
        return os.path.basename(self.path)

    @classmethod
    def make(cls, root: str, container_id: str) -> tuple[Self, bool]:
        """A new directory, locked; True if a killed create's was taken over. ExistsError if the id is in use."""
        check_id(container_id)
        path = f"{prepare_root(root)}/{container_id}"
        while True:
            fresh = True
            try:
                os.mkdir(path, 0o711)
            except FileExistsError:
                fresh = False
            except OSError as error:
                raise HostError.of("the container's directory", error) from error
            try:
                home = cls.try_lock(path)
            except FileNotFoundError:
                continue  # somebody removed it in this moment
            if home is None:
                raise ExistsError("container with given ID already exists")
            if home.is_current():
                break
            home.close()
        saved = home.read()
        if not fresh and saved is not None and not saved.creating:
            home.close()
            raise ExistsError("container with given ID already exists")
        return home, not fresh

    @classmethod
    def find(cls, root: str, container_id: str) -> Self:
        """The directory of a container, not locked. NotFoundError if there is none."""
        check_id(container_id)
        path = f"{os.path.abspath(root)}/{container_id}"
        try:
            return cls(path, _open_directory(path))
        except FileNotFoundError:
            raise NotFoundError("container does not exist") from None
        except OSError as error:
            raise HostError.of("the container's directory", error) from error

    @classmethod
    def try_lock(cls, path: str) -> Self | None:
        """The directory, locked; None if somebody else has locked it. FileNotFoundError if it is gone."""
        fd = _open_directory(path)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(fd)
            if error.errno == errno.EWOULDBLOCK:
                return None
            raise HostError.of("locking the container's directory", error) from error
        return cls(path, fd)

    def lock(self) -> None:
        """Wait until nobody else changes this container."""
        fcntl.flock(self.fd, fcntl.LOCK_EX)

    def unlock(self) -> None:
        """Let others change this container."""
        fcntl.flock(self.fd, fcntl.LOCK_UN)

    def locked(self) -> _Locked:
        """A context in which nobody else changes this container."""
        return _Locked(self)

    def is_current(self) -> bool:
        """Whether the directory that we hold is still the one of this name."""
        try:
            named = os.stat(self.path)
        except FileNotFoundError:
            return False
        held = os.fstat(self.fd)
        return (named.st_dev, named.st_ino) == (held.st_dev, held.st_ino)

    def read_file(self, name: str) -> bytes | None:
        """A file of the directory; None if it does not exist."""
        try:
            fd = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=self.fd)
        except FileNotFoundError:
            return None
        try:
            return b"".join(iter(lambda: os.read(fd, READ_SIZE), b""))
        finally:
            os.close(fd)

    def write_file(self, name: str, data: bytes) -> None:
        """Replace a file as a whole: a reader sees the old or the new one. HostError, and then it is the old one."""
        draft = f".{name}"
        try:
            self._write(draft, os.O_TRUNC, data)
            os.rename(draft, name, src_dir_fd=self.fd, dst_dir_fd=self.fd)
        except OSError as error:
            raise self._refused(name, error) from error

    def append_line(self, name: str, line: str) -> None:
        """One line more, in one write. HostError."""
        try:
            self._write(name, os.O_APPEND, line.encode("utf-8", "surrogateescape") + b"\n")
        except OSError as error:
            raise self._refused(name, error) from error

    def _write(self, name: str, how: int, data: bytes) -> None:
        fd = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | how, 0o600, dir_fd=self.fd)
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(fd, view) :]
        finally:
            os.close(fd)

    def _refused(self, name: str, error: OSError) -> HostError:
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        hint = "make room there, or choose another state directory with --root" if full else ""
        return HostError(f"{self.path}/{name}: {(error.strerror or str(error)).lower()}", hint=hint)

    def hold(self, name: str, *, make: bool) -> int:
        """A descriptor of a file, to read when the directory is gone; -1 if it is missing and not to be made.

        The caller closes it.
        """
        try:
            return os.open(name, os.O_RDWR | (os.O_CREAT if make else 0) | os.O_CLOEXEC, 0o600, dir_fd=self.fd)
        except FileNotFoundError:
            return -1

    def read(self) -> Saved | None:
        """The record; None if a killed create had not written it yet."""
        data = self.read_file(STATE)
        if data is None:
            return None
        values = load(data, f"{self.path}/{STATE}")
        if not isinstance(values, dict) or values.keys() != set(Saved.FIELDS):
            message = f"{self.path}/{STATE}: not a record of this version of slinger"
            raise HostError(message)
        fields = {name: frozen(value) for name, value in values.items()}
        wrong = Saved.misfit(fields)
        if wrong:
            raise HostError(f"{self.path}/{STATE}: {wrong} is not as this version of slinger writes it")
        return Saved(**fields)  # type: ignore[arg-type]

    def write(self, saved: Saved) -> None:
        """Replace the record."""
        self.write_file(STATE, dump(dict(saved.__dict__)).encode())

    def listen(self) -> _socket.socket:
        """The socket on which init waits for ``start``. HostError."""
        listener = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET | _socket.SOCK_CLOEXEC)
        try:
            # Through the descriptor, since a socket's path may have 107 bytes and a state root may be deeper.
            listener.bind(f"/proc/self/fd/{self.fd}/{START}")
            listener.listen(1)
        except OSError as error:
            listener.close()
            raise self._refused(START, error) from error
        return listener

    def start_pending(self) -> bool:
        """Whether nobody has started the container yet."""
        try:
            os.stat(START, dir_fd=self.fd)
        except FileNotFoundError:
            return False
        return True

    def connect(self) -> _socket.socket:
        """To init, for start. OSError if it does not listen."""
        caller = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET | _socket.SOCK_CLOEXEC)
        try:
            caller.connect(f"/proc/self/fd/{self.fd}/{START}")
        except OSError:
            caller.close()
            raise
        return caller

    def forget_start(self) -> None:
        """The container was started."""
        try:
            os.unlink(START, dir_fd=self.fd)
        except FileNotFoundError:
            return

    def remove(self) -> None:
        """Remove the directory and all that is in it (files only; we make no others)."""
        for name in os.listdir(self.fd):
            os.unlink(name, dir_fd=self.fd)
        os.rmdir(self.path)

    def close(self) -> None:
        """Let go of the directory and its lock."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


class _Locked:
    def __init__(self, home: Home) -> None:
        self._home = home

    def __enter__(self) -> None:
        self._home.lock()

    def __exit__(self, *_exception: object) -> None:
        if self._home.fd >= 0:
            self._home.unlock()


def _open_directory(path: str) -> int:
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def remove_unwritten(root: str, container_id: str) -> None:
    """Remove the directory of a create that was killed before it had written its record.

    Nothing happens if there is none, if it has a record, or while a create is at work in it.
    """
    check_id(container_id)
    try:
        home = Home.try_lock(f"{os.path.abspath(root)}/{container_id}")
    except FileNotFoundError:
        return
    if home is None:
        return
    try:
        if home.is_current() and home.read() is None:
            home.remove()
    finally:
        home.close()


def ids(root: str) -> tuple[str, ...]:
    """The ids below a state root, sorted. FileNotFoundError if the root does not exist."""
    return tuple(
        sorted(name for name in os.listdir(root) if ID_CHARACTERS.issuperset(name) and not name.startswith("."))
    )
