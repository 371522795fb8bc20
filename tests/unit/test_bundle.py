"""Bundle.make and Bundle: what is written, what is read back, what is refused. Nothing is run here."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from slinger import Bundle, ConfigError, Hook, HostError, Mount, Namespace, UsageError
from slinger.spec.config import IdMapping
from slinger.spec.default import default_config

OTHER = 1234


@pytest.fixture(autouse=True)
def as_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests, the caller is root unless a test says otherwise."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "getegid", lambda: 0)


@pytest.fixture
def as_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """The caller is a plain user, with another id as group."""
    monkeypatch.setattr(os, "geteuid", lambda: OTHER)
    monkeypatch.setattr(os, "getegid", lambda: OTHER + 1)


def written(bundle: Bundle) -> dict[str, Any]:
    """config.json of a bundle as it is on disk."""
    document: dict[str, Any] = json.loads(Path(bundle.path, "config.json").read_text("utf-8"))
    return document


def make(tmp_path: Path, **options: Any) -> Bundle:
    """A bundle in the test's directory."""
    given: dict[str, Any] = {"rootfs": tmp_path / "rootfs", "args": ["true"], **options}
    return Bundle.make(tmp_path / "bundle", **given)


def test_a_bundle_of_rootfs_and_args_is_the_default_one(tmp_path: Path) -> None:
    """All else is as `slinger spec` writes it, but for the terminal, the name and the writable root."""
    document = json.loads(default_config(cgroup_v2=os.path.exists("/sys/fs/cgroup/cgroup.controllers")))
    document["root"] = {"path": str(tmp_path / "rootfs"), "readonly": False}
    document["process"].update({"args": ["true"], "terminal": False})
    document["hostname"] = ""
    document["hooks"] = {}
    assert written(make(tmp_path)) == document


def test_every_argument_finds_its_place(tmp_path: Path) -> None:
    """Read back as the records of the configuration."""
    hook = Hook("/opt/hook", args=("hook", "now"), env=("A=1",), timeout=3)
    data = Mount("/data", "bind", "/srv", ("rbind", "ro"))
    config = make(
        tmp_path,
        args=("prog", "word"),
        env={"A": "1", "B": "2=3"},
        cwd="/tmp",
        user=(7, 8),
        hostname="box",
        terminal=True,
        readonly=True,
        mounts=[data],
        hooks={"createRuntime": [hook], "poststop": [Hook("/opt/other")]},
        namespaces=["mount", "uts", Namespace("network", "/run/netns/x")],
    ).config
    assert config.process is not None
    assert (config.process.args, config.process.env) == (("prog", "word"), ("A=1", "B=2=3"))
    assert (config.process.cwd, config.process.terminal) == ("/tmp", True)
    assert (config.process.user.uid, config.process.user.gid) == (7, 8)
    assert (config.hostname, config.root.readonly) == ("box", True)
    assert (config.mounts[0].destination, config.mounts[-1]) == ("/proc", data)
    assert (config.hooks.of("createRuntime"), config.hooks.of("poststop")) == ((hook,), (Hook("/opt/other"),))
    assert config.linux.namespaces == (Namespace("mount"), Namespace("uts"), Namespace("network", "/run/netns/x"))


def test_a_property_has_the_last_word(tmp_path: Path) -> None:
    """By its path, objects on the way are made; what the arguments have set is replaced."""
    properties: Mapping[str, object] = {
        "linux.resources.pids.limit": 32,
        "annotations": {"org.example.name": "x"},
        "process.cwd": "/srv",
    }
    config = make(tmp_path, cwd="/tmp", properties=properties).config
    assert config.process is not None
    assert config.linux.resources is not None
    assert (config.linux.resources.pids_limit, config.process.cwd) == (32, "/srv")
    assert config.annotations == (("org.example.name", "x"),)


def test_id_mapped_mounts_are_written(tmp_path: Path) -> None:
    """Both maps of a mount."""
    mapping = IdMapping(0, 1000, 1)
    mount = Mount("/data", "bind", "/srv", ("bind",), (mapping,), (mapping,))
    assert make(tmp_path, mounts=[mount]).config.mounts[-1] == mount


@pytest.mark.usefixtures("as_other")
def test_a_plain_user_gets_a_user_namespace_with_the_one_id(tmp_path: Path) -> None:
    """The id that the program has inside is the caller's outside, and there is no other."""
    linux = make(tmp_path, user=(7, 8)).config.linux
    assert linux.uid_mappings == (IdMapping(7, OTHER, 1),)
    assert linux.gid_mappings == (IdMapping(8, OTHER + 1, 1),)
    assert Namespace("user") in linux.namespaces
    assert Namespace("network") not in linux.namespaces
    assert linux.resources is None


