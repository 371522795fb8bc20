"""Bad input: each gets one line on stderr, one object in the JSON log, exit status 1, and leaves nothing behind.

The tables are the rule: what is given, and the whole message.
"""

from __future__ import annotations

import json
import subprocess
import time
from typing import TYPE_CHECKING, Final

import pytest

from tests import leftovers
from tests.bundles import Drop, Json, base_config, changed, make_rootfs
from tests.integration.bad_configs import CONFIGS
from tests.requires import requires

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

pytestmark = requires("root")


class Command:
    """The command with a state root and a JSON log of its own."""

    def __init__(self, program: str, root: Path, log: Path) -> None:
        self.start = [program, "--root", str(root), "--log", str(log), "--log-format", "json"]
        self.root = root
        self.log = log

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One call, which may not take long."""
        return subprocess.run([*self.start, *arguments], check=False, capture_output=True, text=True, timeout=30)

    def refused(self, *arguments: str) -> str:
        """The message of a call that must fail, told once in each place."""
        self.log.unlink(missing_ok=True)
        done = self(*arguments)
        assert (done.returncode, done.stdout) == (1, "")
        *warnings, line = done.stderr.splitlines()
        assert [warning for warning in warnings if not warning.startswith("slinger: warning: ")] == []
        assert line.startswith("slinger: ")
        message = line.removeprefix("slinger: ")
        logged = json.loads(self.log.read_text("utf-8"))
        assert logged == {"level": "error", "msg": message, "time": logged["time"]}
        return message

    def succeeds(self, *arguments: str) -> str:
        """What a call that must not fail answers."""
        done = self(*arguments)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout


@pytest.fixture
def command(slinger: str, tmp_root: Path, tmp_path: Path) -> Command:
    """The real one."""
    return Command(slinger, tmp_root, tmp_path / "log.json")


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle with an empty root file system and no configuration yet."""
    (tmp_path / "bundle" / "rootfs").mkdir(parents=True)
    return tmp_path / "bundle"


def write_config(bundle: Path, container_id: str, config: Mapping[str, Json]) -> None:
    """As config.json, with the id in the cgroup's path."""
    (bundle / "config.json").write_text(json.dumps(config).replace("@ID@", container_id))


def assert_nothing_left(command: Command, bundle: Path) -> None:
    """No state, no cgroup, no mount; processes are looked for when the run ends."""
    assert list(command.root.iterdir()) == []
    assert leftovers.cgroups() == []
    assert leftovers.mounts(bundle) == []


DOCUMENTS: Final[Sequence[tuple[bytes, str]]] = [
    (b"", "config.json: invalid JSON at line 1 column 1: expecting a value"),
    (b" \n", "config.json: invalid JSON at line 2 column 1: expecting a value"),
    (
        b'{"ociVersion": "1.0.2",}',
        "config.json: invalid JSON at line 1 column 24: expecting a member name in double quotes",
    ),
    (b'{\n  "ociVersion": 1.0.2\n}', 'config.json: invalid JSON at line 2 column 20: expecting "," or "}"'),
    (b'{"a": 1} x', "config.json: invalid JSON at line 1 column 10: expecting the end of the document"),
    (b'{"a": tru}', "config.json: invalid JSON at line 1 column 7: expecting a value"),
    (b'{"a": "\xff"}', "config.json: not UTF-8: invalid start byte at byte 7"),
    (b"[]", "config.json: expected an object, got an array"),
    (b"null", "config.json: expected an object, got null"),
    (b"{}", "ociVersion: required property is missing"),
    (b'{"a": 1, "a": 1}', 'config.json: duplicate member "a"'),
]


@pytest.mark.spec("glossary.md#json/utf-8", "glossary.md#json/duplicate-names")
@pytest.mark.parametrize(("document", "message"), DOCUMENTS)
def test_a_document_that_is_none(
    command: Command, bundle: Path, container_id: str, document: bytes, message: str
) -> None:
    """Line and column of what is not JSON."""
    (bundle / "config.json").write_bytes(document)
    assert command.refused("create", "--bundle", str(bundle), container_id) == message
    assert_nothing_left(command, bundle)


