"""host/settings.py and verbs/create.py: what options and the file of settings want to be added."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from slinger import cli_table, verbs
from slinger.cli_options import Scan
from slinger.errors import SlingerError
from slinger.host.settings import read_settings
from slinger.inject.draft import Injection
from slinger.verbs import Call
from slinger.verbs import create as verb

if TYPE_CHECKING:
    from pathlib import Path

WHOLE = """\
[hooks]
dirs = ["/usr/hooks", "own"]
[trace]
dir = "kept"
otel = true
[cdi]
devices = ["vendor.com/gpu=0"]
annotations = true
spec_dirs = ["cdi"]
"""


def wanted(*argv: str) -> Injection | None:
    """What a command line wants."""
    scan = Scan(cli_table.GLOBALS, cli_table.TABLE)
    scan.read([*argv, "create", "box"])
    return verb.injection_of(Call(scan.arguments, scan.options, print, print, settings=scan.settings))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file of settings."""
    path = tmp_path / "slinger.toml"
    path.write_text(WHOLE)
    return path


def test_the_settings_are_read_in_full(file: Path) -> None:
    """A relative path begins where the file is."""
    assert read_settings(str(file)) == Injection(
        hooks_dirs=("/usr/hooks", f"{file.parent}/own"),
        cdi_devices=("vendor.com/gpu=0",),
        cdi_annotations=True,
        cdi_spec_dirs=(f"{file.parent}/cdi",),
    )


def test_empty_settings_want_nothing(tmp_path: Path) -> None:
    """CDI devices would be looked for in the usual places."""
    (tmp_path / "x").write_text("")
    assert read_settings(str(tmp_path / "x")) == Injection((), (), False, ("/etc/cdi", "/var/run/cdi"))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[hooks", "invalid TOML: Expected ']' at the end of a table declaration (at end of document)"),
        ("[hook]", "hook: unknown property (did you mean hooks?)"),
        ("[cdi]\nspec-dirs = []",
         "cdi.spec-dirs: unknown property (did you mean spec_dirs?)"),
        ("hooks = 1", "hooks: expected an object, got 1"),
        ("[hooks]\ndirs = 'x'", 'hooks.dirs: expected an array, got "x"'),
        ("[cdi]\nannotations = 'yes'", 'cdi.annotations: expected true or false, got "yes"'),
        ("\ud800", "not UTF-8: invalid continuation byte at byte 0"),
    ],
)  # fmt: skip
def test_bad_settings_are_named_with_the_place_in_them(tmp_path: Path, text: str, why: str) -> None:
    """A misspelt name would silently add nothing."""
    path = tmp_path / "x.toml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(SlingerError) as caught:
        read_settings(str(path))
    assert str(caught.value) == f"{path}: {why}"


def test_settings_that_are_named_must_be_there(tmp_path: Path) -> None:
    """Those of the machine need not."""
    with pytest.raises(SlingerError) as caught:
        wanted("--settings", f"{tmp_path}/none")
    assert str(caught.value) == f"{tmp_path}/none: no such file or directory"


def test_without_options_and_settings_nothing_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing is loaded for it."""
    monkeypatch.setattr(verbs, "SETTINGS", "/no/such/file")
    assert wanted() is None
    assert wanted("--settings", "") is None


def test_options_replace_what_the_settings_say_of_the_same(file: Path) -> None:
    """And leave the rest."""
    settings = read_settings(str(file))
    assert wanted("--settings", str(file)) == settings
    assert wanted(
        "--settings", str(file), "--hooks-dir", "/a", "--hooks-dir", "b", "--cdi-annotations=false"
    ) == settings.replace(hooks_dirs=("/a", "b"), cdi_annotations=False)
    assert wanted("--settings", "", "--cdi-device", "v/c=d", "--cdi-spec-dir", "/s", "--cdi-annotations") == Injection(
        cdi_devices=("v/c=d",), cdi_spec_dirs=("/s",), cdi_annotations=True
    )


@pytest.mark.complaint("not run/plain-user")
def test_a_plain_user_s_own_settings_come_before_the_machine_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root's environment does not count: whoever sets it would choose hooks that run as root."""
    machine, own = tmp_path / "etc", tmp_path / "home" / ".config" / "slinger"
    own.mkdir(parents=True)
    monkeypatch.setattr(verbs, "SETTINGS", str(machine))
    home = {"HOME": f"{tmp_path}/home"}
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert verbs.settings_file(home) == ""
    machine.touch()
    assert verbs.settings_file(home) == str(machine)
    (own / "config.toml").touch()
    assert verbs.settings_file(home) == f"{own}/config.toml"
    assert verbs.settings_file({"XDG_CONFIG_HOME": f"{tmp_path}/home/.config"}) == f"{own}/config.toml"
    assert verbs.settings_file({}) == str(machine)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert verbs.settings_file(home) == str(machine)
