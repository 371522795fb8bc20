"""``slinger hooks test BUNDLE --stage S``: run one stage's hooks in a throwaway container, and show their records."""

from __future__ import annotations

import os

from slinger.errors import UsageError
from slinger.hooks.trace import Trace, hook_step, trace_data
from slinger.host.hands import sealed_program
from slinger.lifecycle import STAGE_NAMES
from slinger.planning import Request, config_path
from slinger.spec.jsontext import dump_pretty
from slinger.spec.parse_hooks import similar_name
from slinger.trying import HOLD_FD, Trial, try_stage
from slinger.verbs import Outcome
from slinger.verbs.create import injection_of
from slinger.verbs.hooks import drawn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.verbs import Call


def main(call: Call) -> Outcome:
    """The records, as ``slinger hooks`` shows them, with what the hooks have written; status 1 unless all succeeded."""
    options = call.options
    stage = options.text("stage")
    if stage not in STAGE_NAMES:
        message = f'hooks test: --stage: no such stage: "{stage}"' if stage else "hooks test: needs --stage"
        meant = similar_name(stage, STAGE_NAMES)
        hint = f"did you mean {meant}?" if meant else f"the stages are {', '.join(STAGE_NAMES)}"
        raise UsageError(message, hint=hint)
    trial = attempt(call, stage)
    steps = tuple(hook_step(record) for record in trial.records)
    trace = Trace(trial.container_id, os.path.abspath(call.arguments[0]), 0, trial.records, steps, ())
    left = trial.hooks - len(trial.records)
    if options.flag("json"):
        return Outcome(dump_pretty({**trace_data(trace), "notRun": left}, "  ") + "\n", int(not trial.ok))
    note = f"\nnot run: {left} of {trial.hooks}, behind the one that failed\n" if left else ""
    return Outcome(drawn(trace) + note, int(not trial.ok))


def attempt(call: Call, stage: str) -> Trial:
    """Try the stage, with a state root that is gone afterwards."""
    import tempfile  # 10 ms

    options = call.options
    bundle = os.path.abspath(call.arguments[0])
    index = options.number("index") if options.given("index") else None
    hold()
    null = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
    with tempfile.TemporaryDirectory(prefix="slinger-hooks-test-") as root:
        request = Request(
            container_id=options.text("id") or f"hooks-test-{os.getpid()}",
            bundle=bundle,
            root=root,
            config_file=config_path(bundle, options.text("config")),
            rootless=call.rootless,
            supervise=True,
            stdio=(null, null, null),
            environment=tuple(f"{name}={value}" for name, value in os.environ.items()),
            injection=injection_of(call),
        )
        return try_stage(request, stage, index, call.warn)


def hold() -> None:
    """Open the program that waits at the descriptor at which the container is to get it."""
    fd = sealed_program()
    if fd == HOLD_FD:
        os.set_inheritable(fd, True)  # noqa: FBT003 - positional only
        return
    os.dup2(fd, HOLD_FD)
    os.close(fd)
