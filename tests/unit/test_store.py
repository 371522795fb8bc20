"""host/store.py: the directory of a container, its lock, its record. Needs no root."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from slinger.errors import ExistsError, HostError, NotFoundError, UsageError
from slinger.host.store import (
    HOOKS,
    START,
    STATE,
    Home,
    Saved,
    check_id,
    default_root,
    ids,
    prepare_root,
    remove_unwritten,
)
from slinger.spec.jsontext import dump

SAVED = Saved(
    container_id="box",
    bundle="/bündle",
    rootfs="/b/rootfs",
    creating=True,
    owner=0,
    annotations=(("a", "b"), ("c", "")),
    late_hooks=("poststop",),
    started=((7, "exec", "process.args", "", ("sh", "-c")),),
    init=(42, 4711),
)


@pytest.mark.parametrize("container_id", ["a", "A-b_c+d.e", "0", "x" * 255, "a..."])
def test_an_id_is_letters_digits_and_a_few_signs(container_id: str) -> None:
    """runc's alphabet; but a name that `list` would not show is none."""
    check_id(container_id)


@pytest.mark.parametrize(
    ("container_id", "text"),
    [
        ("", "invalid container ID format: empty"),
        ("x" * 256, "invalid container ID format: 256 characters, at most 255 are allowed"),
        ("..", 'invalid container ID format: ".." starts with a dot (it would be hidden)'),
        (".foo", 'invalid container ID format: ".foo" starts with a dot (it would be hidden)'),
        (".", 'invalid container ID format: "." starts with a dot (it would be hidden)'),
        ("a/b", 'invalid container ID format: "a/b": invalid character "/" (letters, digits and _+-. are allowed)'),
        ("ä", 'invalid container ID format: "ä": invalid character "ä" (letters, digits and _+-. are allowed)'),
        ("a b", 'invalid container ID format: "a b": invalid character " " (letters, digits and _+-. are allowed)'),
    ],
)
def test_an_id_that_could_be_a_path_is_refused(container_id: str, text: str) -> None:
    """It becomes the name of a directory."""
    with pytest.raises(UsageError) as caught:
        check_id(container_id)
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("uid", "environment", "expected"),
    [
        (0, {}, "/run/slinger"),
        (0, {"USER": "root", "XDG_RUNTIME_DIR": "/run/user/0"}, "/run/slinger"),
        (0, {"USER": "me", "XDG_RUNTIME_DIR": "/run/user/7"}, "/run/user/7/slinger"),
        (0, {"USER": "me"}, "/run/slinger"),
        (7, {"XDG_RUNTIME_DIR": "/run/user/7"}, "/run/user/7/slinger"),
        (7, {}, "/tmp/slinger-7"),
    ],
)
def test_the_default_root_is_the_users(
    monkeypatch: pytest.MonkeyPatch, uid: int, environment: dict[str, str], expected: str
) -> None:
    """Root of a user namespace is a user with a runtime directory."""
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    assert default_root(environment) == expected


def test_a_root_is_made_and_closed_to_others(tmp_path: Path) -> None:
    """0700, with what leads to it."""
    root = prepare_root(str(tmp_path / "a/b/"))
    assert root == str(tmp_path / "a/b")
    assert (tmp_path / "a/b").stat().st_mode & 0o777 == 0o700


def test_a_root_that_cannot_be_is_refused(tmp_path: Path) -> None:
    """The file system's root, and a file."""
    with pytest.raises(UsageError, match=r"^--root: / cannot be the state directory$"):
        prepare_root("/")
    (tmp_path / "file").write_text("", encoding="ascii")
    with pytest.raises(HostError) as caught:
        prepare_root(str(tmp_path / "file"))
    assert str(caught.value) == (f"the state directory '{tmp_path}/file': file exists (choose another with --root)")


