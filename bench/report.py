"""The interleaved run, and its table."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench.scenarios import (
    HOOKS,
    MANY_HOOKS,
    NO_HOOKS,
    SCENARIOS,
    TRACING,
    WAIT,
    WITH_HOOKS,
    Scenario,
    Subject,
    bare_starts,
    bundle_for,
    smallest_limit,
    waiting_init,
)
from bench.spawn import Cost, FailedError, adopted, prepare
from tests.bundles import find_runtime

RUNTIMES: Final[tuple[str, ...]] = ("slinger", "runc", "crun")
PEERS: Final = ("runc", "crun")
PAIRS: Final = 5  # of a round: what is looked for is small


@dataclass(kw_only=True)
class Results:
    """All numbers by row and runtime: times in milliseconds, memory in KiB, limits in MiB; and failures in words."""

    rows: dict[str, dict[str, float]] = field(default_factory=dict[str, dict[str, float]])
    spreads: dict[str, dict[str, tuple[float, float]]] = field(
        default_factory=dict[str, dict[str, tuple[float, float]]]
    )
    failures: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    def fail(self, runtime: str, why: str) -> None:
        """Note that one measurement failed."""
        self.failures.setdefault(runtime, []).append(why)

    def put(self, row: str, runtime: str, value: float) -> None:
        """Note one number."""
        self.rows.setdefault(row, {})[runtime] = value

    def put_all(self, row: str, runtime: str, values: Sequence[float]) -> None:
        """Note the median of many, and their first and ninth decile."""
        self.put(row, runtime, statistics.median(values))
        deciles = statistics.quantiles(values, n=10) if len(values) > 1 else [values[0]] * 9
        self.spreads.setdefault(row, {})[runtime] = (deciles[0], deciles[-1])


def attempt(scenario: Scenario, name: str, subject: Subject, results: Results) -> Cost | None:
    """Measure once; a failure is noted and None returned. Nothing is left behind, whatever happens."""
    try:
        return scenario.measure(subject)
    except FailedError as error:
        results.fail(name, f"{scenario.name}: {error}")
        subject.clean()
        return None
    except BaseException:
        subject.clean()
        raise


def measure_times(
    programs: Mapping[str, str], base: Path, results: Results, *, rounds: int, warm_up: int, pause: float
) -> None:
    """Go round: each scenario by each runtime, who comes first changes. pause: seconds of rest before each."""
    bundles = {each.name: bundle_for(base / each.name.replace(" ", "-"), each.changes) for each in SCENARIOS}
    costs: dict[tuple[str, str], list[Cost]] = {}
    names = list(programs)
    for turn in range(warm_up + rounds):
        for scenario in SCENARIOS:
            for name in names[turn % len(names) :] + names[: turn % len(names)]:
                bundle = bundles[scenario.name]
                time.sleep(pause)
                subject = Subject(program=programs[name], bundle=bundle, state=base / f"state-{name}")
                cost = attempt(scenario, name, subject, results)
                if cost and turn >= warm_up:
                    costs.setdefault((scenario.name, name), []).append(cost)
    for (row, name), taken in costs.items():
        results.put_all(f"{row}, wall ms", name, [cost.wall * 1000 for cost in taken])
        results.put_all(f"{row}, CPU ms", name, [cost.cpu * 1000 for cost in taken])


def measure_hooks(programs: Mapping[str, str], base: Path, results: Results, *, rounds: int, pause: float) -> None:
    """What one hook costs, in microseconds and beside a bare fork, exec and wait: the three take turns."""
    without, many = bundle_for(base / "hooks-none", NO_HOOKS), bundle_for(base / "hooks-many", WITH_HOOKS)
    bare: list[float] = []
    taken: dict[str, list[float]] = {}
    for _ in range(rounds):
        time.sleep(pause)
        bare.append(bare_starts(many, str(base / "bare")).wall)
        for name, program in programs.items():
            subjects = [Subject(program=program, bundle=each, state=base / f"state-{name}") for each in (without, many)]
            costs = [attempt(HOOKS, name, subject, results) for subject in subjects]
            if costs[0] and costs[1]:
                taken.setdefault(name, []).append(costs[1].wall - costs[0].wall)
    for name, extra in taken.items():
        results.put_all("one more hook, us", name, [each / MANY_HOOKS * 1_000_000 for each in extra])
        results.put("one more hook / fork+exec+wait in C", name, statistics.median(extra) / statistics.median(bare))


def measure_tracing(program: str, base: Path, results: Results, *, rounds: int, pause: float) -> None:
    """What --trace-dir adds to a run, in percent of it: pairs, of which now one and now the other comes first."""
    bundle = bundle_for(base / "tracing", TRACING[0].changes)
    subject = Subject(program=program, bundle=bundle, state=base / "state-slinger")
    pairs: list[tuple[Cost, Cost]] = []
    for turn in range(rounds * PAIRS):
        costs: dict[str, Cost] = {}
        for scenario in TRACING if turn % 2 else reversed(TRACING):
            time.sleep(pause)
            cost = attempt(scenario, "slinger", subject, results)
            if cost:
                costs[scenario.name] = cost
        if len(costs) == len(TRACING):
            pairs.append((costs[TRACING[0].name], costs[TRACING[1].name]))
    for kind in ("CPU", "wall"):
        taken = [(getattr(without, kind.lower()), getattr(traced, kind.lower())) for without, traced in pairs]
        if taken:
            middle = statistics.median(without for without, _ in taken)
            added = statistics.median(traced - without for without, traced in taken)
            results.put(f"--trace-dir adds, % of {kind}", "slinger", added / middle * 100)


def measure_memory(programs: Mapping[str, str], base: Path, results: Results) -> None:
    """Look at a waiting init of each, and for the smallest limit that each can live with."""
    for name, program in programs.items():
        bundle = bundle_for(base / f"memory-{name}", {"process.args": WAIT})
        subject = Subject(program=program, bundle=bundle, state=base / f"state-{name}")
        try:
            waiting = waiting_init(subject)
        except (FailedError, OSError) as error:
            results.fail(name, f"waiting init: {error}")
            subject.clean()
        else:
            results.put("waiting init, private KiB", name, waiting.private)
            if waiting.charged is not None:
                results.put("waiting init, cgroup KiB", name, waiting.charged)
        limit = smallest_limit(subject)
        if limit is None:
            results.fail(name, "smallest memory limit: none of those tried")
        else:
            results.put("smallest memory limit, MiB", name, limit)


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.0f}" if value == int(value) or value >= 1000 else f"{value:.2f}" if value < 10 else f"{value:.1f}"


def _ratio(row: Mapping[str, float], peer: str) -> str:
    return f"{row['slinger'] / row[peer]:.2f}" if "slinger" in row and row.get(peer) else "-"


def table(results: Results) -> str:
    """Lay out the medians, with the first and ninth decile behind them, and slinger's ratios. Markdown."""
    heads = ["", *RUNTIMES, *(f"slinger/{peer}" for peer in PEERS)]
    lines = [heads]
    for name, row in results.rows.items():
        cells = [name]
        for runtime in RUNTIMES:
            spread = results.spreads.get(name, {}).get(runtime)
            behind = f" ({_number(spread[0])}-{_number(spread[1])})" if spread else ""
            cells.append(_number(row.get(runtime)) + behind)
        lines.append([*cells, *(_ratio(row, peer) for peer in PEERS)])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = [[cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines]
    rule = ["-" * width for width in widths]
    return "\n".join(f"| {' | '.join(line)} |" for line in [padded[0], rule, *padded[1:]])


def machine() -> str:
    """Say on what it was measured."""
    model = next(
        (line.partition(": ")[2] for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.machine(),
    )
    return f"{os.cpu_count()} x {model}, Linux {platform.release()}"


def version(program: str) -> str:
    """Ask a runtime for the first line of --version."""
    shown = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    return shown.splitlines()[0] if shown else "version unknown"


def _arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench/run.py", description="measure slinger against runc and crun")
    parser.add_argument("--rounds", type=int, default=20, help="measured rounds (20)")
    parser.add_argument("--warm-up", type=int, default=2, help="rounds before these (2)")
    parser.add_argument("--pause", type=float, default=0.06, help="seconds of rest before each run (0.06)")
    parser.add_argument("--runtimes", default=",".join(RUNTIMES), help="only these, separated by commas")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    """Measure and print; 1 when slinger failed, 2 when it cannot be measured here."""
    options = _arguments(arguments)
    wanted: list[str] = options.runtimes.split(",")
    found = {name: find_runtime(name) for name in RUNTIMES if name in wanted}
    programs = {name: program for name, program in found.items() if program}
    missing = [name for name in found if name not in programs]
    if os.geteuid() != 0 or not programs:
        print("bench: no runtime found" if not programs else "bench: run as root", file=sys.stderr)
        return 2
    prepare()
    results = Results()
    with tempfile.TemporaryDirectory(prefix="slinger-bench-") as directory:
        for name in programs:
            Path(directory, f"state-{name}").mkdir()
        turns = {"rounds": options.rounds, "warm_up": options.warm_up}
        measure_times(programs, Path(directory), results, **turns, pause=options.pause)
        measure_hooks(programs, Path(directory), results, rounds=options.rounds, pause=options.pause)
        if "slinger" in programs:
            tracing = {"rounds": options.rounds, "pause": options.pause}
            measure_tracing(programs["slinger"], Path(directory), results, **tracing)
        measure_memory(programs, Path(directory), results)
        adopted()
    if options.json:
        spreads = results.spreads
        facts = {"machine": machine(), "rounds": options.rounds, "pause": options.pause, "missing": missing}
        versions = {name: version(program) for name, program in programs.items()}
        document = {**facts, "versions": versions, "medians": results.rows, "deciles": spreads}
        print(json.dumps({**document, "failures": results.failures}, indent=2))
    else:
        print(f"{machine()}; {options.rounds} rounds, {options.pause:g} s of rest before each run")
        print("; ".join(f"{name}: {version(program)}" for name, program in programs.items()))
        print(f"\n{table(results)}")
        for name in missing:
            print(f"\n{name}: not installed, not measured")
        for name, failures in results.failures.items():
            print(f"\n{name}: failed {len(failures)} times, last: {failures[-1]}", file=sys.stderr)
    return 1 if "slinger" in results.failures else 0
