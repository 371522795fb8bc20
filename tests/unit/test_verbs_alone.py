"""The verbs that need no container: spec, features, version."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from slinger import cli

if TYPE_CHECKING:
    from pathlib import Path


def test_spec_writes_a_config(tmp_path: Path) -> None:
    """Into the bundle, as JSON."""
    assert cli.serve(["spec", "--bundle", str(tmp_path)]) == 0
    assert json.loads((tmp_path / "config.json").read_text("utf-8"))["process"]["args"] == ["sh"]


def test_spec_for_a_plain_user_has_a_user_namespace(tmp_path: Path) -> None:
    """Mapped to the caller."""
    assert cli.serve(["spec", "-b", str(tmp_path), "--rootless"]) == 0
    linux = json.loads((tmp_path / "config.json").read_text("utf-8"))["linux"]
    assert linux["uidMappings"] == [{"containerID": 0, "hostID": os.geteuid(), "size": 1}]


def test_spec_does_not_overwrite(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Somebody's work may be in it."""
    (tmp_path / "config.json").write_text("mine")
    assert cli.serve(["spec", "--bundle", str(tmp_path)]) == 1
    assert capfd.readouterr().err == (
        f"slinger: {tmp_path}/config.json: exists already (remove it first, or name another directory with --bundle)\n"
    )
    assert (tmp_path / "config.json").read_text() == "mine"


def test_spec_in_a_directory_that_is_missing(capfd: pytest.CaptureFixture[str]) -> None:
    """It is not made."""
    assert cli.serve(["spec", "--bundle", "/nonexistent"]) == 1
    assert capfd.readouterr().err == "slinger: spec '/nonexistent/config.json': no such file or directory\n"


def test_features_are_one_json_object(capfd: pytest.CaptureFixture[str]) -> None:
    """With the range of versions that callers look for."""
    assert cli.serve(["features"]) == 0
    answer = json.loads(capfd.readouterr().out)
    assert (answer["ociVersionMin"], answer["ociVersionMax"]) == ("1.0.0", "1.3.0")


@pytest.mark.parametrize("argv", [["--version"], ["-v"], ["version"]])
def test_the_version_is_in_the_form_of_runcs(capfd: pytest.CaptureFixture[str], argv: list[str]) -> None:
    """So containerd: it splits the first lines at ``version `` and ``: ``."""
    assert cli.serve(argv) == 0
    lines = capfd.readouterr().out.splitlines()
    assert [line.replace("version ", ": ").split(": ")[0].strip() for line in lines] == [
        "slinger",
        "commit",
        "spec",
        "python",
        "libseccomp",
    ]
    assert lines[2] == "spec: 1.3.0"
