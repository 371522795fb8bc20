"""Show that the tests of this folder can fail: build slinger with one guard taken out, run the tests that watch it.

    .venv/bin/python -m tests.security.guards [NAME...]     all guards, or those named; prints docs/security.md's table

A guard is taken out by replacing a piece of the source, which must be there exactly once (tests/security/test_table.py
looks at that on every run), in a copy of the tree. The copy is installed into a prefix of its own that is a virtual
environment like .venv, so that the tests do not know the difference; nothing in slinger itself can be switched off.
Every test that is named must go red in at least one of its cases. Exit status 1 when one stays green.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from tests.security.guard_table import GUARDS, Guard

REPOSITORY: Final = Path(__file__).parents[2]
TIMEOUT: Final = 180  # seconds for the tests of one guard


def stale(guard: Guard, tree: Path = REPOSITORY) -> list[str]:
    """Pieces of source that are not in the tree exactly once."""
    return [f"{file}: {old}" for file, old, _ in guard.edits if (tree / file).read_text().count(old) != 1]


class Build:
    """A copy of the tree and the prefix that it is installed into."""

    def __init__(self, place: Path) -> None:
        self.tree = place / "tree"
        self.prefix = place / "prefix"
        self.tree.mkdir()
        for name in ("src", "init", "completions"):
            shutil.copytree(REPOSITORY / name, self.tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("meson.build", "meson.options", "LICENSE", "pyproject.toml"):
            shutil.copy(REPOSITORY / name, self.tree / name)
        venv = Path(sys.prefix)
        (site,) = venv.glob("lib/python3.*/site-packages")
        self.site = self.prefix / site.relative_to(venv)
        self.site.mkdir(parents=True)
        for entry in site.iterdir():
            if entry.name != "slinger":
                (self.site / entry.name).symlink_to(entry)
        (self.prefix / "bin").mkdir()
        shutil.copy(venv / "pyvenv.cfg", self.prefix)
        self.python = self.prefix / "bin" / site.parent.name
        self.python.symlink_to(os.path.realpath(sys.executable))
        shutil.copy(venv / "bin/slinger", self.prefix / "bin")
        self.run("meson", "setup", "--buildtype=release", "build")

    def run(self, *command: str) -> None:
        """A tool in the tree; CalledProcessError when it fails."""
        subprocess.run(command, cwd=self.tree, check=True, capture_output=True, timeout=TIMEOUT)

    def install(self) -> None:
        """What the tree has now."""
        self.run("ninja", "-C", "build", "slinger-init")
        package = self.site / "slinger"
        shutil.rmtree(package, ignore_errors=True)
        shutil.copytree(self.tree / "src/slinger", package, ignore=shutil.ignore_patterns("__pycache__"))
        (package / "libexec").mkdir()
        shutil.copy(self.tree / "build/slinger-init", package / "libexec")

    def red(self, guard: Guard) -> dict[str, tuple[int, int]]:
        """Test -> (cases that went red, cases that were run) without the guard."""
        before = {file: (self.tree / file).read_text() for file, _, _ in guard.edits}
        try:
            for file, old, new in guard.edits:
                (self.tree / file).write_text((self.tree / file).read_text().replace(old, new))
            self.install()
            return self.outcomes(guard)
        finally:
            for file, text in before.items():
                (self.tree / file).write_text(text)

    def outcomes(self, guard: Guard) -> dict[str, tuple[int, int]]:
        """Run the guard's tests."""
        tests = [f"tests/security/{name}" for name in guard.tests]
        words = [str(self.python), "-B", "-m", "pytest", "-p", "no:cacheprovider", "-rA", "--tb=no", "-q"]
        only = ["-k", guard.only] if guard.only else []
        done = subprocess.run(
            [*words, *only, *tests], cwd=REPOSITORY, check=False, capture_output=True, text=True, timeout=TIMEOUT
        )
        lines = done.stdout.splitlines()
        found: dict[str, tuple[int, int]] = {}
        for name in guard.tests:
            said = {
                word: {each.split(" ")[1] for each in lines if each.startswith(f"{word} ") and name in each}
                for word in ("PASSED", "FAILED", "ERROR")
            }
            bad = said["FAILED"] | said["ERROR"]
            found[name] = (len(bad), len(said["PASSED"] | bad))
        return found


def main(names: list[str]) -> int:
    """Take out guards one after the other; print a row of the table for each."""
    green = 0
    os.environ["PATH"] = f"{sys.prefix}/bin:{os.environ['PATH']}"
    with tempfile.TemporaryDirectory(prefix="slinger-guards-") as place:
        build = Build(Path(place))
        for guard in GUARDS:
            if names and guard.name not in names:
                continue
            missing = stale(guard)
            counts = {} if missing else build.red(guard)
            for test in guard.tests:
                bad, ran = counts.get(test, (0, 0))
                green += bad == 0
                sys.stdout.write(f"| {guard.name} | `{test.partition('::')[2]}` | {bad} of {ran} |\n")
            sys.stdout.flush()
    return 1 if green else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
