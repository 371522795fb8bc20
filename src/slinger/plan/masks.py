"""linux.maskedPaths and linux.readonlyPaths."""

from __future__ import annotations

from slinger.plan import ops
from slinger.plan.labels import context_options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.plan.ops import Op
    from slinger.spec.config import Config


def mask_ops(config: Config) -> list[Op]:
    """Read-only first: a path in both lists ends up hidden."""
    linux = config.linux
    options = context_options(config, "tmpfs")
    return [
        *(ops.ReadonlyPath(f"linux.readonlyPaths[{at}]", path=path) for at, path in enumerate(linux.readonly_paths)),
        *(
            ops.Mask(f"linux.maskedPaths[{at}]", path=path, options=options)
            for at, path in enumerate(linux.masked_paths)
            if path not in linux.masked_paths[:at]
        ),
    ]
