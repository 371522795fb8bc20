"""Hooks that are functions: what a program gives to create, and what a function is given when it runs."""

from __future__ import annotations

from slinger.errors import ConfigError, UsageError
from slinger.lifecycle import STAGE_NAMES
from slinger.record import Record
from slinger.spec.config import Call, Hook
from slinger.spec.config import Hooks as Lists
from slinger.spec.jsontext import dump, load
from slinger.spec.validate import check_hooks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import TypeAlias

    from slinger.spec.config import Config
    from slinger.spec.state import State

    Function: TypeAlias = Callable[[State, "HookContext"], object]


class PythonHook(Record):
    """A function as a hook, with what a bare function cannot say: ``timeout`` in whole seconds, at least 1."""

    function: Function
    timeout: int | None = None


class HookContext(Record):
    """What a function knows besides the state. Descriptors are lent: they are closed when it has returned.

    ``pid``: init's pid as the function's own process sees the host; 0 when it is gone (poststop). ``namespaces``:
    a descriptor of each of init's namespaces, by its name in /proc/PID/ns, and ``root`` one of the
    container's root directory, for ``dir_fd``; {} and None after start, where processes of the container's run.
    ``rootfs``: its path in the runtime's mount namespace. ``deadline``: what time.monotonic() says when the time is
    over, or None.
    """

    stage: str
    index: int
    pid: int
    bundle: str
    rootfs: str
    namespaces: Mapping[str, int]
    root: int | None = None
    deadline: float | None = None


class Hooks:
    """Hooks for one container, besides those of its bundle, and after them: commands and functions in any order.

    A function is called with the State and a HookContext; one that is ``async`` is awaited. What it returns is
    ignored, an exception is the hook's failure. Commands (Hook) are written into the container's record like the
    bundle's own; functions exist in this program alone.
    """

    def __init__(
        self,
        *,
        prestart: Sequence[Hook | PythonHook | Function] = (),
        create_runtime: Sequence[Hook | PythonHook | Function] = (),
        create_container: Sequence[Hook | PythonHook | Function] = (),
        start_container: Sequence[Hook | PythonHook | Function] = (),
        poststart: Sequence[Hook | PythonHook | Function] = (),
        poststop: Sequence[Hook | PythonHook | Function] = (),
    ) -> None:
        """Raises UsageError for an entry that is neither a hook nor can be called."""
        given = (prestart, create_runtime, create_container, start_container, poststart, poststop)
        self.lists = tuple(
            (stage, tuple(_entry(each, f"hooks.{stage}[{at}]") for at, each in enumerate(hooks)))
            for stage, hooks in zip(STAGE_NAMES, given, strict=True)
            if hooks
        )

    def added_to(self, config: Config, text: bytes) -> tuple[Config, bytes, dict[str, Call]]:
        """A configuration with these behind its own, its text with the commands, and the functions by JSON path.

        ConfigError for a command that cannot be one.
        """
        calls = self.behind(config.hooks)
        commands = self.commands()
        if commands.lists:
            lists = tuple((stage, config.hooks.of(stage) + commands.of(stage)) for stage in STAGE_NAMES)
            config = config.replace(hooks=Lists(tuple((stage, hooks) for stage, hooks in lists if hooks)))
            check_hooks(config)
            text = _with_hooks(text, config.hooks)
        return config.replace(hooks=with_calls(config.hooks, calls)), text, calls

    def commands(self) -> Lists:
        """Those that can be written down."""
        kept = ((stage, tuple(each for each in hooks if not isinstance(each, Call))) for stage, hooks in self.lists)
        return Lists(tuple((stage, hooks) for stage, hooks in kept if hooks))

    def behind(self, lists: Lists) -> dict[str, Call]:
        """The functions by their JSON path, when these come behind the hooks of a bundle."""
        return {
            f"hooks.{stage}[{len(lists.of(stage)) + at}]": each
            for stage, hooks in self.lists
            for at, each in enumerate(hooks)
            if isinstance(each, Call)
        }


def _with_hooks(text: bytes, hooks: Lists) -> bytes:
    document = load(text, "config.json")
    if isinstance(document, dict):
        document["hooks"] = hooks_json(dict(hooks.lists))  # type: ignore[assignment]
    return dump(document).encode()


def hooks_json(hooks: Mapping[str, Sequence[Hook]]) -> dict[str, object]:
    """Lists of commands as config.json has them. ConfigError for an unknown stage."""
    for stage in hooks:
        if stage not in STAGE_NAMES:
            raise ConfigError(f"hooks.{stage}", "no such stage", hint=f"the stages are {', '.join(STAGE_NAMES)}")
    return {stage: [_hook_json(hook) for hook in each] for stage, each in hooks.items()}


def _hook_json(hook: Hook) -> dict[str, object]:
    members = {"path": hook.path, "args": hook.args, "env": hook.env, "timeout": hook.timeout}
    return {name: value for name, value in members.items() if value is not None}


def _entry(given: Hook | PythonHook | Function, place: str) -> Hook:
    if isinstance(given, Hook):
        return given
    hook = given if isinstance(given, PythonHook) else PythonHook(given)
    if not callable(hook.function):
        message = f"{place}: neither a Hook nor a function: {hook.function!r}"
        raise UsageError(message, hint="Hook(path, ...) is a command")
    if hook.timeout is not None and hook.timeout < 1:
        path = f"{place}.timeout"
        raise ConfigError(path, f"must be at least 1, got {hook.timeout}", hint="leave it out for no limit")
    return Call(path=name_of(hook.function), timeout=hook.timeout, function=hook.function)


def name_of(function: Callable[..., object]) -> str:
    """``module.function``, as records and errors name it."""
    name = getattr(function, "__qualname__", "") or type(function).__qualname__
    module = getattr(function, "__module__", "") or type(function).__module__
    return f"{module}.{name}"


def with_calls(lists: Lists, calls: Mapping[str, Call]) -> Lists:
    """Lists of commands with the functions put back in their places."""
    merged: list[tuple[str, tuple[Hook, ...]]] = []
    for stage in STAGE_NAMES:
        hooks: list[Hook] = list(lists.of(stage))
        at = 0
        # A function's place counts functions and commands, so the places are filled in their order.
        while at <= len(hooks):
            call = calls.get(f"hooks.{stage}[{at}]")
            if call is not None:
                hooks.insert(at, call)
            at += 1
        if hooks:
            merged.append((stage, tuple(hooks)))
    return Lists(tuple(merged))
