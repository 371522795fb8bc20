"""process.apparmorProfile on a machine with AppArmor: what the program may not do, seen from inside."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

import pytest

from tests.integration.box import INSIDE, Box
from tests.leftovers import ID_PREFIX
from tests.requires import requires

pytestmark = requires("root", "gcc", "apparmor-profiles")

PROFILE = f"{ID_PREFIX}-profile"
# All is allowed but to write below /data.
RULES = f"""
profile {PROFILE} flags=(attach_disconnected) {{
    capability,
    network,
    signal,
    ptrace,
    unix,
    mount,
    file,
    deny /data/** w,
}}
"""


def parser(*options: str) -> None:
    """Load or remove the profile."""
    subprocess.run(["apparmor_parser", *options], check=True, input=RULES, text=True, capture_output=True)


@pytest.fixture(autouse=True)
def profile() -> Iterator[None]:
    """The profile is known to the kernel during the test."""
    parser("--add")
    yield
    parser("--remove")


def test_the_program_is_confined_by_its_profile(box: Box) -> None:
    """It has the label, and what the profile denies fails with EACCES; another directory is open."""
    for name in ("data/file", "tmp/file"):
        (box.bundle.rootfs / name).write_text("text")
    box.configure({"process.apparmorProfile": PROFILE, "process.args": [INSIDE, "pause"]})
    box.succeed(*box.running("--detach"))
    told = json.loads(box.succeed("exec", box.id, INSIDE, "report"))
    assert told["label"].strip("\0\n") == f"{PROFILE} (enforce)"
    probed = json.loads(box.succeed("exec", box.id, INSIDE, "probe", "/data/file", "/tmp/file"))
    told = [(each["read"], each["write"]) for each in (probed["/data/file"], probed["/tmp/file"])]
    assert told == [(None, "EACCES"), (None, None)]


def test_exec_may_have_another_profile(box: Box) -> None:
    """--apparmor is stronger than the container's."""
    box.configure({"process.apparmorProfile": PROFILE, "process.args": [INSIDE, "pause"]})
    box.succeed(*box.running("--detach"))
    told = json.loads(box.succeed("exec", "--apparmor", "unconfined", box.id, INSIDE, "report"))
    assert told["label"].strip("\0\n") == "unconfined"


def test_a_profile_that_is_not_loaded_is_named(box: Box) -> None:
    """And nothing is left of the create."""
    box.configure({"process.apparmorProfile": "no-such-profile"})
    assert box.fail(*box.creating()) == (
        "process.apparmorProfile (no-such-profile): write: no such file or directory"
        " (no such profile is loaded: apparmor_parser --replace FILE)"
    )
    assert box.left() == []


def test_without_a_profile_the_program_is_unconfined(box: Box) -> None:
    """As the caller is."""
    assert box.report()["label"] == "unconfined"
