"""The known differences in what verbs do and how they end, each with its reason."""

from __future__ import annotations

from typing import Final

from tests.peers.row import Difference, rows

STATES: Final = ("state, *", "list of JSON, *")

VERB_DIFFERENCES: Final[tuple[Difference, ...]] = (
    *rows("slinger", "member annotations", "annotations are in the state even when there are none", *STATES),
    *rows("all", "member ociVersion", "that of the specification that each runtime follows", "state, *"),
    *rows("all", "member ociVersion", "crun leaves it out", "list of JSON, *"),
    *rows("crun", "member rootfs", "runc adds rootfs, an absolute path; crun the config's, or nothing", *STATES),
    *rows("crun", "member owner, member systemd-scope", "members that crun adds or fills in", "state, *"),
    *rows("runc", "answers", "runc prints the help on stdout after a call that is wrong"),
    *rows(
        *("crun", "outcome, says, answers"),
        "runc and slinger answer the help to a call without a verb",
        "no verb",
    ),
    *rows("runc", "outcome", "runc ends with 3", "unknown verb"),
    *rows("slinger", "outcome", "exec's own errors end it with 255, those of the call too", "exec without an id"),
    *rows("crun", "outcome", "exec's own errors end it with 255, which no program's 1 is taken for", "exec, *"),
    *rows("crun", "outcome", "crun ends with 64 (EX_USAGE)", "*unknown option", "unknown global option"),
    *rows("crun", "outcome, answers", "crun crashes", "ps, stopped"),
    *rows("crun", "outcome", "crun ends with a number of its own", "ps, absent"),
    *rows(
        *("crun", "outcome, says"),
        "what cannot be done in this status is an error; crun does not look",
        *("pause, paused", "resume, created", "resume, running", "update, stopped"),
    ),
    *rows("crun", "status then", "crun does not freeze a container that is created", "pause, created"),
    *rows(
        "crun", "status then", "KILL ends a container that is paused; with crun 1.8 when it is resumed", "kill, paused"
    ),
    *rows(
        *("crun", "outcome, says"),
        "crun takes what is wrong for something else",
        *("kill of an unknown signal", "create with a number that is none"),
    ),
    *rows(
        *("crun", "outcome, says"),
        "an id is letters, digits and _+-. in runc and slinger; crun takes any but a slash",
        *("create of the id 'a b'", "create of the id '\u00fc'", "create of the id 'a:b'"),
        *("create of the id 'a\\nb'", "create of the id 'a%b'"),
    ),
    *rows("runc", "outcome, says", "runc does not know real-time signals by name", "kill of a real-time signal"),
)
