"""`make fuzz`: each border for SECONDS, two at a time; what is found stays in .build/fuzz/ and the exit status is 1.

The plan reader of the hands runs under libFuzzer with the address and undefined-behaviour sanitizers, what is Python
under atheris. Corpora are kept and grow from run to run. An input that took 10 seconds or 1 GiB counts as a finding.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.fuzz.plans import corpus as plans
from tests.fuzz.plans import program
from tests.fuzz.targets import TARGETS

ROOT: Final = Path(__file__).parents[2]
PLACE: Final = ROOT / ".build" / "fuzz"
LIMITS: Final = ("-timeout=10", "-rss_limit_mb=1024", "-print_final_stats=1", "-verbosity=0")
LARGEST: Final = {"plan_reader": 16384}


@dataclass(frozen=True)
class Outcome:
    """What a run of one target came to."""

    name: str
    executions: int
    seconds: int
    found: list[Path]


def main() -> int:
    """Run all or the named targets, and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60, help="for each target (60)")
    parser.add_argument("targets", nargs="*", help=f"of plan_reader {' '.join(TARGETS)} (all)")
    options = parser.parse_args()
    names: list[str] = options.targets or ["plan_reader", *TARGETS]
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(fuzz, names, [int(options.seconds)] * len(names)))
    for each in outcomes:
        sys.stdout.write(
            f"{each.name:12} {each.executions:>12,} executions in {each.seconds} s, {len(each.found)} findings\n"
        )
        for path in each.found:
            sys.stdout.write(f"  {path.relative_to(ROOT)}\n")
    return int(any(each.found for each in outcomes))


def fuzz(name: str, seconds: int) -> Outcome:
    """Run one target for so long, or to its first finding."""
    place = PLACE / name
    kept = place / "corpus"
    kept.mkdir(parents=True, exist_ok=True)
    command: list[str | Path] = [sys.executable, "-m", "tests.fuzz.guided", name]
    seeds = plans() if name == "plan_reader" else TARGETS[name].corpus()
    if name == "plan_reader":
        command = [program()]
    for seed in seeds:
        (kept / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
    before = findings(place)
    limits = (*LIMITS, f"-max_total_time={seconds}", f"-max_len={LARGEST.get(name, 65536)}")
    options = [*limits, f"-artifact_prefix={place}/"]
    executions, code = run([*command, *options, kept], place / "log")
    found = sorted(findings(place) - before)
    if code != 0 and not found:
        found = [place / "log"]
    return Outcome(name, executions, seconds, found)


def findings(place: Path) -> set[Path]:
    """The inputs that libFuzzer has put down."""
    return {path for kind in ("crash", "timeout", "oom", "leak") for path in place.glob(f"{kind}-*")}


def run(command: Sequence[str | Path], log: Path) -> tuple[int, int]:
    """The executions, as libFuzzer counts them, and the exit status."""
    with log.open("wb") as output:
        done = subprocess.run(command, check=False, cwd=ROOT, stdout=output, stderr=output)
    counted = re.search(r"stat::number_of_executed_units: (\d+)", log.read_text("utf-8", "replace"))
    return int(counted[1]) if counted else 0, done.returncode


if __name__ == "__main__":
    sys.exit(main())
