"""`make bench`: slinger measured against runc and crun in one interleaved run. See docs/performance.md.

bench/run.py [--rounds N] [--warm-up N] [--pause SECONDS] [--runtimes LIST] [--json]
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # so that `bench` and `tests` are found from anywhere

from bench.report import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
