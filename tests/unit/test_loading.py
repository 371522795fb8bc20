"""The command's finder of modules: it loads what Python would load, with fewer system calls."""

from __future__ import annotations

import os
import py_compile
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from slinger.loading import Finder
from tests.requires import requires
from tools.pin_modules import SOURCES, loaded

PACKAGE = "of_the_test"
SUFFIX = f".{sys.implementation.cache_tag}.pyc"
# The package itself is found by sys.path, what is in it by nothing but the finder.
PROGRAM = """
import sys
sources, directory, package, code = sys.argv[1:]
sys.path[:0] = sources, directory
from slinger.loading import install
__import__(package)
install(directory, package)
sys.meta_path = [each for each in sys.meta_path if getattr(each, "__name__", "") != "PathFinder"]
exec(code)
"""


def python(directory: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Run code in a Python that has the finder for PACKAGE in the directory, and no other way to it."""
    # As the launcher starts it; -B so that compiled files are ours alone.
    flags = ("-I", "-S", "-B", "-c")
    words = [sys.executable, *flags, PROGRAM, str(SOURCES), str(directory), PACKAGE, code]
    return subprocess.run(words, check=False, capture_output=True, text=True)


def said(directory: Path, code: str) -> str:
    """What the code prints; it must not fail."""
    done = python(directory, code)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.fixture
def module(tmp_path: Path) -> Path:
    """The source of a module in a package in a package, compiled as the installer does it."""
    inner = tmp_path / PACKAGE / "inner"
    inner.mkdir(parents=True)
    for file in (inner.parent / "__init__.py", inner / "__init__.py", inner / "module.py"):
        file.write_text("VALUE = 1\n")
        py_compile.compile(str(file), doraise=True)
    return inner / "module.py"


SHOW = f"from {PACKAGE}.inner import module; print(module.VALUE, end='')"


def test_a_module_is_as_python_makes_it(tmp_path: Path, module: Path) -> None:
    """Names, places and packages, which errors, tracebacks and relative tools go by."""
    names = ("__name__", "__file__", "__cached__", "__package__")
    code = (
        f"import {PACKAGE}.inner.module as m; print(*(getattr(m, n) for n in {names}), m.__spec__.has_location, end='')"
    )
    compiled = module.parent / "__pycache__" / f"module{SUFFIX}"
    assert said(tmp_path, code) == f"{PACKAGE}.inner.module {module} {compiled} {PACKAGE}.inner True"
    code = f"import {PACKAGE}.inner as p; print(p.__package__, *p.__path__, p.__file__, end='')"
    assert said(tmp_path, code) == f"{PACKAGE}.inner {module.parent} {module.parent}/__init__.py"


def test_the_compiled_file_is_what_is_loaded(tmp_path: Path, module: Path) -> None:
    """As long as time and size of the source are those that it was made from."""
    stamp = module.stat()
    module.write_text("VALUE = 2\n")
    os.utime(module, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert said(tmp_path, SHOW) == "1"


def test_a_source_that_has_changed_is_what_is_loaded(tmp_path: Path, module: Path) -> None:
    """Its size, or its time."""
    module.write_text("VALUE = 22\n")
    assert said(tmp_path, SHOW) == "22"


@pytest.mark.parametrize(
    "content",
    [b"", b"no magic number at all", b"HEADER", b"HEADER\xff\xff", b"HEADER" + bytes(1 << 17)],
    ids=["empty", "foreign", "no code", "bad code", "too long"],
)
def test_a_compiled_file_that_is_none_is_not_loaded(tmp_path: Path, module: Path, content: bytes) -> None:
    """It is Python's loader that says what is wrong, or that makes it anew from the source."""
    compiled = module.parent / "__pycache__" / f"module{SUFFIX}"
    header = compiled.read_bytes()[:16]
    compiled.write_bytes(content.replace(b"HEADER", header))
    done = python(tmp_path, SHOW)
    plain = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {SHOW}"
    words = [sys.executable, "-I", "-S", "-B", "-c", plain]
    alone = subprocess.run(words, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (alone.returncode, alone.stdout)
    assert done.stderr.splitlines()[-1:] == alone.stderr.splitlines()[-1:]


def test_without_a_compiled_file_the_source_is_loaded(tmp_path: Path, module: Path) -> None:
    """A package that nobody compiled works."""
    (module.parent / "__pycache__" / f"module{SUFFIX}").unlink()
    assert said(tmp_path, SHOW) == "1"


def test_a_module_that_is_missing_is_told_as_always(tmp_path: Path, module: Path) -> None:
    """And one of another package is left to others."""
    done = python(tmp_path, f"import {PACKAGE}.inner.other")
    assert module.exists()
    assert done.stderr.splitlines()[-1] == f"ModuleNotFoundError: No module named '{PACKAGE}.inner.other'"
    finder = Finder(str(tmp_path), PACKAGE)
    assert [finder.find_spec(name) for name in ("json", f"{PACKAGE}ament.inner", PACKAGE)] == [None] * 3


@requires("strace")
def test_a_module_costs_two_looks_at_paths(slinger: str, tmp_path: Path) -> None:
    """At its source for the time, and the opening of its compiled file; a package one more, for it might be a file."""
    trace = tmp_path / "trace"
    words = ["strace", "--trace=%file", f"--output={trace}", slinger, "--root", str(tmp_path), "state", "nobody"]
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    looks = Counter(re.findall(r'"[^"]*/site-packages/(slinger/[^"]*)"', trace.read_text()))
    # Found before there is a finder.
    for early in ("__init__.py", "loading.py", f"__pycache__/__init__{SUFFIX}", f"__pycache__/loading{SUFFIX}"):
        del looks[f"slinger/{early}"]
    expected: list[str] = []
    for name in loaded("state"):
        file = name.replace(".", "/")
        if not name.startswith("slinger.") or name == "slinger.loading":
            continue
        if (SOURCES / file).is_dir():
            expected += [f"{file}.py", f"{file}/__init__.py", f"{file}/__pycache__/__init__{SUFFIX}"]
        else:
            folder, _, last = file.rpartition("/")
            expected += [f"{file}.py", f"{folder}/__pycache__/{last}{SUFFIX}"]
    assert {path: looks[path] for path in expected} == dict.fromkeys(expected, 1)
    assert set(looks.values()) == {1}
