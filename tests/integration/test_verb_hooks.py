"""``slinger hooks``: what it shows of the hooks of a container, which the payload is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.integration.box import Box


def test_the_hooks_of_a_running_container_are_shown_as_json(box: Box) -> None:
    """In the order in which they ended, and the same under the name of the subverb."""
    box.configure(
        {"hooks": {"createRuntime": [box.hook("createRuntime", "true")], "poststart": [box.hook("poststart", "true")]}}
    )
    box.succeed("create", "--bundle", str(box.directory), box.id)
    box.succeed("start", box.id)
    shown = json.loads(box.succeed("hooks", "--json", box.id))
    assert [(each["stage"], each["index"], each["outcome"]) for each in shown] == [
        ("createRuntime", 0, "exit status 0"),
        ("poststart", 0, "exit status 0"),
    ]
    assert json.loads(box.succeed("hooks", "show", "--json", box.id)) == shown


def test_no_container_no_hooks(box: Box) -> None:
    """As for every verb."""
    done = box.call("hooks", "nobody")
    assert (done.status, done.stdout, done.stderr) == (1, "", "slinger: container does not exist\n")
