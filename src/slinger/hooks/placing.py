"""The one placer: hooks of config.json become ops, as the table in lifecycle.py says."""

from __future__ import annotations

from slinger import lifecycle
from slinger.lifecycle import LATE_POINTS, STAGES, Stage
from slinger.plan import ops
from slinger.plan.plan import Placed, Plan
from slinger.plan.process import environment
from slinger.spec.config import Call
from slinger.spec.state import hook_state_parts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.hooks.recording import Setting
    from slinger.plan.ops import Op
    from slinger.spec.config import Config, Hook


def place(config: Config, setting: Setting) -> Placed:
    """The hooks of every stage that is run by the container's own plan."""
    points: dict[str, tuple[Op, ...]] = {}
    for stage in STAGES:
        placed = _place_stage(config, setting, stage)
        if placed:
            points[stage.point] = points.get(stage.point, ()) + placed
    return Placed(tuple(points.items()))


def hooks_plan(config: Config, setting: Setting, point: str) -> Plan:
    """A plan of nothing but the hooks of one point, for those that run when the container's plan is over."""
    return Plan(place(config, setting).at(point))


def _place_stage(config: Config, setting: Setting, stage: Stage) -> tuple[Op, ...]:
    hooks = config.hooks.of(stage.name)
    if not hooks:
        return ()
    head, tail = _state(config, setting, stage)
    placed: list[Op] = []
    for index, hook in enumerate(hooks):
        origin = f"hooks.{stage.name}[{index}]"
        if isinstance(hook, Call):
            placed += _call_ops(origin, stage)
        else:
            op = _op(hook, origin, config, setting, stage)
            placed.append(op.replace(state_head=head, state_tail=tail))
    return tuple(placed)


def _call_ops(origin: str, stage: Stage) -> list[Op]:
    """Where the brain calls a function of the program's. Init has descriptors to give as long as it is ours."""
    by = ops.OUTER if stage.runs_in == lifecycle.RUNTIME else ops.INIT
    gate = ops.Gate(origin, by=by, name=ops.GATE_CALL)
    if stage.point in LATE_POINTS:
        return [gate]
    return [ops.Handles(origin, entered=int(stage.point == lifecycle.POINT_BEFORE_EXEC)), gate]


def _state(config: Config, setting: Setting, stage: Stage) -> tuple[str, str]:
    """The state on stdin, in two parts around the pid where only the hands know it."""
    head, tail = hook_state_parts(
        id=setting.options.container_id,
        status=stage.status,
        bundle=setting.options.bundle,
        annotations=config.annotations,
        # Not where the hook already stands inside: there the path means something else.
        root=setting.rootfs if stage.path_in == lifecycle.RUNTIME else None,
        with_pid=stage.pid != lifecycle.PID_ABSENT,
    )
    if setting.pid and tail and stage.pid == lifecycle.PID_HOST:
        return f"{head}{setting.pid}{tail}", ""
    return head, tail


def _environment(hook: Hook, config: Config, setting: Setting, stage: Stage) -> tuple[str, ...]:
    if hook.env is not None:
        return hook.env
    if stage.env == lifecycle.ENV_CALLER:
        return setting.options.environment
    if stage.env == lifecycle.ENV_PROCESS and config.process is not None:
        return environment(config.process, setting.options)
    return ()


def _op(hook: Hook, origin: str, config: Config, setting: Setting, stage: Stage) -> ops.Hook:
    env = _environment(hook, config, setting, stage)
    inherits = hook.env is None and stage.env == lifecycle.ENV_PROCESS
    return ops.Hook(
        origin,
        by=ops.OUTER if stage.runs_in == lifecycle.RUNTIME else ops.INIT,
        path=hook.path,
        args=hook.args or (hook.path,),
        env=env,
        with_home=int(inherits and not any(entry.startswith("HOME=") for entry in env)),
        cwd=setting.options.bundle if stage.cwd == lifecycle.CWD_BUNDLE else "",
        fallback_cwd="/" if stage.status == lifecycle.STOPPED else "",
        in_root=int(stage.cwd == lifecycle.CWD_ROOT),
        timeout=hook.timeout or 0,
        go_on=int(stage.failure == lifecycle.WARN),
    )
