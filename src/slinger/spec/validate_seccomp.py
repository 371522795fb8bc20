"""Checks of linux.seccomp: config-linux.md, "Seccomp"; seccomp(2); seccomp_unotify(2)."""

from __future__ import annotations

from slinger.errors import ConfigError
from slinger.linux.seccomp import ACTIONS, ARCHITECTURES, FLAGS, LARGEST_ERRNO, NOTIFY, OPERATORS
from slinger.spec.values import demand_absolute, demand_within, quote, refuse_nul_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.spec.config import Config, Seccomp, SeccompRule

_FOR_LISTENERS = "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"  # without one the kernel answers EINVAL
_LAST_ARGUMENT = 5  # a system call has six


def check_seccomp(config: Config) -> None:
    """Words are known, numbers fit, and notifications have a listener. Unknown system calls are skipped later."""
    seccomp = config.linux.seccomp
    if seccomp is None:
        return
    at = "linux.seccomp"
    _demand_word("action", seccomp.default_action, ACTIONS, f"{at}.defaultAction")
    _check_errno(seccomp.default_errno_ret, seccomp.default_action, f"{at}.defaultErrnoRet")
    for index, architecture in enumerate(seccomp.architectures):
        _demand_word("architecture", architecture, ARCHITECTURES, f"{at}.architectures[{index}]")
    for index, flag in enumerate(seccomp.flags or ()):
        _demand_word("flag", flag, FLAGS, f"{at}.flags[{index}]")
        if flag == _FOR_LISTENERS and all(rule.action != NOTIFY for rule in seccomp.syscalls):
            raise ConfigError(f"{at}.flags[{index}]", f"{flag} needs a rule with {NOTIFY}")
    for index, rule in enumerate(seccomp.syscalls):
        _check_rule(rule, f"{at}.syscalls[{index}]")
    _check_listener(seccomp, at)


def _check_rule(rule: SeccompRule, at: str) -> None:
    if not rule.names:
        raise ConfigError(f"{at}.names", "must have at least one entry")
    for index, name in enumerate(rule.names):
        if not name:
            raise ConfigError(f"{at}.names[{index}]", "must not be empty")
        refuse_nul_in(name, f"{at}.names[{index}]")
    _demand_word("action", rule.action, ACTIONS, f"{at}.action")
    _check_errno(rule.errno_ret, rule.action, f"{at}.errnoRet")
    for index, arg in enumerate(rule.args):
        demand_within(arg.index, 0, _LAST_ARGUMENT, f"{at}.args[{index}].index")
        _demand_word("operator", arg.op, OPERATORS, f"{at}.args[{index}].op")


def _check_errno(errno: int | None, action: str, at: str) -> None:
    """config-linux.md: an action that takes no errno with an errno MUST be an error."""
    if errno is None:
        return
    if action not in LARGEST_ERRNO:
        raise ConfigError(at, f"{action} takes no errno")
    demand_within(errno, 0, LARGEST_ERRNO[action], at)


def _check_listener(seccomp: Seccomp, at: str) -> None:
    """Somebody must answer a notification, and the runtime's own report of the listener needs write(2)."""
    if seccomp.listener_path:
        demand_absolute(seccomp.listener_path, f"{at}.listenerPath")
    elif seccomp.listener_metadata:
        raise ConfigError(f"{at}.listenerMetadata", "needs listenerPath")
    if seccomp.default_action == NOTIFY:
        raise ConfigError(f"{at}.defaultAction", f"must not be {NOTIFY}")
    for index, rule in enumerate(seccomp.syscalls):
        if rule.action != NOTIFY:
            continue
        if not seccomp.listener_path:
            raise ConfigError(f"{at}.syscalls[{index}].action", f"{NOTIFY} needs linux.seccomp.listenerPath")
        if "write" in rule.names:
            raise ConfigError(
                f"{at}.syscalls[{index}].names[{rule.names.index('write')}]", f"write must not be {NOTIFY}"
            )


def _demand_word(kind: str, word: str, known: dict[str, int], at: str) -> None:
    if word not in known:
        raise ConfigError(at, f"unknown {kind} {quote(word)}")
