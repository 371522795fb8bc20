"""The C cases of cases.c, each as a test: arena, reports and paths of the hands, under the sanitizers."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.init.building import INIT, build
from tests.requires import requires

pytestmark = requires("clang", "sanitizers")

SOURCE: Final = Path(__file__).with_name("cases.c")
CASES: Final = re.findall(r"^    CASE\((\w+)\)", SOURCE.read_text(encoding="utf-8"), re.MULTILINE)


def program() -> Path:
    """The cases, built."""
    return build(SOURCE, *(INIT / name for name in ("plan.c", "report.c", "path.c")))


@pytest.mark.parametrize("case", CASES)
def test_the_parts_of_the_hands(case: str, tmp_path: Path) -> None:
    """Each in a process of its own, with an empty directory as the root."""
    done = subprocess.run(
        [program(), case, tmp_path],
        check=False,
        capture_output=True,
        text=True,
        timeout=30,
        env={"ASAN_OPTIONS": "detect_leaks=0"},
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_no_case_is_forgotten() -> None:
    """What the program has is what the tests above were made of, and every function of the file is among them."""
    done = subprocess.run([program()], check=True, capture_output=True, text=True, timeout=30)
    functions = re.findall(r"^static void (\w+)\(void\)", SOURCE.read_text(encoding="utf-8"), re.MULTILINE)
    assert done.stdout.split() == CASES == [name for name in functions if name != "connect_brain"]
