"""Pin the modules that each hot verb loads, in tests/unit/modules.txt.

``pin_modules.py`` writes the file anew; tests/unit/test_imports.py fails when what is loaded differs from it. A new
module in the list costs every container its start: see docs/decisions/0002-launcher.md before it is pinned.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
SOURCES = HERE / "src"
PINNED = HERE / "tests" / "unit" / "modules.txt"

# The verbs that callers run for every container.
HOT = ("create", "start", "state", "kill", "delete", "run")

# What a verb's method of the library imports when it is called.
WORKED_BY = {
    "create": "slinger.creation",
    "start": "slinger.starting",
    "kill": "slinger.ending",
    "delete": "slinger.ending",
    "run": "slinger.creation",
}

# As the launcher starts the brain, but it stops where the verb would begin to work. What `import os` loads is
# subtracted: it depends on the version of Python, and every start has it.
PROGRAM = """
import os, sys, errno, time
before = set(sys.modules)
sys.path.insert(0, sys.argv[1])
import slinger.loading
slinger.loading.install(sys.argv[1])
import slinger.cli
__import__("slinger.verbs." + sys.argv[2])
if sys.argv[3]:
    __import__(sys.argv[3])
print(*sorted(set(sys.modules) - before))
"""

NOTICE = "# Written by tools/pin_modules.py: what a hot verb loads. Each module is paid for by every container."


def verb_file(verb: str) -> Path:
    """Where the verb is written."""
    return SOURCES / "slinger" / "verbs" / f"{verb}.py"


def written() -> tuple[str, ...]:
    """The hot verbs that exist."""
    return tuple(verb for verb in HOT if verb_file(verb).exists() and (SOURCES / "slinger" / "cli.py").exists())


def loaded(verb: str) -> list[str]:
    """The modules that the brain has loaded when the verb begins; ImportError when it cannot be loaded."""
    command = [sys.executable, "-I", "-S", "-B", "-c", PROGRAM, str(SOURCES), verb, WORKED_BY.get(verb, "")]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise ImportError(f"{verb}: {done.stderr.strip()}")
    return done.stdout.split()


def pinned() -> dict[str, list[str]]:
    """The pinned modules of each verb; empty as long as nothing was pinned."""
    lines = PINNED.read_text(encoding="utf-8").splitlines() if PINNED.exists() else []
    pins: dict[str, list[str]] = {}
    verb = ""
    for line in lines:
        if line.endswith(":"):
            verb = line[:-1]
            pins[verb] = []
        elif line and not line.startswith("#"):
            pins[verb].append(line.strip())
    return pins


def main() -> None:
    """Write the pins of all hot verbs that exist."""
    lines = [NOTICE]
    for verb in written():
        lines += ["", f"{verb}:", *(f"    {module}" for module in loaded(verb))]
    PINNED.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