@pytest.mark.usefixtures("as_other")
def test_a_plain_users_own_list_of_namespaces_gets_the_user_namespace_too(tmp_path: Path) -> None:
    """Since without it none of the others can be made."""
    linux = make(tmp_path, namespaces=["mount", "pid"]).config.linux
    assert linux.namespaces == (Namespace("mount"), Namespace("pid"), Namespace("user"))


def test_root_may_ask_for_a_rootless_bundle(tmp_path: Path) -> None:
    """The single id is root's then."""
    linux = make(tmp_path, rootless=True).config.linux
    assert (linux.uid_mappings, linux.gid_mappings) == ((IdMapping(0, 0, 1),), (IdMapping(0, 0, 1),))


def test_a_temporary_bundle_goes_with_its_close_and_leaves_the_rootfs(tmp_path: Path) -> None:
    """Twice closed is closed."""
    (tmp_path / "file").write_text("kept")
    with Bundle.make(rootfs=tmp_path, args=["true"]) as bundle:
        assert os.listdir(bundle.path) == ["config.json"]
        assert bundle.config.root.path == str(tmp_path)
    assert not os.path.exists(bundle.path)
    bundle.close()
    assert (tmp_path / "file").read_text() == "kept"


def test_a_bundle_with_a_place_of_its_own_stays(tmp_path: Path) -> None:
    """It was made for somebody else too."""
    with make(tmp_path) as bundle:
        pass
    assert os.listdir(bundle.path) == ["config.json"]


def test_a_bundle_is_opened_by_its_path_and_read_when_it_is_asked(tmp_path: Path) -> None:
    """A relative path is made absolute at once; config.json may come later."""
    bundle = Bundle(os.path.relpath(tmp_path))
    assert (bundle.path, os.fspath(bundle), repr(bundle)) == (str(tmp_path), str(tmp_path), f"Bundle('{tmp_path}')")
    (tmp_path / "config.json").write_text(json.dumps({"ociVersion": "1.3.0", "root": {"path": "files"}}))
    assert bundle.config.root.path == "files"


def test_a_bundle_without_a_configuration_says_so(tmp_path: Path) -> None:
    """When it is asked for it."""
    with pytest.raises(ConfigError) as caught:
        _ = Bundle(tmp_path).config
    text = f"JSON specification file config.json not found in {tmp_path} (Bundle.make writes one)"
    assert str(caught.value) == text


def test_a_configuration_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    """It may hold somebody's work."""
    make(tmp_path)
    with pytest.raises(HostError) as caught:
        make(tmp_path)
    path = tmp_path / "bundle/config.json"
    assert str(caught.value) == (f"the bundle '{path}': file exists (Bundle(path) opens one that is there already)")


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"cwd": "work"}, 'process.cwd: must be an absolute path, got "work"'),
    ({"args": []}, "process.args: must have at least one entry"),
    (
        {"hooks": {"postStop": [Hook("/bin/true")]}},
        (
            "hooks.postStop: no such stage (the stages are prestart, createRuntime, createContainer, startContainer,"
            " poststart, poststop)"
        ),
    ),
    ({"hooks": {"poststop": [Hook("true")]}}, 'hooks.poststop[0].path: must be an absolute path, got "true"'),
    ({"namespaces": ["net"]}, 'linux.namespaces[0].type: unknown namespace "net"'),
    ({"properties": {"hostname.domain": "x"}}, "hostname: not an object, so hostname.domain cannot be set"),
    ({"properties": {"root.readonly": "yes"}}, 'root.readonly: expected true or false, got "yes"'),
]


@pytest.mark.parametrize(("options", "message"), REFUSED)
def test_what_would_make_no_container_is_refused_at_once(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    """Naming the property; no directory is made."""
    with pytest.raises(ConfigError) as caught:
        make(tmp_path, **options)
    assert str(caught.value) == message
    assert os.listdir(tmp_path) == []


def test_a_command_line_as_one_string_is_refused(tmp_path: Path) -> None:
    """It would run its first letter."""
    with pytest.raises(UsageError) as caught:
        make(tmp_path, args="echo hello")
    text = "args: must be a list of strings, not 'echo hello' (shlex.split makes one from a command line)"
    assert str(caught.value) == text


def test_a_property_that_is_no_json_is_a_type_error(tmp_path: Path) -> None:
    """As json.dumps has it."""
    with pytest.raises(TypeError, match=r"^object is not JSON$"):
        make(tmp_path, properties={"annotations": object()})
