"""The calls of the differential test: a verb on a container in some status, and calls that are wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

STATUSES: Final = ("absent", "created", "running", "paused", "stopped")
FRESH: Final = "@NEW@"  # an id that no container has


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call: @ID@ is the container's id, @BUNDLE@ its bundle, @NEW@ an id that is free, @FILE@ a path that is free.

    shows: the answer is JSON, whose members are compared.
    """

    name: str
    status: str
    words: tuple[str, ...]
    shows: bool = False


def on_every_status(name: str, *words: str, statuses: tuple[str, ...] = STATUSES) -> tuple[Call, ...]:
    """Make a call for each status."""
    shows = name in {"state", "list of JSON"}
    return tuple(Call(name=f"{name}, {status}", status=status, words=words, shows=shows) for status in statuses)


def wrong(name: str, *words: str, status: str = "absent") -> Call:
    """Make a call that should not do anything."""
    return Call(name=name, status=status, words=words)


ON_STATUS: Final = (
    *on_every_status("state", "state", "@ID@"),
    *on_every_status("list of JSON", "list", "--format", "json"),
    *on_every_status("list of ids", "list", "--quiet", statuses=("absent", "running")),
    *on_every_status("start", "start", "@ID@"),
    *on_every_status("kill", "kill", "@ID@", "KILL"),
    *on_every_status("kill --all", "kill", "--all", "@ID@", "KILL"),
    *on_every_status("kill of a harmless signal", "kill", "@ID@", "WINCH"),
    *on_every_status("delete", "delete", "@ID@"),
    *on_every_status("delete --force", "delete", "--force", "@ID@"),
    *on_every_status("pause", "pause", "@ID@"),
    *on_every_status("resume", "resume", "@ID@"),
    *on_every_status("exec", "exec", "@ID@", "/bin/payload", "true"),
    *on_every_status("ps", "ps", "--format", "json", "@ID@"),
    *on_every_status("create", "create", "--bundle", "@BUNDLE@", "@ID@"),
    *on_every_status("update", "update", "--pids-limit", "50", "@ID@"),
)
WRONG: Final = (
    *(wrong(f"{verb} without an id", verb) for verb in ("state", "start", "kill", "delete", "pause", "exec", "create")),
    *(wrong(f"{verb} of two ids", verb, "@ID@", "other") for verb in ("state", "start", "pause", "create")),
    *(wrong(f"{verb} with an unknown option", verb, "--nonsense", "@ID@") for verb in ("state", "kill", "create")),
    wrong("no verb"),
    wrong("unknown verb", "nonsense"),
    wrong("unknown global option", "--nonsense", "list"),
    wrong("help", "--help"),
    wrong("help of a verb", "create", "--help"),
    wrong("version", "--version"),
    wrong("kill of an unknown signal", "kill", "@ID@", "NONSENSE", status="running"),
    wrong("kill of signal 0", "kill", "@ID@", "0", status="running"),
    wrong("kill of a signal with SIG", "kill", "@ID@", "SIGWINCH", status="running"),
    wrong("kill of a signal in small letters", "kill", "@ID@", "winch", status="running"),
    wrong("kill of a number", "kill", "@ID@", "28", status="running"),
    wrong("kill of a number too large", "kill", "@ID@", "99", status="running"),
    wrong("kill of a real-time signal", "kill", "@ID@", "RTMIN+1", status="running"),
    *(wrong(f"create of the id {name!r}", "create", "--bundle", "@BUNDLE@", name) for name in (
        "", ".", "..", "a/b", "../x", "a b", "\u00fc", "-", "a" * 300, "a:b", "a\nb", "a%b", "a+b",
    )),
    wrong("create of a missing bundle", "create", "--bundle", "/no/such", FRESH),
    wrong("create of a bundle that is a file", "create", "--bundle", "/etc/passwd", FRESH),
    wrong("create of a bundle without a config", "create", "--bundle", "/etc", FRESH),
    wrong("create of a missing --config", "create", "--bundle", "@BUNDLE@", "--config", "/no/such", FRESH),
    wrong("create with a pid file nowhere", "create", "--pid-file", "/no/such/x", "--bundle", "@BUNDLE@", FRESH),
    wrong("create with a console socket", "create", "--console-socket", "/no/such", "--bundle", "@BUNDLE@", FRESH),
    wrong("run of a missing bundle", "run", "--bundle", "/no/such", FRESH),
    wrong("run of an id that is there", "run", "--bundle", "@BUNDLE@", "@ID@", status="running"),
    wrong("create with a number that is none", "create", "--preserve-fds", "x", "--bundle", "@BUNDLE@", FRESH),
    wrong("list of an unknown format", "list", "--format", "nonsense"),
    wrong("ps of an unknown format", "ps", "--format", "nonsense", "@ID@", status="running"),
    wrong("log to a missing place", "--log", "/no/such/file", "list"),
    wrong("log of an unknown format", "--log-format", "nonsense", "list"),
    wrong("delete of an id that climbs", "delete", "../x"),
    wrong("state of an id that climbs", "state", "../../etc"),
    wrong("spec over a config", "spec", "--bundle", "@BUNDLE@"),
    wrong("update of nothing", "update", "@ID@", status="running"),
    wrong("update of a bad number", "update", "--memory", "nonsense", "@ID@", status="running"),
    wrong("update of a missing file", "update", "--resources", "/no/such", "@ID@", status="running"),
)  # fmt: skip

CALLS: Final = (*ON_STATUS, *WRONG)
