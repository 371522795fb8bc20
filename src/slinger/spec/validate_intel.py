"""Checks of linux.intelRdt and linux.memoryPolicy: config-linux.md; resctrl of the kernel; set_mempolicy(2)."""

from __future__ import annotations

from slinger.errors import ConfigError
from slinger.spec.values import demand_number_list, demand_one_of, demand_within, quote, refuse_nul, refuse_nul_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.spec.config import Config

MEMORY_MODES = (
    "MPOL_DEFAULT",
    "MPOL_BIND",
    "MPOL_INTERLEAVE",
    "MPOL_WEIGHTED_INTERLEAVE",
    "MPOL_PREFERRED",
    "MPOL_PREFERRED_MANY",
    "MPOL_LOCAL",
)
MEMORY_FLAGS = ("MPOL_F_NUMA_BALANCING", "MPOL_F_RELATIVE_NODES", "MPOL_F_STATIC_NODES")

_LARGEST_NODE = 2**15 - 1  # the longest mask that set_mempolicy(2) reads is a page of 4096 bytes
_WITHOUT_NODES = frozenset({"MPOL_DEFAULT", "MPOL_LOCAL"})
_WITH_NODES = frozenset({"MPOL_BIND", "MPOL_INTERLEAVE", "MPOL_WEIGHTED_INTERLEAVE", "MPOL_PREFERRED_MANY"})


def check_intel_rdt(config: Config) -> None:
    """The closID names a directory of resctrl (``/`` is its root); memBwSchema is one line that begins with MB:."""
    rdt = config.linux.intel_rdt
    if rdt is None:
        return
    clos = rdt.clos_id
    if clos is not None and clos != "/" and (clos in {"", ".", ".."} or "/" in clos):
        raise ConfigError("linux.intelRdt.closID", f"must be / or the name of a directory, got {quote(clos)}")
    refuse_nul_in(clos or "", "linux.intelRdt.closID")
    check_schemas(rdt.l3_cache_schema, rdt.mem_bw_schema)
    refuse_nul(rdt.schemata, "linux.intelRdt.schemata")
    for index, line in enumerate(rdt.schemata):
        if "\n" in line:
            raise ConfigError(f"linux.intelRdt.schemata[{index}]", f"must be one line, got {quote(line)}")


def check_schemas(l3_cache: str, mem_bw: str) -> None:
    """Of the two that an update can change, ConfigError for what cannot be one."""
    refuse_nul_in(l3_cache, "linux.intelRdt.l3CacheSchema")
    refuse_nul_in(mem_bw, "linux.intelRdt.memBwSchema")
    if mem_bw and (not mem_bw.startswith("MB:") or "\n" in mem_bw):
        raise ConfigError("linux.intelRdt.memBwSchema", f'must be one line that begins with "MB:", got {quote(mem_bw)}')


def check_memory_policy(config: Config) -> None:
    """Some modes need nodes, some must have none (set_mempolicy(2))."""
    policy = config.linux.memory_policy
    if policy is None:
        return
    at = "linux.memoryPolicy"
    demand_one_of(policy.mode, MEMORY_MODES, f"{at}.mode")
    demand_number_list(policy.nodes, f"{at}.nodes")
    for number in policy.nodes.replace("-", ",").split(","):
        demand_within(int(number) if number.strip(" ") else None, 0, _LARGEST_NODE, f"{at}.nodes")
    has_nodes = bool(policy.nodes.strip(" ,"))
    if has_nodes and policy.mode in _WITHOUT_NODES:
        raise ConfigError(f"{at}.nodes", f"must be empty with {policy.mode}, got {quote(policy.nodes)}")
    if not has_nodes and policy.mode in _WITH_NODES:
        raise ConfigError(f"{at}.nodes", f"must have at least one node with {policy.mode}")
    for index, flag in enumerate(policy.flags):
        demand_one_of(flag, MEMORY_FLAGS, f"{at}.flags[{index}]")
    if {"MPOL_F_RELATIVE_NODES", "MPOL_F_STATIC_NODES"} <= set(policy.flags):
        raise ConfigError(f"{at}.flags", "MPOL_F_RELATIVE_NODES and MPOL_F_STATIC_NODES exclude each other")
