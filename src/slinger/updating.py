"""update: other limits for a container that runs, is created, or paused."""

from __future__ import annotations

from slinger import lifecycle
from slinger.errors import ConfigError, HostError
from slinger.host import cgroup
from slinger.spec.config import Resources
from slinger.spec.jsontext import dump
from slinger.spec.parse_resources import parse_resources
from slinger.spec.validate_intel import check_schemas
from slinger.spec.validate_resources import check_resources, warn_resources

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from slinger.existing import Existing

ORIGIN = "linux.resources"
SCHEMAS = ("linux.intelRdt.l3CacheSchema", "linux.intelRdt.memBwSchema")


def as_resources(resources: Resources | Mapping[str, object]) -> Resources:
    """The record of an object as it would stand in JSON. ConfigError."""
    if isinstance(resources, Resources):
        return resources
    return parse_resources(dump(dict(resources)).encode("utf-8", "surrogatepass"))


def update(
    existing: Existing,
    resources: Resources,
    name: Callable[[str], str],
    warn: Callable[[str], None],
    schemas: tuple[str, str] = ("", ""),
) -> None:
    """Set limits of a container, which is locked; what is not asked for stays as it is.

    ``name`` turns a path such as ``linux.resources.memory.limit`` into what the caller calls it. ``schemas`` are
    l3CacheSchema and memBwSchema, "" for as it is. Raises ContainerError for a stopped container, ConfigError or
    HostError for a value; then all limits are as before.
    """
    existing.refresh()
    lifecycle.check("update", existing.saved.container_id, existing.status())
    try:
        check_resources(resources, ORIGIN)
        check_schemas(*schemas)
        for warning in warn_resources(resources, ORIGIN):
            path, colon, why = warning.partition(": ")
            warn(f"{name(path)}{colon}{why}")
        if resources.devices:
            warn(f"{name(f'{ORIGIN}.devices')}: ignored: an update leaves devices as they are")
        take_back = _change_schemas(existing, schemas, name)
        try:
            cgroup.update(existing.cgroup(), resources, name)
        except BaseException:
            take_back()
            raise
    except ConfigError as error:
        raise ConfigError(name(error.path), error.why, hint=error.hint) from error


def _change_schemas(existing: Existing, schemas: tuple[str, str], name: Callable[[str], str]) -> Callable[[], None]:
    """Write those that are given to the container's group in resctrl; the answer takes that back."""
    asked = tuple((name(path), text) for path, text in zip(SCHEMAS, schemas, strict=True) if text)
    if not asked:
        return lambda: None
    groups = existing.groups()
    if groups is None:
        message = f"{asked[0][0]}: the container has no linux.intelRdt"
        raise HostError(message, hint="it gets its group in resctrl at create")
    return groups.change(asked)
