"""The second disk: the tree, what the tests import, slinger as it is installed, and the job. Made anew at every run."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from tests.payload.build import build_payload
from tests.vm.image import ImageError, file_system
from tests.vm.kept import digest, kept

TREE: Final = Path(__file__).parents[2]
INSIDE: Final = Path("/project")
SIZE: Final = "1G"  # sparse
# Made by tools, for this machine.
NOT_COPIED: Final = (".git", ".venv", ".build", "build", "dist", ".hypothesis", ".*_cache", "__pycache__", ".claude*")
PATH: Final = f"{INSIDE}/.venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Job:
    """What the machine does: a command in /project. terminal: on a console, not with its output told."""

    words: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict[str, str])
    terminal: bool = False


def make_disk(file: Path, job: Job, python: str) -> None:
    """Make the disk, for a machine with this version of Python. ImageError."""
    content = file.with_suffix(".content")
    shutil.copytree(TREE, content, symlinks=True, ignore=shutil.ignore_patterns(*NOT_COPIED))
    _environment(content / ".venv", python)
    built = build_payload()
    (content / ".cache" / built.parent.name).mkdir(parents=True)
    shutil.copy(built, content / ".cache" / built.parent.name)
    common = {"PATH": PATH, "HOME": "/root", "LANG": "C.UTF-8", "XDG_CACHE_HOME": f"{INSIDE}/.cache"}
    job = Job(job.words, common | job.environment, job.terminal)
    (content / "job.json").write_text(json.dumps(asdict(job)), "utf-8")
    content.chmod(0o755)
    file_system(content, file, SIZE)
    shutil.rmtree(content)


def _environment(place: Path, python: str) -> None:
    """A virtual environment, as `venv` would make it there, with slinger of this machine's."""
    site = place / "lib" / f"python{python}" / "site-packages"
    shutil.copytree(_packages(python) / "site-packages", site)
    source = Path(sys.prefix)
    (installed,) = source.glob("lib/python3.*/site-packages/slinger")
    shutil.copytree(installed, site / "slinger")
    (place / "bin").mkdir()
    shutil.copy(source / "bin" / "slinger", place / "bin")
    for name in ("python", "python3", f"python{python}"):
        (place / "bin" / name).symlink_to(f"/usr/bin/python{python}")
    (place / "pyvenv.cfg").write_text("home = /usr/bin\ninclude-system-site-packages = false\n", "ascii")


def _packages(python: str) -> Path:
    """What the tests import, as pip finds it for that version of Python; kept."""
    project = TREE / "pyproject.toml"

    def make(directory: Path) -> None:
        command = [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--target", str(directory / "site-packages")),
            *("--python-version", python, "--only-binary", ":all:", "--group", f"{project}:test"),
            *(() if python == f"3.{sys.version_info.minor}" else ("--no-compile",)),
        ]
        done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            raise ImageError(f"the packages of the tests for Python {python} cannot be had:\n{done.stderr}")

    return kept("packages", digest([python.encode(), project.read_bytes()]), make)
