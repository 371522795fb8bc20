"""What resctrl says of a container: its schemata, and what its processors and caches have counted (resctrl.rst).

Without a monitoring group of its own the counters are those of its class of service, which others may share.
"""

from __future__ import annotations

from slinger.errors import HostError
from slinger.host.cgroup import files
from slinger.linux.cgroup_files import number
from slinger.spec.stats import Bandwidth, CacheInfo, MemoryBandwidthInfo, RdtStats

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.host.resctrl import Groups

BANDWIDTH_FILES = ("mbm_total_bytes", "mbm_local_bytes")


def rdt_stats(groups: Groups) -> RdtStats:
    """All of it; what this processor has not got is left empty. HostError."""
    try:
        return _stats(groups)
    except OSError as error:
        raise HostError.of("reading resctrl", error) from error


def _stats(groups: Groups) -> RdtStats:
    info = f"{groups.tree}/info"
    root, own = _read(f"{groups.tree}/schemata"), _read(f"{groups.path}/schemata")
    cache = bandwidth = None
    if files.exists(f"{info}/L3"):
        mask, least, count = (_read(f"{info}/L3/{name}") for name in ("cbm_mask", "min_cbm_bits", "num_closids"))
        cache = CacheInfo(mask, number(least), number(count))
    if files.exists(f"{info}/MB"):
        names = ("bandwidth_gran", "delay_linear", "min_bandwidth", "num_closids")
        bandwidth = MemoryBandwidthInfo(*(number(_read(f"{info}/MB/{name}")) for name in names))
    features = _read(f"{info}/L3_MON/mon_features").split()
    data = f"{groups.monitor or groups.path}/mon_data"
    domains = [f"{data}/{name}" for name in files.children(data)]
    return RdtStats(
        cache=cache,
        cache_schemas=(_line(root, "L3"), _line(own, "L3")) if cache else ("", ""),
        bandwidth=bandwidth,
        bandwidth_schemas=(_line(root, "MB"), _line(own, "MB")) if bandwidth else ("", ""),
        schemata=tuple(own.split("\n")) if own else (),
        bytes_moved=tuple(Bandwidth(*(number(_read(f"{each}/{name}")) for name in BANDWIDTH_FILES)) for each in domains)
        if set(BANDWIDTH_FILES) & set(features)
        else None,
        occupancy=tuple(number(_read(f"{each}/llc_occupancy")) for each in domains)
        if "llc_occupancy" in features
        else None,
    )


def _read(path: str) -> str:
    """The text without space around it; "" if there is no such file."""
    try:
        return files.read(path).strip()
    except FileNotFoundError:
        return ""


def _line(schemata: str, word: str) -> str:
    """The last line about this resource, as runc takes it."""
    return next((line.strip() for line in reversed(schemata.split("\n")) if word in line), "")