@pytest.mark.spec(
    "config.md#valid-values/invalid",
    "config.md#root/exists",
    "config.md#process/cwd",
    "config.md#process/args",
    "config.md#posix-process/unknown",
    "config.md#posix-process/duplicate",
    "config.md#posix-platform-hooks/path-absolute",
    "config.md#posix-platform-hooks/timeout",
    "config-linux.md#namespaces/duplicate",
    "config-linux.md#namespaces/path-absolute",
    "config.md#specification-version/semver",
    "config.md#annotations/map",
    "config.md#annotations/values",
    "config.md#annotations/keys-empty",
    "config.md#posix-platform-mounts/uid-mappings",
    "config.md#posix-platform-mounts/gid-mappings",
    "config-linux.md#masked-paths/absolute",
    "config-linux.md#readonly-paths/absolute",
    "config-linux.md#cpu/quota",
    "config-linux.md#cpu/burst",
    "config-linux.md#block-io/weight",
    "config-linux.md#rdma/limits",
    "config-linux.md#seccomp/default-errno",
    "config-linux.md#seccomp/errno",
    "config-linux.md#seccomp/names",
    "config-linux.md#seccomp/metadata",
    "config-linux.md#intelrdt/memory-bandwidth",
    "config-linux.md#intelrdt/memory-bandwidth-line",
    "config-linux.md#intelrdt/schemata-lines",
    "runtime.md#errors/no-trace",
)
@pytest.mark.parametrize("verb", ["create", "run"])
@pytest.mark.parametrize(("changes", "message"), CONFIGS, ids=[message.split(" (")[0] for _, message in CONFIGS])
def test_a_configuration_that_cannot_be_meant(
    command: Command, bundle: Path, container_id: str, changes: dict[str, Json | Drop], message: str, verb: str
) -> None:
    """The JSON path, what was expected, and what is there."""
    write_config(bundle, container_id, changed(base_config(), changes))
    expected = message.replace("@BUNDLE@", str(bundle.resolve()))
    assert command.refused(verb, "--bundle", str(bundle), container_id) == expected
    assert_nothing_left(command, bundle)


@pytest.mark.spec("bundle.md#container-format/config-file", "bundle.md#container-format/config-place")
def test_a_missing_configuration(command: Command, bundle: Path, container_id: str) -> None:
    """The text is runc's, which callers look for."""
    assert command.refused("create", "--bundle", str(bundle), container_id) == (
        f"JSON specification file config.json not found in {bundle} (slinger spec writes one)"
    )
    assert_nothing_left(command, bundle)


@pytest.mark.spec("runtime.md#create/without-id")
def test_a_missing_bundle(command: Command, bundle: Path, container_id: str) -> None:
    """As a bundle without configuration."""
    assert command.refused("create", "--bundle", "/nonexistent", container_id) == (
        "JSON specification file config.json not found in /nonexistent (slinger spec writes one)"
    )
    assert_nothing_left(command, bundle)


IDS: Final = [
    ("", "invalid container ID format: empty"),
    ("a/b", 'invalid container ID format: "a/b": invalid character "/" (letters, digits and _+-. are allowed)'),
    ("../x", 'invalid container ID format: "../x": invalid character "/" (letters, digits and _+-. are allowed)'),
    (".foo", 'invalid container ID format: ".foo" starts with a dot (it would be hidden)'),
    (".", 'invalid container ID format: "." starts with a dot (it would be hidden)'),
    ("..", 'invalid container ID format: ".." starts with a dot (it would be hidden)'),
    ("a b", 'invalid container ID format: "a b": invalid character " " (letters, digits and _+-. are allowed)'),
    ("ä", 'invalid container ID format: "ä": invalid character "ä" (letters, digits and _+-. are allowed)'),
    ("a" * 256, "invalid container ID format: 256 characters, at most 255 are allowed"),
]


