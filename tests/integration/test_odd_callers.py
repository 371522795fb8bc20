"""Callers in odd places: each call works as ever, or says in one line what is in its way."""

from __future__ import annotations

import subprocess

import pytest

from tests.integration.box import INSIDE, Box
from tests.requires import requires

pytestmark = requires("root")


def shell(box: Box, script: str) -> tuple[int, str]:
    """What the shell ends with and says; `$*` is a run of the box's container, whose program is `true`."""
    box.configure({"process.args": [INSIDE, "true"], "process.rlimits": []})
    done = subprocess.run(
        ["sh", "-c", script, "sh", *box.command(*box.running())],
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
    )
    return done.returncode, done.stdout + done.stderr


PYTHON = "PYTHONHOME=/none PYTHONPATH=/none PYTHONINSPECT=1 PYTHONHASHSEED=odd PYTHONWARNINGS=error PYTHONVERBOSE=1"


@pytest.mark.parametrize(
    "script",
    [
        '"$@" <&- >&- 2>&-',
        f'{PYTHON} PYTHONMALLOC=odd PYTHONUTF8=9 PYTHONTRACEMALLOC=odd PYTHONSTARTUP=/none "$@"',
        'env -i "$@"',
        'LC_ALL=C LANG=C TMPDIR=/none "$@"',
        'umask 0777; "$@"',
        'ulimit -n 16; "$@"',
        'ulimit -s 64; "$@"',
        'setsid --wait "$@"',
        'timeout 20 "$@"',
        'unshare --pid --fork --mount-proc "$@"',
        'unshare --mount sh -c \'mount -t proc -o hidepid=2 proc /proc && exec "$@"\' sh "$@"',
        'unshare --mount sh -c \'mount -t tmpfs dev /dev && exec "$@"\' sh "$@"',
        'mkdir gone; cd gone; rmdir ../gone; "$@"',
    ],
)
def test_a_run_that_is_none_the_worse_for_it(box: Box, script: str) -> None:
    """Closed stdio, Python's and the locale's variables, limits, sessions, namespaces, a directory that is gone."""
    assert shell(box, f"cd {box.calls}; {script}") == (0, "")


@pytest.mark.parametrize(
    ("script", "status", "message"),
    [
        (
            'mkdir gone; cd gone; rmdir ../gone; "$1" run x',
            1,
            "the working directory was removed (change to one that is there)",
        ),
        ('ulimit -f 0; "$@"', 1, "@HOME@/config.json: file too large"),
    ],
)
def test_a_run_that_says_what_is_in_its_way(box: Box, script: str, status: int, message: str) -> None:
    """And nothing is left of it."""
    said = f"slinger: {message}\n".replace("@HOME@", str(box.home))
    assert shell(box, f"cd {box.calls}; {script}") == (status, said)
    assert box.left() == []


def test_a_reader_that_has_gone_is_no_error(box: Box) -> None:
    """As with any other program in a pipe: 128 + SIGPIPE, without a word."""
    assert shell(box, '{ "$1" features; echo $? >&2; } | true') == (0, "141\n")
