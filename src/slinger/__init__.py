"""slinger: OCI containers from Python, and the library behind the command of the same name.

    from slinger import Bundle, Container, Hook

Names are loaded when they are first used, so that ``import slinger`` costs nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.bundle import Bundle
    from slinger.container import Container, containers, history
    from slinger.errors import (
        ConfigError,
        ContainerError,
        ExistsError,
        HookError,
        HostError,
        NotFoundError,
        OpError,
        SlingerError,
        UsageError,
    )
    from slinger.hooks.functions import HookContext, Hooks, PythonHook
    from slinger.hooks.records import HookRecord
    from slinger.hooks.trace import Step, Trace
    from slinger.inject.draft import Injection
    from slinger.spec.config import Hook, Mount, Namespace
    from slinger.spec.state import State
    from slinger.spec.stats import Event, Stats

    __version__: str

__all__ = [
    "Bundle",
    "ConfigError",
    "Container",
    "ContainerError",
    "Event",
    "ExistsError",
    "Hook",
    "HookContext",
    "HookError",
    "HookRecord",
    "Hooks",
    "HostError",
    "Injection",
    "Mount",
    "Namespace",
    "NotFoundError",
    "OpError",
    "PythonHook",
    "SlingerError",
    "State",
    "Stats",
    "Step",
    "Trace",
    "UsageError",
    "__version__",
    "containers",
    "history",
]

_HOMES = {
    "Bundle": "slinger.bundle",
    "Container": "slinger.container",
    "containers": "slinger.container",
    "history": "slinger.container",
    "Trace": "slinger.hooks.trace",
    "Step": "slinger.hooks.trace",
    "Hook": "slinger.spec.config",
    "HookContext": "slinger.hooks.functions",
    "HookRecord": "slinger.hooks.records",
    "Hooks": "slinger.hooks.functions",
    "Injection": "slinger.inject.draft",
    "PythonHook": "slinger.hooks.functions",
    "Mount": "slinger.spec.config",
    "Namespace": "slinger.spec.config",
    "State": "slinger.spec.state",
    "Stats": "slinger.spec.stats",
    "Event": "slinger.spec.stats",
    "__version__": "slinger.version",
}


if not TYPE_CHECKING:  # a type checker has all names from above, and shall know that there are no others

    def __getattr__(name: str) -> object:
        if name not in __all__:
            message = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(message)
        home = __import__(_HOMES.get(name, "slinger.errors"), fromlist=[name])
        value: object = getattr(home, "VERSION" if name == "__version__" else name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted(__all__)
