"""The files of cgroups, as the kernel writes them, to the JSON that runc's callers read."""

from __future__ import annotations

import json
import select
from collections.abc import Mapping
from pathlib import Path

import pytest

from slinger.errors import HostError
from slinger.host.cgroup import Place, Ref, oom
from slinger.host.cgroup.stats import stats
from slinger.host.resctrl import Groups
from slinger.host.resctrl_stats import rdt_stats
from slinger.linux.cgroup_files import UNLIMITED, devices, keyed, nested, number, numbers, ranges
from slinger.spec.stats import Event, Stats, event_text

NONE = 9223372036854771712


def test_the_formats_of_files() -> None:
    """What is not as it should be is left out."""
    assert [number(text) for text in ("7\n", "max", "-1", "x", "")] == [7, UNLIMITED, 0, 0, 0]
    assert numbers("1 2 \n") == (1, 2)
    assert keyed("a 1\nb max\nodd\nc 1 2\n") == {"a": 1, "b": UNLIMITED}
    assert ranges("0-2,4,7-7\n") == (0, 1, 2, 4, 7)
    assert ranges("") == ()
    assert nested("8:0 rbytes=1 wios=2\n\nsome avg10=0.5\n") == [
        ("8:0", {"rbytes": "1", "wios": "2"}),
        ("some", {"avg10": "0.5"}),
    ]
    assert devices("8:0 Read 5\n8:16 7\nTotal 12\n8:x 1\n") == [(8, 0, "Read", 5), (8, 16, "", 7)]


def put(directory: Path, files: Mapping[str, str]) -> None:
    """Write files as the kernel would show them."""
    directory.mkdir(parents=True)
    for name, text in files.items():
        (directory / name).write_text(text, "utf-8")


def place(mount: Path, version: int, *controllers: str) -> Place:
    """The cgroup "box" of a hierarchy."""
    return Place(str(mount), version, controllers, f"{mount}/box", str(mount))


def data(found: Stats) -> object:
    """As a reader of the JSON gets it."""
    return json.loads(event_text(Event("stats", "box", found)))["data"]


V1 = {
    "cpu": {"cpu.stat": "nr_periods 3\nnr_throttled 2\nthrottled_time 50\n"},
    "cpuacct": {
        "cpuacct.usage": "900\n",
        "cpuacct.stat": "user 4\nsystem 5\n",
        "cpuacct.usage_percpu": "400 500 \n",
        "cpuacct.usage_all": "cpu user system\n0 100 300\n1 200 300\n",
    },
    "cpuset": {"cpuset.cpus": "0-1\n", "cpuset.mems": "0\n", "cpuset.sched_relax_domain_level": "-1\n"},
    "memory": {
        "memory.stat": "cache 5\nrss 6\n",
        "memory.limit_in_bytes": "1000\n",
        "memory.usage_in_bytes": "11\n",
        "memory.max_usage_in_bytes": "22\n",
        "memory.failcnt": "1\n",
        "memory.memsw.limit_in_bytes": f"{NONE}\n",
        "memory.memsw.usage_in_bytes": "11\n",
        "memory.memsw.max_usage_in_bytes": "23\n",
        "memory.memsw.failcnt": "0\n",
        "memory.kmem.usage_in_bytes": "3\n",
    },
    "pids": {"pids.current": "2\n", "pids.max": "max\n"},
    "blkio": {
        "blkio.bfq.io_serviced_recursive": "Total 0\n",
        "blkio.throttle.io_serviced_recursive": "8:0 Read 2\n8:0 Write 1\nTotal 3\n",
        "blkio.throttle.io_service_bytes_recursive": "8:0 Read 4096\nTotal 4096\n",
    },
    "hugetlb": {
        "hugetlb.2MB.usage_in_bytes": "8\n",
        "hugetlb.2MB.rsvd.usage_in_bytes": "4\n",
        "hugetlb.2MB.rsvd.max_usage_in_bytes": "6\n",
        "hugetlb.2MB.rsvd.failcnt": "7\n",
    },
}


