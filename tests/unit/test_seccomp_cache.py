"""The cache of compiled filters: used when it is whole and ours, made anew otherwise."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from slinger.host import seccomp
from slinger.host.seccomp import CACHE, ENTRIES, compile_filter
from slinger.spec.config import Seccomp, SeccompRule
from tests.requires import requires

pytestmark = requires("libseccomp")


def profile(number: int = 1) -> Seccomp:
    """A profile; each number another one."""
    rule = SeccompRule(names=("reboot",), action="SCMP_ACT_ERRNO", errno_ret=number)
    return Seccomp(default_action="SCMP_ACT_ALLOW", syscalls=(rule,))


@pytest.fixture
def entry(tmp_path: Path) -> Path:
    """The only entry of the cache."""
    compile_filter(profile(), str(tmp_path))
    (entry,) = (tmp_path / CACHE).iterdir()
    return entry


def test_a_profile_is_compiled_once(tmp_path: Path, entry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second time the library is not asked."""
    program = compile_filter(profile(), str(tmp_path))
    monkeypatch.delattr(seccomp, "_compile")
    assert compile_filter(profile(), str(tmp_path)) == program
    assert entry.stat().st_mode & 0o777 == 0o600
    assert entry.parent.stat().st_mode & 0o777 == 0o700


def test_an_entry_that_is_damaged_is_made_anew(tmp_path: Path, entry: Path) -> None:
    """Emptied, cut, changed, or replaced by something that is no file."""
    whole = entry.read_bytes()
    program = compile_filter(profile(), str(tmp_path))
    for data in (b"", whole[:-1], whole[:8], whole[:-1] + bytes([whole[-1] ^ 1]), whole + bytes(1 << 17)):
        entry.write_bytes(data)
        assert compile_filter(profile(), str(tmp_path)) == program
        assert entry.read_bytes() == whole
    entry.unlink()
    os.mkfifo(entry)
    assert compile_filter(profile(), str(tmp_path)) == program
    entry.unlink()
    entry.symlink_to("/etc/passwd")
    assert compile_filter(profile(), str(tmp_path)) == program
    assert entry.read_bytes() == whole


@requires("root")
def test_an_entry_that_others_could_write_is_made_anew(tmp_path: Path, entry: Path) -> None:
    """Another owner, or a mode that lets others write: the filter could be anybody's."""
    whole = entry.read_bytes()
    for owner, mode in ((65534, 0o600), (0, 0o622), (0, 0o620)):
        os.chown(entry, owner, owner)
        entry.chmod(mode)
        compile_filter(profile(), str(tmp_path))
        info = entry.stat()
        assert (info.st_uid, info.st_mode & 0o777, entry.read_bytes()) == (0, 0o600, whole)


def test_the_cache_does_not_grow_for_ever(tmp_path: Path) -> None:
    """Drafts of killed processes count too."""
    (tmp_path / CACHE).mkdir()
    for number in range(ENTRIES):
        (tmp_path / CACHE / f"{number}.draft").touch()
    compile_filter(profile(), str(tmp_path))
    assert len(list((tmp_path / CACHE).iterdir())) == 1


def test_threads_and_processes_may_compile_at_once(tmp_path: Path) -> None:
    """Each gets the filter, and one entry a profile is left."""
    with ThreadPoolExecutor(8) as pool:
        programs = list(pool.map(compile_filter, [profile(1), profile(2)] * 16, [str(tmp_path)] * 32))
    assert programs == programs[:2] * 16
    assert len(list((tmp_path / CACHE).iterdir())) == 2


def test_nothing_is_kept_where_there_is_no_state_root(tmp_path: Path) -> None:
    """`slinger plan` only looks."""
    root = tmp_path / "none"
    assert compile_filter(profile(), str(root)).program
    assert not root.exists()
