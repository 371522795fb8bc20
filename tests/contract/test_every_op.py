"""No op is without a test that it works and a test of where its failure ends up."""

from __future__ import annotations

import ast
from pathlib import Path

from slinger.plan import ops
from tests.contract.failing import ROOTLESS
from tests.contract.failing_in_root import ROOTED

HERE = Path(__file__).parent
NAMES = {kind.__name__ for kind in ops.OPS}


def covered(decorator: str) -> set[str]:
    """The ops that some test function names in this decorator (tests/contract/covers.py)."""
    found: set[str] = set()
    for path in HERE.glob("test_*.py"):
        for node in ast.parse(path.read_bytes()).body:
            for call in node.decorator_list if isinstance(node, ast.FunctionDef) else ():
                if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == decorator:
                    found |= {arg.attr for arg in call.args if isinstance(arg, ast.Attribute)}
    return found


def test_every_op_is_shown_to_work() -> None:
    """Write a test and mark it @works(ops.TheNewOne)."""
    assert covered("works") == NAMES


def test_every_op_is_shown_to_fail() -> None:
    """Write a row in test_failures.py, or a test and mark it @fails(ops.TheNewOne)."""
    rows = {type(op).__name__ for op, _, _ in ROOTLESS}
    rows |= {type(build(Path("/rootfs"))[-1]).__name__ for build, _ in ROOTED}
    assert covered("fails") | rows == NAMES