def test_v1_is_shown_as_runc_shows_it(tmp_path: Path) -> None:
    """Times of ticks in nanoseconds; of the block families the first that has counted something."""
    for controller, files in V1.items():
        put(tmp_path / controller / "box", files)
    ref = Ref(tuple(place(tmp_path / controller, 1, controller) for controller in V1))
    assert data(stats(ref)) == {
        "cpu": {
            "usage": {
                "total": 900,
                "percpu": [400, 500],
                "percpu_kernel": [300, 300],
                "percpu_user": [100, 200],
                "kernel": 50_000_000,
                "user": 40_000_000,
            },
            "throttling": {"periods": 3, "throttledPeriods": 2, "throttledTime": 50},
        },
        "cpuset": {
            "cpus": [0, 1],
            "cpu_exclusive": 0,
            "mems": [0],
            "mem_hardwall": 0,
            "mem_exclusive": 0,
            "memory_migrate": 0,
            "memory_spread_page": 0,
            "memory_spread_slab": 0,
            "memory_pressure": 0,
            "sched_load_balance": 0,
            "sched_relax_domain_level": -1,
        },
        "memory": {
            "cache": 5,
            "usage": {"limit": 1000, "usage": 11, "max": 22, "failcnt": 1},
            "swap": {"limit": NONE, "usage": 11, "max": 23, "failcnt": 0},
            "kernel": {"limit": 0, "usage": 3, "failcnt": 0},
            "raw": {"cache": 5, "rss": 6},
        },
        "pids": {"current": 2},
        "blkio": {
            "ioServiceBytesRecursive": [{"major": 8, "op": "Read", "value": 4096}],
            "ioServicedRecursive": [
                {"major": 8, "op": "Read", "value": 2},
                {"major": 8, "op": "Write", "value": 1},
            ],
        },
        "hugetlb": {"2MB": {"usage": 4, "max": 6, "failcnt": 7}},
        "intel_rdt": {},
        "network_interfaces": None,
    }


V2 = {
    "cpu.stat": "usage_usec 9\nuser_usec 4\nsystem_usec 5\nnr_periods 3\nnr_throttled 2\nthrottled_usec 6\n",
    "cpu.pressure": "some avg10=1.50 avg60=0.25 avg300=0.00 total=77\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
    "cpuset.cpus.effective": "0-1\n",
    "cpuset.mems.effective": "0\n",
    "memory.stat": "anon 6\nfile 5\n",
    "memory.max": "1000\n",
    "memory.current": "11\n",
    "memory.peak": "22\n",
    "memory.swap.max": "500\n",
    "memory.swap.current": "1\n",
    "memory.swap.peak": "2\n",
    "memory.pressure": "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
    "pids.current": "2\n",
    "pids.max": "9\n",
    "io.stat": "8:0 rbytes=4096 wbytes=0 rios=2 wios=1 dbytes=0 dios=0\n",
    "hugetlb.2MB.current": "8\n",
    "hugetlb.2MB.rsvd.current": "4\n",
    "hugetlb.2MB.events": "max 7\n",
}


def test_v2_is_shown_in_the_words_of_v1(tmp_path: Path) -> None:
    """Microseconds become nanoseconds, swap counts memory too, pressure is beside what it is about."""
    put(tmp_path / "box", V2)
    shown = data(stats(Ref((place(tmp_path, 2),))))
    assert isinstance(shown, dict)
    assert shown["cpu"] == {
        "usage": {"total": 9000, "kernel": 5000, "user": 4000},
        "throttling": {"periods": 3, "throttledPeriods": 2, "throttledTime": 6000},
        "psi": {"some": {"avg10": 1.5, "avg60": 0.25, "avg300": 0, "total": 77}},
    }
    assert shown["memory"] == {
        "cache": 5,
        "usage": {"limit": 1000, "usage": 11, "max": 22, "failcnt": 0},
        "swap": {"limit": 1500, "usage": 12, "failcnt": 0},
        "raw": {"anon": 6, "file": 5},
        "psi": {},
    }
    assert (shown["cpuset"]["cpus"], shown["cpuset"]["mems"]) == ([0, 1], [0])
    assert shown["pids"] == {"current": 2, "limit": 9}
    assert shown["blkio"] == {
        "ioServiceBytesRecursive": [{"major": 8, "op": "Read", "value": 4096}, {"major": 8, "op": "Write"}],
        "ioServicedRecursive": [{"major": 8, "op": "Read", "value": 2}, {"major": 8, "op": "Write", "value": 1}],
    }
    assert shown["hugetlb"] == {"2MB": {"usage": 4, "failcnt": 7}}


def test_without_limits_of_v2_numbers_are_the_largest(tmp_path: Path) -> None:
    """As runc has it; a pids limit is 0 instead, and processes are counted where threads are not."""
    put(tmp_path / "box", {"memory.max": "max\n", "memory.swap.max": "max\n", "cgroup.procs": "7\n8\n"})
    found = stats(Ref((place(tmp_path, 2),)))
    assert (found.memory.usage.limit, found.memory.swap.limit) == (UNLIMITED, UNLIMITED)
    assert (found.pids.current, found.pids.limit) == (2, 0)


