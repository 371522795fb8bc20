"""The public names: complete, importable, documented, and loaded only when they are used."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys

import pytest

import slinger
from slinger import errors

# What `import slinger` may add to an empty interpreter: itself, and the module behind its first line.
LIGHT = ["__future__", "slinger"]
ERRORS = sorted(name for name, value in vars(errors).items() if isinstance(value, type))
FACES = (slinger.Bundle, slinger.Container)
METHODS = [
    (face, name)
    for face in FACES
    for name in sorted(vars(face))
    if not name.startswith("_") and (callable(getattr(face, name)) or isinstance(vars(face)[name], property))
]


def fresh(statement: str) -> list[str]:
    """The modules that a statement loads in an interpreter of its own, in order of their names."""
    package = os.path.dirname(os.path.dirname(slinger.__file__))
    code = f"""
import sys
sys.path.insert(0, {package!r})
before = set(sys.modules)
{statement}
print(*sorted(set(sys.modules) - before))
"""
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True, capture_output=True, text=True)
    return done.stdout.split()


def test_importing_slinger_loads_nothing() -> None:
    """Not even the modules of its own names."""
    assert fresh("import slinger") == LIGHT


@pytest.mark.parametrize("name", slinger.__all__)
def test_every_public_name_can_be_imported(name: str) -> None:
    """As `from slinger import NAME`, in an interpreter that has loaded nothing yet."""
    assert f"slinger.{slinger._HOMES.get(name, 'slinger.errors').partition('.')[2]}" in fresh(
        f"from slinger import {name}"
    )


def test_all_is_sorted_and_is_what_dir_shows() -> None:
    """One list, without doubles."""
    assert slinger.__all__ == sorted(set(slinger.__all__))
    assert dir(slinger) == slinger.__all__


def test_every_error_is_public() -> None:
    """What may be raised may be caught by its name."""
    assert sorted(name for name in slinger.__all__ if name.endswith("Error")) == ERRORS


def test_every_name_has_a_home_that_has_it() -> None:
    """The table names no module twice wrongly: each object says itself that it comes from there."""
    for name in slinger.__all__:
        value = getattr(slinger, name)
        if name != "__version__":
            assert value.__module__ == slinger._HOMES.get(name, "slinger.errors")


def test_an_unknown_name_is_an_attribute_error() -> None:
    """With the text that Python has for it."""
    with pytest.raises(AttributeError, match=r"^module 'slinger' has no attribute 'Nothing'$"):
        _ = slinger.Nothing  # type: ignore[attr-defined]


def test_the_package_says_that_it_has_types() -> None:
    """py.typed is installed beside it (PEP 561)."""
    assert os.path.exists(os.path.join(os.path.dirname(slinger.__file__), "py.typed"))


@pytest.mark.parametrize(("face", "name"), METHODS, ids=[f"{face.__name__}.{name}" for face, name in METHODS])
def test_every_public_method_says_what_it_does(face: type, name: str) -> None:
    """A docstring, and an annotation of each parameter and of the result."""
    member = inspect.getattr_static(face, name)
    function = member.fget if isinstance(member, property) else getattr(face, name)
    assert function is not None
    assert inspect.getdoc(function)
    signature = inspect.signature(function)
    assert signature.return_annotation is not inspect.Signature.empty
    parameters = [each for each in signature.parameters.values() if each.name != "self"]
    assert [each.name for each in parameters if each.annotation is inspect.Parameter.empty] == []
