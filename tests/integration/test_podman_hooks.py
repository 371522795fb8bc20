"""hooks.d files under podman: applied by podman itself, and by this runtime at its bidding, with the same result."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.bundles import Json
from tests.integration.engine import BUSYBOX, IMAGE, Podman
from tests.requires import requires

pytestmark = requires("root", "podman", "busybox", "cgroup")

ANNOTATIONS: Final = {"io.example.kind": "gpu", "io.example.count": "12", "note": "a.b\n"}
# Name -> when. Which of them apply is podman's to say. hasBindMounts is not among them: every container of podman has
# bind mounts, and only podman knows which of them the user asked for.
CONDITIONS: Final[dict[str, Json]] = {
    "always": {"always": True},
    "never": {"always": False},
    "never-though": {"always": False, "commands": [".*"]},
    "nothing": {},
    "command": {"commands": ["^sh$"]},
    "command-inside": {"commands": ["h"]},
    "one-of-commands": {"commands": ["^bash$", "sh"]},
    "no-command": {"commands": ["^bash$"]},
    "always-no-command": {"always": True, "commands": ["^bash$"]},
    "annotation": {"annotations": {"kind": "gpu"}},
    "annotation-anchored": {"annotations": {"^io\\.example\\.kind$": "^gpu$"}},
    "annotation-other": {"annotations": {"kind": "^x$"}},
    "annotation-crossed": {"annotations": {"kind": "12"}},
    "two-annotations": {"annotations": {"kind": "g", "count": "^[[:digit:]]+$"}},
    "two-annotations-one": {"annotations": {"kind": "g", "nobody": "."}},
    "annotation-and-command": {"annotations": {"kind": "g"}, "commands": ["^sh"]},
    "annotation-no-command": {"annotations": {"kind": "g"}, "commands": ["^x"]},
    "end-of-text": {"annotations": {"note": "b$"}},
    "end-of-text-z": {"annotations": {"note": "b\\n\\z"}},
    "case": {"annotations": {"KIND": "gpu"}},
    "any-case": {"annotations": {"(?i)KIND": "(?i)^GPU$"}},
    "quoted": {"annotations": {"note": "^\\Qa.b\\E"}},
    "quoted-other": {"annotations": {"note": "^\\Qa+b\\E"}},
    "digits": {"annotations": {"count": "^\\d{2}$"}},
}


@pytest.fixture(scope="module")
def podman(slinger: str, podman_home: Path) -> Iterator[Podman]:
    """The engine with the image; its own hooks directory is empty."""
    engine = Podman(slinger, podman_home)
    try:
        engine.import_image()
        yield engine
    finally:
        engine.close()


def write(directory: Path, name: str, when: Json, note: str = "") -> None:
    """A file whose hook makes a directory of the file's name in the container's /run."""
    hook = {"path": BUSYBOX, "args": ["busybox", "mkdir", f"run/{name}{note}"]}
    members = {"version": "1.0.0", "hook": hook, "when": when, "stages": ["createContainer"]}
    (directory / f"{name}.json").write_text(json.dumps(members))


def made(podman: Podman, *flags: str) -> list[str]:
    """What the hooks have made in a container, with these flags of podman."""
    annotations = [word for name, value in ANNOTATIONS.items() for word in ("--annotation", f"{name}={value}")]
    done = subprocess.run(
        [*podman.command(*flags), *podman.making("run", "--rm", *annotations), IMAGE, "sh", "-c", "ls /run"],
        check=False,
        capture_output=True,
        text=True,
        env=podman.environment,
        stdin=subprocess.DEVNULL,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return sorted(set(done.stdout.split()) & {*CONDITIONS, *(f"{name}-etc" for name in CONDITIONS)})


@pytest.mark.complaint("not run/pattern")
def test_the_same_files_apply_whoever_applies_them(podman: Podman, tmp_path: Path) -> None:
    """Each condition, and Go's patterns in it; podman's own library is the measure."""
    for name, when in CONDITIONS.items():
        write(tmp_path, name, when)
    theirs = made(podman, "--hooks-dir", str(tmp_path))
    assert "annotation" in theirs
    assert "never" not in theirs
    assert made(podman, "--runtime-flag", f"hooks-dir={tmp_path}") == theirs


@pytest.mark.complaint("not run/precedence")
def test_a_later_directory_masks_files_of_the_same_name(podman: Podman, tmp_path: Path) -> None:
    """As for podman, where both directories are listed."""
    for folder, note in (("usr", ""), ("etc", "-etc")):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder, "always", {"always": True}, note)
    write(tmp_path / "usr", "command", {"commands": ["sh"]})
    flags = (f"{tmp_path}/usr", f"{tmp_path}/etc")
    theirs = made(podman, *(word for flag in flags for word in ("--hooks-dir", flag)))
    assert theirs == ["always-etc", "command"]
    assert made(podman, *(word for flag in flags for word in ("--runtime-flag", f"hooks-dir={flag}"))) == theirs
