"""init/launcher.c: finds the brain beside itself and becomes it, whoever calls."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from slinger import loading

BRAIN = """
import sys

def main():
    flags = sys.flags
    print(sys.argv[1:], flags.isolated, flags.no_site, open("/proc/self/environ").read().split(chr(0))[:-1])
"""


class Prefix:
    """An installation: a copy of the launcher, with a brain that tells how it was started."""

    def __init__(self, directory: Path, launcher: str) -> None:
        self.bin = directory / "bin"
        self.bin.mkdir()
        self.command = self.bin / "slinger"
        shutil.copy(launcher, self.command)
        self.lib = directory / "lib"

    def add_brain(self, library: str, text: str = BRAIN) -> None:
        """Install a brain in lib/`library`."""
        package = self.lib / library / "slinger"
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
        (package / "cli.py").write_text(text, encoding="utf-8")
        shutil.copy(loading.__file__, package)

    def add_interpreter(self, name: str) -> None:
        """Link the interpreter of this run as bin/`name`."""
        (self.bin / name).symlink_to(sys.executable)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Call the launcher with an environment of one variable."""
        command = [str(self.command), *arguments]
        return subprocess.run(command, check=False, capture_output=True, text=True, env={"LC_ALL": "C.UTF-8"})


@pytest.fixture
def prefix(tmp_path: Path, slinger: str) -> Prefix:
    """An installation without brain and interpreter."""
    return Prefix(tmp_path, slinger)


@pytest.mark.parametrize("library", ["python3.11/site-packages", "python3.40/dist-packages", "python3/dist-packages"])
def test_the_brain_is_found_beside_the_launcher(prefix: Prefix, library: str) -> None:
    """It starts isolated, without site, with the caller's arguments and the caller's environment untouched."""
    prefix.add_brain(library)
    prefix.add_interpreter("python3")
    done = prefix.run("--root", "/a 'b", "create", "-c")
    said = "['--root', \"/a 'b\", 'create', '-c'] 1 1 ['LC_ALL=C.UTF-8']\n"
    assert (done.returncode, done.stdout, done.stderr) == (0, said, "")


def test_the_newest_brain_is_taken(prefix: Prefix) -> None:
    """Of two versions the one for the newer Python, by number and not by name."""
    prefix.add_brain("python3.12/site-packages")
    prefix.add_brain("python3.11/site-packages", "raise SystemExit(9)")
    prefix.add_interpreter("python3.12")
    assert prefix.run().returncode == 0


def test_a_symlink_to_the_launcher_leads_to_its_installation(prefix: Prefix, tmp_path: Path) -> None:
    """pipx links commands of its environments into ~/.local/bin."""
    prefix.add_brain("python3.11/site-packages")
    prefix.add_interpreter("python3")
    link = tmp_path / "link"
    link.symlink_to(prefix.command)
    done = subprocess.run([str(link)], check=False, capture_output=True, text=True, env=os.environ)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_missing_brain_is_one_line(prefix: Prefix, tmp_path: Path) -> None:
    """The line says where the brain was looked for."""
    done = prefix.run("state", "x")
    why = "no lib/python3.*/site-packages/slinger; install slinger again"
    assert done.stderr == f"slinger: cannot find the brain below {tmp_path}: {why}\n"
    assert (done.returncode, done.stdout) == (1, "")


def test_a_missing_interpreter_is_one_line(prefix: Prefix) -> None:
    """An interpreter of another version elsewhere on the machine is not taken."""
    prefix.add_brain("python3.39/site-packages")
    done = prefix.run("state", "x")
    why = "not beside slinger, nor in /usr/local/bin or /usr/bin"
    assert done.stderr == f"slinger: cannot find the interpreter python3.39: {why}\n"
    assert (done.returncode, done.stdout) == (1, "")


def test_a_broken_interpreter_is_one_line(prefix: Prefix) -> None:
    """What exec said comes home."""
    prefix.add_brain("python3.11/site-packages")
    broken = prefix.bin / "python3.11"
    broken.write_text("not a program\n", encoding="utf-8")
    broken.chmod(0o755)
    done = prefix.run("state", "x")
    assert done.stderr == f"slinger: cannot start {broken}: exec format error\n"
    assert done.returncode == 1