@pytest.mark.spec("runtime.md#create/id-in-use")
@pytest.mark.parametrize("verb", ["create", "run", "start", "state", "kill", "delete"])
@pytest.mark.parametrize(
    ("name", "message"), IDS, ids=["empty", "slash", "up", "hidden", "dot", "dots", "space", "umlaut", "long"]
)
def test_an_id_that_is_no_name(command: Command, bundle: Path, name: str, message: str, verb: str) -> None:
    """The same for every verb that takes one."""
    write_config(bundle, "x", base_config())
    options = ["--bundle", str(bundle)] if verb in {"create", "run"} else []
    assert command.refused(verb, *options, "--", name) == message
    assert_nothing_left(command, bundle)


@pytest.mark.spec("runtime.md#query-state/unknown-id")
@pytest.mark.parametrize("arguments", [["start"], ["state"], ["kill"], ["delete"]], ids=lambda words: words[0])
def test_an_id_that_nobody_has(command: Command, bundle: Path, container_id: str, arguments: list[str]) -> None:
    """The text is runc's, which containerd's shim looks for."""
    assert command.refused(*arguments, container_id) == "container does not exist"
    assert_nothing_left(command, bundle)


def test_by_force_an_unknown_id_is_deleted(command: Command, container_id: str) -> None:
    """As runc, crun and youki do."""
    assert command.succeeds("delete", "--force", container_id) == ""


INSTEAD = "run it by runc or crun, which have it with CRIU"
RESTORE = f"restore: not supported: slinger cannot bring back a container that was saved ({INSTEAD})"
CHECKPOINT = f"checkpoint: not supported: slinger cannot save a running container ({INSTEAD})"
LINES: Final[Sequence[tuple[list[str], str]]] = [
    (["crate", "x"], 'unknown verb "crate" (did you mean create?)'),
    (["frobnicate"], 'unknown verb "frobnicate" (slinger help lists the verbs)'),
    (["create", "--bundel", "/b", "x"], "create: unknown option --bundel (did you mean --bundle?)"),
    (["--bundle", "/b", "create", "x"], "unknown option --bundle (it belongs behind the verb: create, run, spec)"),
    (["create"], "create: takes ID, got nothing (usage: slinger create [options] ID)"),
    (["start"], "start: takes ID, got nothing (usage: slinger start ID)"),
    (["state"], "state: takes ID, got nothing (usage: slinger state ID)"),
    (["kill"], "kill: takes ID [SIGNAL], got nothing (usage: slinger kill [options] ID [SIGNAL])"),
    (["delete"], "delete: takes ID, got nothing (usage: slinger delete [options] ID)"),
    (["create", "a", "b"], "create: takes ID, got 2: a b (usage: slinger create [options] ID)"),
    (["create", "x", "--bundle"], "create --bundle: needs a value, DIR"),
    (["create", "--preserve-fds", "-1", "x"], 'create --preserve-fds: must be a whole number from 0, not "-1"'),
    (["create", "--preserve-fds", "1", "x"], "--preserve-fds 1: file descriptor 3 is not open"),
    (["kill", "x", "SIGFOO"], 'unknown signal "SIGFOO" (give a number such as 15 or a name such as TERM)'),
    (["list", "--format", "yaml"], 'list --format: must be table or json, not "yaml"'),
    (["--root", "/", "list"], "--root /: must not be the root of the file system"),
    (["restore", "x"], RESTORE),
    (["--root", "/tmp/r", "--criu", "/sbin/criu", "restore", "--image-path", "/i", "x"], RESTORE),
    (["help", "restore"], RESTORE),
    (["checkpoint", "--image-path", "/i", "x"], CHECKPOINT),
    (["checkpoint", "--help"], CHECKPOINT),
]


@pytest.mark.complaint("exec and restore/restore")
@pytest.mark.spec(
    "runtime.md#query-state/without-id",
    "runtime.md#create/without-id",
    "runtime.md#start/without-id",
    "runtime.md#kill/without-id",
    "runtime.md#delete/without-id",
)
@pytest.mark.parametrize(("arguments", "message"), LINES, ids=[message for _, message in LINES])
def test_a_line_that_cannot_be_meant(command: Command, bundle: Path, arguments: list[str], message: str) -> None:
    """It names the word that is wrong."""
    assert command.refused(*arguments) == message
    assert_nothing_left(command, bundle)


