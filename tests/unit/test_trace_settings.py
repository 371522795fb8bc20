"""What is kept and told of containers: an option, else the environment, else the settings."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from slinger import cli, cli_table, verbs
from slinger.cli_options import Verb
from slinger.errors import SlingerError
from slinger.host.settings import Tracing, read_tracing
from slinger.verbs import Call, Outcome


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", Tracing()),
        ("[trace]\n", Tracing()),
        ('[trace]\ndir = "/var/log/x"\n', Tracing(directory="/var/log/x")),
        ('[trace]\ndir = "kept"\notel = true\n', Tracing(directory="HERE/kept", otel=True)),
    ],
)
def test_the_settings_say_what_is_to_be_kept_and_told(tmp_path: Path, text: str, found: Tracing) -> None:
    """A relative path begins where the file is."""
    (tmp_path / "c.toml").write_text(text)
    assert read_tracing(str(tmp_path / "c.toml")) == found.replace(
        directory=found.directory.replace("HERE", str(tmp_path))
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[trace]\ndirs = 1\n", "trace.dirs: unknown property (did you mean dir?)"),
        ("[trace]\ndir = 1\n", "trace.dir: expected a string, got 1"),
        ('[trace]\notel = "yes"\n', 'trace.otel: expected true or false, got "yes"'),
        ("[hook]\n", "hook: unknown property (did you mean hooks?)"),
    ],
)
def test_what_is_wrong_in_the_settings_is_named(tmp_path: Path, text: str, why: str) -> None:
    """Whoever reads them."""
    path = tmp_path / "c.toml"
    path.write_text(text)
    with pytest.raises(SlingerError) as caught:
        read_tracing(str(path))
    assert str(caught.value) == f"{path}: {why}"


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[Call]:
    """The calls of a verb ``act``."""
    calls: list[Call] = []

    def main(call: Call) -> Outcome:
        calls.append(call)
        return Outcome()

    module = ModuleType("slinger.verbs.act")
    vars(module)["main"] = main
    monkeypatch.setitem(sys.modules, "slinger.verbs.act", module)
    monkeypatch.setattr(cli, "TABLE", (*cli_table.TABLE, Verb("act", "act", "act")))
    monkeypatch.delenv("SLINGER_TRACE_DIR", raising=False)
    monkeypatch.setattr(cli, "TRACED", {"act"})
    monkeypatch.setattr(verbs, "SETTINGS", "/no/such/file")
    return calls


def test_the_option_comes_before_the_environment_and_that_before_the_file(
    seen: list[Call], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each where the one before it says nothing; a path is absolute by then."""
    monkeypatch.chdir(tmp_path)
    assert cli.serve(["act"]) == 0
    (tmp_path / "c.toml").write_text('[trace]\ndir = "/file"\n')
    monkeypatch.setattr(verbs, "SETTINGS", str(tmp_path / "c.toml"))
    assert cli.serve(["act"]) == 0
    monkeypatch.setenv("SLINGER_TRACE_DIR", "variable")
    assert cli.serve(["act"]) == 0
    assert cli.serve(["--trace-dir", "/option", "act"]) == 0
    assert [call.trace_dir for call in seen] == ["", "/file", f"{tmp_path}/variable", "/option"]
    assert [call.observe for call in seen] == [None] * 4


def test_otel_without_the_sdk_is_an_error_that_says_what_to_install(
    seen: list[Call], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Before anything is done."""
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    assert cli.serve(["--otel", "act"]) == 1
    assert seen == []
    err = capfd.readouterr().err
    assert err.startswith("slinger: --otel: ")
    assert err.endswith(" (pip install 'slinger[otel]', or leave --otel out)\n")


def test_otel_can_be_switched_on_by_the_file_and_off_by_the_option(seen: list[Call], tmp_path: Path) -> None:
    """The option is the last word."""
    (tmp_path / "c.toml").write_text("[trace]\notel = true\n")
    settings = f"--settings={tmp_path}/c.toml"
    assert cli.serve([settings, "act"]) == 0
    assert cli.serve([settings, "--otel=false", "act"]) == 0
    assert [call.observe is not None for call in seen] == [True, False]
