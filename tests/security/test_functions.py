"""Hooks that are Python functions: the program's own process inside a container that has every reason to attack it."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from slinger import Hook, HookContext, HookError, Hooks, HostError, State
from tests.integration.shop import PROGRAM, Shop, children
from tests.requires import requires

pytestmark = requires("root", "libseccomp")

LIBC = ctypes.CDLL(None)
PR_GET_DUMPABLE, RTLD_NOW = 3, 2
STAGES = ("create_container", "start_container")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """With a module and a shared library in the root, where a search that trusts the container finds them."""
    shop = Shop(tmp_path)
    (shop.rootfs / "evil_module.py").write_text("open('/was-imported', 'w')\n")
    (library,) = (path for path in Path("/usr/lib").glob("*-linux-gnu/libm.so.6"))
    shutil.copy(library, shop.rootfs / "evil.so")
    before = children()
    yield shop
    assert shop.left() == []
    assert set(children()) <= set(before)


def nothing(_state: State, _context: HookContext) -> None:
    """A hook that must not even be called."""


def outcome(shop: Shop, stage: str, function: Callable[[State, HookContext], object]) -> str:
    """How it ended: `returned`, or how it failed."""
    with shop.bundle("true") as bundle:
        try:
            with shop.create(bundle, hooks=Hooks(**{stage: [function]})) as container:
                container.start()
                container.wait()
                (record,) = container.hook_records()
                return record.outcome
        except HookError as error:
            return str(error).partition("): ")[2]


@pytest.mark.parametrize("stage", STAGES)
def test_nothing_is_imported_from_the_containers_files(shop: Shop, stage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even where the search path leads there: it may begin with the working directory, which is the root."""
    monkeypatch.setattr(sys, "path", ["", *sys.path])

    def attacked(_state: State, _context: HookContext) -> None:
        import evil_module  # type: ignore[import-not-found]  # noqa: F401, PLC0415

    assert outcome(shop, stage, attacked) == (
        "raised ImportError: evil_module: nothing is imported inside a container; import it at the top of the program"
    )
    assert not (shop.rootfs / "was-imported").exists()


@pytest.mark.parametrize("stage", STAGES)
def test_no_library_of_the_containers_is_loaded(shop: Shop, stage: str) -> None:
    """Through ctypes."""

    def attacked(_state: State, _context: HookContext) -> None:
        ctypes.CDLL("./evil.so")

    message = "raised PermissionError: ./evil.so: nothing is loaded inside a container; load it before"
    assert outcome(shop, stage, attacked) == message


def test_no_library_of_the_containers_is_loaded_by_the_c_library(shop: Shop) -> None:
    """CVE-2019-14271: name services and character sets are loaded behind Python's back."""

    def attacked(_state: State, _context: HookContext) -> None:
        LIBC.dlopen.restype = ctypes.c_void_p
        assert LIBC.dlopen(b"/evil.so", RTLD_NOW) is None, "loaded"

    assert outcome(shop, "start_container", attacked) == "returned"


def test_no_program_of_the_containers_is_run_by_a_function(shop: Shop) -> None:
    """It would run beside the program's own process. Through Python, and through the C library."""

    def attacked(_state: State, _context: HookContext) -> None:
        subprocess.run([PROGRAM, "true"], check=True)

    def behind(_state: State, _context: HookContext) -> None:
        pid = os.fork()  # noqa: TID251 - what a hook may do
        if pid == 0:
            LIBC.execv(PROGRAM.encode(), (ctypes.c_char_p * 2)(PROGRAM.encode(), None))
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0, "executed"

    assert outcome(shop, "start_container", attacked) == (
        "raised PermissionError: subprocess.Popen: a Python hook runs no program of the container's; a command hook may"
    )
    assert outcome(shop, "start_container", behind) == "returned"


@pytest.mark.parametrize("stage", STAGES)
def test_the_programs_memory_cannot_be_looked_into(shop: Shop, stage: str) -> None:
    """CVE-2016-9962: the process is not dumpable, so nobody inside may trace it or open its descriptors."""

    def attacked(_state: State, _context: HookContext) -> None:
        assert LIBC.prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0, "dumpable"

    assert outcome(shop, stage, attacked) == "returned"


def test_a_function_is_not_called_beside_processes_of_the_containers_own(shop: Shop) -> None:
    """One that an earlier command hook left behind could trace or fool it."""
    leave = Hook(PROGRAM, args=("payload", "daemon", "60"))
    with (
        shop.bundle("true") as bundle,
        pytest.raises(HostError) as caught,
        shop.create(bundle, hooks=Hooks(start_container=[leave, nothing])) as container,
    ):
        container.start()
    assert str(caught.value).startswith("a Python hook is not run beside processes of the container's own: ")
    assert str(caught.value).endswith(" (an earlier hook or an exec has left them)")