@pytest.mark.spec(
    "config.md#linux-process/capability-warning",
    "config.md#linux-process/capability-no-error",
    "runtime.md#warnings/goes-on",
)
def test_an_unknown_capability_is_a_warning(command: Command, bundle: Path, container_id: str) -> None:
    """config.md: what cannot be granted must be warned of, and is no error. It is not in the JSON log."""
    make_rootfs(bundle / "rootfs")
    changes: dict[str, Json | Drop] = {
        "process.capabilities.bounding+": ["CAP_FLY"],
        "process.args": ["/bin/payload", "true"],
    }
    write_config(bundle, container_id, changed(base_config(), changes))
    done = command("run", "--bundle", str(bundle), container_id)
    assert (done.returncode, done.stderr) == (
        0,
        'slinger: warning: process.capabilities.bounding[3]: unknown capability "CAP_FLY", ignored\n',
    )
    assert command.log.read_text() == ""
    assert_nothing_left(command, bundle)


@pytest.mark.spec("config.md#extensibility/unknown")
def test_unknown_properties_are_ignored(command: Command, bundle: Path, container_id: str) -> None:
    """config.md, "Extensibility"."""
    make_rootfs(bundle / "rootfs")
    changes: dict[str, Json | Drop] = {"windows": {}, "linux.fancy": 1, "process.args": ["/bin/payload", "true"]}
    write_config(bundle, container_id, changed(base_config(), changes))
    assert command.succeeds("run", "--bundle", str(bundle), container_id) == ""
    assert_nothing_left(command, bundle)


@pytest.fixture
def created(command: Command, bundle: Path, container_id: str) -> str:
    """The id of a container that was created, whose program would run for long."""
    make_rootfs(bundle / "rootfs")
    write_config(bundle, container_id, changed(base_config(), {"process.args": ["/bin/payload", "pause"]}))
    # Not through a pipe: the program keeps its stdio, and the call would last as long as the program.
    line = [*command.start, "create", "--bundle", str(bundle), container_id]
    subprocess.run(line, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=30)
    return container_id


def status_of(command: Command, container_id: str) -> str:
    """What ``state`` says."""
    status = json.loads(command.succeeds("state", container_id))["status"]
    return str(status)


@pytest.mark.spec("runtime.md#create/id-in-use", "runtime.md#create/id-in-use-nothing", "runtime.md#state/id-unique")
def test_an_id_that_is_in_use(command: Command, bundle: Path, created: str) -> None:
    """The container that has it is not touched."""
    for verb in ("create", "run"):
        message = command.refused(verb, "--bundle", str(bundle), created)
        assert message == "container with given ID already exists"
    assert status_of(command, created) == "created"
    command.succeeds("delete", created)
    assert_nothing_left(command, bundle)


def test_started_twice(command: Command, bundle: Path, created: str) -> None:
    """It goes on running; nor is a running one deleted without force."""
    command.succeeds("start", created)
    assert command.refused("start", created) == "cannot start an already running container"
    assert command.refused("delete", created) == f"cannot delete container {created} that is not stopped: running"
    assert status_of(command, created) == "running"
    command.succeeds("delete", "--force", created)
    assert_nothing_left(command, bundle)


def test_killed_when_stopped(command: Command, bundle: Path, created: str) -> None:
    """Nor can it be started again."""
    command.succeeds("kill", created, "KILL")
    wait_until_stopped(command, created)
    assert command.refused("kill", created, "KILL") == "container not running"
    assert command.refused("start", created) == "cannot start a container that has stopped"
    assert command.succeeds("kill", "--all", created, "KILL") == ""
    command.succeeds("delete", created)
    assert_nothing_left(command, bundle)


def wait_until_stopped(command: Command, container_id: str) -> None:
    """A killed process ends soon, not at once."""
    end = time.monotonic() + leftovers.PATIENCE
    while status_of(command, container_id) != "stopped":
        assert time.monotonic() < end
