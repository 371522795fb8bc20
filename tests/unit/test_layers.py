"""The arrows of ARCHITECTURE.md: who may import whom, and what the pure layers may not touch."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "src" / "slinger"

# From left to right; a module imports from its own layer and from those to the right of it.
LAYERS = (
    *(
        "__main__",
        "__init__",
        "cli",
        "cli_table",
        "cli_help",
        "cli_options",
        "verbs",
        "bundle",
        "trying",
        "container",
        "supervising",
        "executing",
        "creation",
        "planning",
        "starting",
        "updating",
        "watching",
    ),
    *(
        "ending",
        "notifying",
        "existing",
        "injecting",
        "hooks",
        "host",
        "failures",
        "inject",
        "plan",
        "spec",
        "lifecycle",
        "linux",
        "undo",
        "record",
        "errors",
        "version",
        "loading",
    ),
)
PURE = ("plan", "inject", "spec", "lifecycle", "linux", "record", "errors", "version")
# All that a pure module may import beside slinger: language, numbers, JSON, regular expressions.
HARMLESS = {"__future__", "_json", "_struct", "collections.abc", "errno", "json", "math", "re", "sys", "typing"}

MODULES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))


def layer(module: str) -> str:
    """The layer of a dotted name below slinger, or of a file of the package."""
    return module.removesuffix(".py").replace("/", ".").partition(".")[0]


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Line and absolute dotted name of each import, wherever it stands in the file."""
    for node in ast.walk(ast.parse(path.read_bytes(), str(path))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            module = f"{'.' * node.level}{node.module or ''}"
            if module == "slinger":  # from slinger import plan: the name is the module
                for alias in node.names:
                    yield node.lineno, f"slinger.{alias.name}"
            else:
                yield node.lineno, module


def wrong_arrow(source: str, target: str) -> str:
    """Why a module of layer `source` may not import the dotted name `target`; "" when it may."""
    if target.startswith("."):
        return "relative import"
    top, _, rest = target.partition(".")
    if top != "slinger":
        return "not pure" if source in PURE and target not in HARMLESS else ""
    into = layer(rest)
    if into not in LAYERS:
        return f"{into or 'slinger'} is no layer"
    return "" if LAYERS.index(source) <= LAYERS.index(into) else f"{source} is to the right of {into}"


@pytest.mark.parametrize("module", MODULES)
def test_every_module_belongs_to_a_layer(module: str) -> None:
    """A new file at the top of the package is given its place in LAYERS, and in ARCHITECTURE.md."""
    assert layer(module) in LAYERS


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_only_rightwards(module: str) -> None:
    """Each import, lazy ones and those for typing too, goes to the own layer or to one on the right of it."""
    source = layer(module)
    found = [
        f"{module}:{line}: {target}: {why}"
        for line, target in imported(PACKAGE / module)
        if source in LAYERS and (why := wrong_arrow(source, target))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("source", "target", "why"),
    [
        ("cli", "slinger.verbs.create", ""),
        ("plan", "slinger.plan.ops", ""),
        ("plan", "slinger.host.probe", "plan is to the right of host"),
        ("host", "slinger.container", "host is to the right of container"),
        ("host", "socket", ""),
        ("spec", "socket", "not pure"),
        ("linux", "os", "not pure"),
        ("plan", "os.path", "not pure"),
        ("plan", "collections.abc", ""),
        ("plan", "..record", "relative import"),
        ("plan", "slinger.utils", "utils is no layer"),
        ("plan", "slinger", "slinger is no layer"),
    ],
)
def test_the_walker_tells_wrong_arrows(source: str, target: str, why: str) -> None:
    """The rule itself, on arrows that are known."""
    assert wrong_arrow(source, target) == why