def test_nothing_counted_is_a_short_line(tmp_path: Path) -> None:
    """Order and omissions are those of runc's encoder."""
    put(tmp_path / "box", {})
    found = stats(Ref((place(tmp_path, 2),)))
    flags = (
        '"cpu_exclusive":0,"mem_hardwall":0,"mem_exclusive":0,"memory_migrate":0,"memory_spread_page":0,'
        '"memory_spread_slab":0,"memory_pressure":0,"sched_load_balance":0,"sched_relax_domain_level":0'
    )
    assert event_text(Event("stats", "box", found)) == (
        f'{{"type":"stats","id":"box","data":{{"cpu":{{}},"cpuset":{{{flags}}},"memory":{{}},"pids":{{}},"blkio":{{}},'
        '"hugetlb":{},"intel_rdt":{},"network_interfaces":null}}'
    )
    assert event_text(Event("oom", "box")) == '{"type":"oom","id":"box"}'


def test_without_a_cgroup_nothing_is_counted() -> None:
    """A rootless container may have none."""
    with pytest.raises(HostError) as caught:
        stats(Ref())
    message = "the container has no cgroup that could count anything (linux.cgroupsPath names one)"
    assert str(caught.value) == message


def test_kills_of_v2_are_what_the_counter_grew_by(tmp_path: Path) -> None:
    """What was killed before is no news, and other counters of the file are not kills."""
    put(tmp_path / "box", {"memory.events": "low 0\nhigh 0\nmax 3\noom 2\noom_kill 2\n"})
    watch = oom.watch(Ref((place(tmp_path, 2),)))
    assert (watch.events, watch.kills()) == (select.POLLPRI, 0)
    file = tmp_path / "box/memory.events"
    for text, kills in (("max 9\noom_kill 2\n", 0), ("oom_kill 4\n", 2), ("oom_kill 4\n", 0)):
        file.write_text(text, "utf-8")
        assert watch.kills() == kills
    watch.close()


def test_without_a_memory_controller_there_is_nothing_to_watch(tmp_path: Path) -> None:
    """The watch never tells anything."""
    put(tmp_path / "box", {})
    watch = oom.watch(Ref((place(tmp_path, 2),)))
    assert (watch.fd, watch.kills()) == (-1, 0)
    watch.close()


def test_what_resctrl_says_is_shown_as_runc_shows_it(tmp_path: Path) -> None:
    """Schemas of the root and of the container; counters of its monitoring group, domain by domain."""
    for folder, files in {
        "": {"schemata": "    MB:0=100\n    L3:0=fff\n"},
        "info/L3": {"cbm_mask": "fff\n", "min_cbm_bits": "1\n", "num_closids": "16\n"},
        "info/MB": {"bandwidth_gran": "10\n", "delay_linear": "1\n", "min_bandwidth": "10\n", "num_closids": "8\n"},
        "info/L3_MON": {"mon_features": "llc_occupancy\nmbm_total_bytes\nmbm_local_bytes\n"},
        "box": {"schemata": "    MB:0=50\n    L3:0=f\n"},
        "box/mon_groups/box/mon_data/mon_L3_00": {
            "llc_occupancy": "7\n",
            "mbm_total_bytes": "9\n",
            "mbm_local_bytes": "Unavailable\n",
        },
    }.items():
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (tmp_path / folder / name).write_text(text, "utf-8")
    groups = Groups(str(tmp_path), f"{tmp_path}/box", True, f"{tmp_path}/box/mon_groups/box")
    shown = data(Stats(rdt=rdt_stats(groups)))
    assert isinstance(shown, dict)
    assert shown["intel_rdt"] == {
        "l3_cache_info": {"cbm_mask": "fff", "min_cbm_bits": 1, "num_closids": 16},
        "l3_cache_schema_root": "L3:0=fff",
        "l3_cache_schema": "L3:0=f",
        "mem_bw_info": {"bandwidth_gran": 10, "delay_linear": 1, "min_bandwidth": 10, "num_closids": 8},
        "mem_bw_schema_root": "MB:0=100",
        "mem_bw_schema": "MB:0=50",
        "schemata": ["MB:0=50", "    L3:0=f"],
        "mbm_stats": [{"mbm_total_bytes": 9, "mbm_local_bytes": 0}],
        "cmt_stats": [{"llc_occupancy": 7}],
    }


def test_a_processor_without_limits_of_caches_has_schemata_alone(tmp_path: Path) -> None:
    """Whatever they are about."""
    (tmp_path / "schemata").write_text("L2:0=ff\n", "utf-8")
    shown = data(Stats(rdt=rdt_stats(Groups(str(tmp_path), str(tmp_path)))))
    assert isinstance(shown, dict)
    assert shown["intel_rdt"] == {"schemata": ["L2:0=ff"]}
