"""inject/hooks_d.py: which hooks.d files apply, in which order, and what is wrong with one (oci-hooks(5) 1.0.0)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from slinger.errors import ConfigError
from slinger.inject.draft import LeftOut, Source
from slinger.inject.hooks_d import HookFile, applies, in_order, inject_hooks, parse_hook_file
from slinger.spec.config import Hook
from tests.unit.documents import NONE, NOTHING, parsed

FILE = "/h/10-x.json"
GOOD: dict[str, Any] = {
    "version": "1.0.0",
    "hook": {"path": "/bin/hook", "args": ["hook", "now"], "env": ["A=b"], "timeout": 3},
    "when": {"always": True},
    "stages": ["createRuntime"],
}


def hook_file(file: str = FILE, **changes: object) -> HookFile:
    """The good file with members changed; None takes one away."""
    found, warnings = parse_hook_file(file, document(**changes))
    assert warnings == ()
    return found


def document(**changes: object) -> bytes:
    """The same as text."""
    members = {**GOOD, **changes}
    return json.dumps({name: value for name, value in members.items() if value is not None}).encode()


def verdict(when: dict[str, object], *changes: tuple[str, object]) -> tuple[bool, str]:
    """Whether the conditions hold for the minimal configuration with these changes, and why."""
    return applies(hook_file(when=when).when, parsed(*changes))


BIND = {"destination": "/data", "type": "none", "source": "/d", "options": ["rbind"]}
NOTES: tuple[str, object] = ("annotations", {"io.example.kind": "gpu", "other": "x"})


@pytest.mark.parametrize(
    ("when", "changes", "expected"),
    [
        ({"always": True}, [], (True, "when.always: true")),
        ({"always": False}, [], (False, "when.always: false")),
        ({"always": False, "commands": [".*"]}, [], (False, "when.always: false")),
        ({}, [], (False, "when: no condition")),
        ({"commands": ["^sh$"]}, [], (True, "when.commands[0]: sh")),
        ({"commands": ["^bash$", "s"]}, [], (True, "when.commands[1]: sh")),
        ({"commands": ["^bash$"]}, [], (False, "when.commands: none matches sh")),
        ({"always": True, "commands": ["^bash$"]}, [], (False, "when.commands: none matches sh")),
        ({"commands": [".*"]}, [("process", ...)], (False, "when: no condition")),
        ({"hasBindMounts": True}, [], (False, "when.hasBindMounts: there is none")),
        ({"hasBindMounts": True}, [("mounts", [BIND])], (True, "when.hasBindMounts: mounts[0]")),
        ({"hasBindMounts": False}, [("mounts", [BIND])], (False, "when.hasBindMounts: false")),
        ({"hasBindMounts": False}, [], (False, "when.hasBindMounts: false")),
        ({"annotations": {"kind$": "^gpu$"}}, [NOTES], (True, 'when.annotations["kind$"]: io.example.kind=gpu')),
        ({"annotations": {"kind$": "^x$"}}, [NOTES], (False, 'when.annotations["kind$"]: no annotation matches')),
        (
            {"annotations": {"kind$": "gpu", "nobody": ".*"}},
            [NOTES],
            (False, 'when.annotations["nobody"]: no annotation matches'),
        ),
        (
            {"annotations": {"kind$": "gpu", "other": "x"}, "commands": ["sh"]},
            [NOTES],
            (
                True,
                (
                    'when.annotations["kind$"]: io.example.kind=gpu, when.annotations["other"]: other=x, '
                    "when.commands[0]: sh"
                ),
            ),
        ),
    ],
)
def test_all_conditions_that_are_given_must_hold(
    when: dict[str, object], changes: list[tuple[str, object]], expected: tuple[bool, str]
) -> None:
    """And a file without any never applies."""
    assert verdict(when, *changes) == expected


def test_a_command_is_asked_for_where_there_is_none() -> None:
    """As the engines have it."""
    with pytest.raises(
        ConfigError, match=r"^process\.args: must have at least one entry, when\.commands of a hooks\.d"
    ):
        verdict({"commands": [".*"]}, ("process.args", NONE))


def test_hooks_come_behind_those_of_the_configuration_and_remember_their_file() -> None:
    """prestart stays what it says; the order is that of the files."""
    config = parsed(("hooks", {"createRuntime": [{"path": "/own"}]}))
    files = (
        hook_file(stages=["prestart", "createRuntime", "createRuntime"]),
        hook_file("/h/20.json", when={"commands": ["^nobody$"]}),
        hook_file("/h/30.json", hook={"path": "/other"}, stages=["createRuntime"]),
    )
    injected = inject_hooks(config, files)
    hook = Hook("/bin/hook", ("hook", "now"), ("A=b",), 3)
    assert injected.config.hooks.of("prestart") == (hook,)
    assert injected.config.hooks.of("createRuntime") == (Hook("/own"), hook, Hook("/other"))
    assert [(each.target, each.shown, each.source) for each in injected.added] == [
        ("hooks.createRuntime[1]", "/bin/hook", Source(FILE, "hook", "when.always: true")),
        ("hooks.createRuntime[2]", "/other", Source("/h/30.json", "hook", "when.always: true")),
        ("hooks.prestart[0]", "/bin/hook", Source(FILE, "hook", "when.always: true")),
    ]
    assert injected.left_out == (LeftOut("/h/20.json", "when.commands: none matches sh"),)
    assert injected.source_of("hooks.createRuntime[1].path") == Source(FILE, "hook", "when.always: true")
    assert injected.source_of("hooks.createRuntime[0]") is None


def test_nothing_to_add_changes_nothing() -> None:
    """The configuration is the same, field by field."""
    config = parsed(("hooks", {"poststop": [{"path": "/own"}]}), ("linux.resources", NOTHING))
    assert inject_hooks(config, ()).config == config


def test_a_file_of_a_later_directory_replaces_one_of_the_same_name() -> None:
    """The order is that of the names in lower case, whatever the directory."""
    listed = ("/usr/b.json", "/usr/C.json", "/usr/a.json", "/etc/B.json", "/etc/a.json")
    assert in_order(listed) == ("/etc/a.json", "/etc/B.json", "/usr/b.json", "/usr/C.json")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"version": None}, "version: required property is missing"),
        ({"version": "0.1.0"}, 'version: expected "1.0.0", got "0.1.0" (the old schema 0.1.0 is not read)'),
        ({"version": 1}, "version: expected a string, got 1"),
        ({"hook": None}, "hook: required property is missing"),
        ({"hook": None, "hooks": GOOD["hook"]}, "hooks: unknown property (did you mean hook?)"),
        ({"stages": None, "stage": ["prestart"]}, "stage: unknown property (did you mean stages?)"),
        ({"hook": {"args": ["x"]}}, "hook.path: required property is missing"),
        ({"hook": {"path": "bin/x"}}, 'hook.path: must be an absolute path, got "bin/x"'),
        ({"hook": {"path": "/x", "timeout": 0}}, "hook.timeout: must be at least 1 second, got 0"),
        ({"hook": {"path": "/x", "env": ["X"]}}, 'hook.env[0]: expected NAME=VALUE, got "X"'),
        ({"when": None}, "when: required property is missing"),
        ({"when": {"always": "true"}}, 'when.always: expected true or false, got "true"'),
        (
            {"when": {"Always": True}},
            (
                "when.Always: unknown property (did you mean always?) "
                "(the conditions are always, annotations, commands, hasBindMounts)"
            ),
        ),
        ({"when": {"commands": "sh"}}, 'when.commands: expected an array, got "sh"'),
        (
            {"when": {"commands": ["a", "("]}},
            "when.commands[1]: not a regular expression: missing ), unterminated subpattern at position 0: (",
        ),
        (
            {"when": {"annotations": {"a": "[b"}}},
            'when.annotations["a"]: not a regular expression: unterminated character set at position 0: [b',
        ),
        ({"stages": None}, "stages: required property is missing"),
        ({"stages": ["Poststart"]}, 'stages[0]: no such stage: "Poststart" (did you mean "poststart"?)'),
    ],
)
def test_a_bad_file_is_named_with_the_place_in_it(changes: dict[str, object], why: str) -> None:
    """Nothing is silently ignored: containers/podman and CRI-O ran nothing for some of these (cri-o issue 7789)."""
    with pytest.raises(ConfigError) as caught:
        parse_hook_file(FILE, document(**changes))
    assert str(caught.value) == f"{FILE}: {why}"


def test_a_file_that_is_no_json_is_named() -> None:
    """Once."""
    with pytest.raises(ConfigError) as caught:
        parse_hook_file(FILE, b"{")
    assert str(caught.value).startswith(f"{FILE}: invalid JSON at line 1 column 2: ")


def test_what_others_ignore_is_warned_of() -> None:
    """A comment of a vendor's, and the stage that podman runs by itself."""
    text = document(vendor="x", stages=["precreate", "poststop"])
    found, warnings = parse_hook_file(FILE, text)
    assert found.stages == ("poststop",)
    assert warnings == (
        f"{FILE}: vendor: unknown property, ignored",
        f"{FILE}: stages[0]: precreate is run by engines, not by a runtime: ignored",
    )