def test_a_root_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They could put records there."""
    owner = tmp_path.stat().st_uid
    if owner == 0:
        os.chown(tmp_path, 12345, -1)
        owner = 12345
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    with pytest.raises(HostError) as caught:
        prepare_root(str(tmp_path))
    assert str(caught.value) == (
        f"the state directory {tmp_path}: belongs to user {owner} (choose another with --root)"
    )


@pytest.fixture
def root(tmp_path: Path) -> str:
    """A state root."""
    return str(tmp_path / "root")


def make(root: str, container_id: str = "box") -> Home:
    """A new directory."""
    home, taken_over = Home.make(root, container_id)
    assert not taken_over
    return home


def test_a_record_comes_back_as_it_was_written(root: str) -> None:
    """Tuples, numbers and text."""
    home = make(root)
    assert home.read() is None
    home.write(SAVED)
    assert home.read() == SAVED
    assert sorted(os.listdir(home.fd)) == [STATE]
    home.close()


@pytest.mark.parametrize("text", [b"[]", b"{}", b'{"container_id":"box"}'])
def test_a_record_of_another_version_is_an_error(root: str, text: bytes) -> None:
    """Not a guess."""
    home = make(root)
    home.write_file(STATE, text)
    with pytest.raises(HostError) as caught:
        home.read()
    assert str(caught.value) == f"{root}/box/state.json: not a record of this version of slinger"
    home.close()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("container_id", "7"),
        ("creating", '"no"'),
        ("owner", "true"),
        ("init", "[42]"),
        ("init", '["42", 4711]'),
        ("annotations", '[["a"]]'),
        ("annotations", '{"a": "b"}'),
        ("late_hooks", '"poststop"'),
        ("started", '[[7, "exec", "process.args", "", [1]]]'),
    ],
)
def test_a_record_with_another_kind_of_value_is_an_error_that_names_it(root: str, name: str, text: str) -> None:
    """And nothing that a verb stumbles over later."""
    home = make(root)
    members = [f'"{key}": {text if key == name else dump(value)}' for key, value in SAVED.__dict__.items()]
    home.write_file(STATE, f"{{{', '.join(members)}}}".encode())
    with pytest.raises(HostError) as caught:
        home.read()
    assert str(caught.value) == f"{root}/box/state.json: {name} is not as this version of slinger writes it"
    home.close()


def test_an_id_is_in_use_while_it_is_being_made(root: str) -> None:
    """Its directory is locked."""
    home = make(root)
    with pytest.raises(ExistsError, match=r"^container with given ID already exists$"):
        Home.make(root, "box")
    home.close()


def test_an_id_is_in_use_once_it_is_made(root: str) -> None:
    """By its record, locked or not."""
    home = make(root)
    home.write(SAVED.replace(creating=False))
    home.close()
    with pytest.raises(ExistsError, match=r"^container with given ID already exists$"):
        Home.make(root, "box")


@pytest.mark.parametrize("written", [False, True])
def test_what_a_killed_create_left_is_taken_over(root: str, *, written: bool) -> None:
    """Unlocked, and "creating" or without a record."""
    home = make(root)
    if written:
        home.write(SAVED)
    home.close()
    again, taken_over = Home.make(root, "box")
    assert taken_over
    again.close()


def test_of_many_who_want_an_id_one_gets_it(root: str) -> None:
    """Whatever the others see, it is ExistsError."""
    got: list[Home] = []
    refused: list[Exception] = []

    def want() -> None:
        try:
            got.append(Home.make(root, "box")[0])
        except ExistsError as error:
            refused.append(error)

    threads = [threading.Thread(target=want) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(got), len(refused)) == (1, 7)
    got[0].close()


def test_a_container_that_is_not_there_is_not_found(root: str) -> None:
    """The text that callers look for."""
    with pytest.raises(NotFoundError, match=r"^container does not exist$"):
        Home.find(root, "box")


def test_a_found_directory_is_not_locked(root: str) -> None:
    """Looking must not wait; changing may."""
    home = make(root)
    found = Home.find(root, "box")
    assert found.container_id == "box"
    home.unlock()
    with found.locked():
        assert Home.try_lock(f"{root}/box") is None
    home.close()
    found.close()


def test_a_file_is_replaced_as_a_whole_and_lines_are_added(root: str) -> None:
    """A missing file is None."""
    home = make(root)
    assert home.read_file("config.json") is None
    home.write_file("config.json", b"long text")
    home.write_file("config.json", b"short")
    assert home.read_file("config.json") == b"short"
    home.append_line(HOOKS, "one")
    home.append_line(HOOKS, "zw\udcffei")
    assert home.read_file(HOOKS) == b"one\nzw\xffei\n"
    home.close()


def test_a_start_is_pending_as_long_as_its_socket_is_there(root: str) -> None:
    """However deep the state root is: a socket's path may have 107 bytes."""
    home = make(f"{root}/{'deep/' * 40}")
    assert not home.start_pending()
    listener = home.listen()
    assert home.start_pending()
    caller = home.connect()
    caller.close()
    listener.close()
    with pytest.raises(ConnectionRefusedError):
        home.connect()
    assert os.path.exists(f"{home.path}/{START}")
    home.forget_start()
    home.forget_start()
    assert not home.start_pending()
    home.close()


def test_a_directory_that_was_removed_is_not_current(root: str) -> None:
    """Nor one that took its name."""
    home = make(root)
    assert home.is_current()
    home.write(SAVED)
    assert home.hold(HOOKS, make=False) == -1
    held = home.hold(HOOKS, make=True)
    home.remove()
    assert not home.is_current()
    other = make(root)
    assert (home.is_current(), other.is_current()) == (False, True)
    os.close(held)
    home.close()
    home.close()
    other.close()


def test_ids_are_listed_in_order(root: str) -> None:
    """Other files are none."""
    for name in ("b", "a", "c.d"):
        make(root, name).close()
    Path(root, ".hidden").mkdir()
    Path(root, "no id").mkdir()
    assert ids(root) == ("a", "b", "c.d")


def test_what_was_never_written_down_can_be_removed(root: str) -> None:
    """Unless it is locked, or has a record; what is not there is no error."""
    remove_unwritten(root, "box")
    home = make(root)
    remove_unwritten(root, "box")
    assert home.is_current()
    home.close()
    remove_unwritten(root, "box")
    assert ids(root) == ()
    home = make(root)
    home.write(SAVED)
    home.close()
    remove_unwritten(root, "box")
    assert ids(root) == ("box",)
