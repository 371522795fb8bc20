"""When hooks run: what is there by then, and what is gone; and of which configuration they are."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.bundles import Json
from tests.integration.box import INSIDE, Box
from tests.requires import requires

pytestmark = requires("root")


@pytest.mark.complaint("places/on-the-host")
@pytest.mark.spec("config.md#createcontainer-hooks/when")
def test_a_create_container_hook_starts_in_the_root_with_its_mounts(box: Box) -> None:
    """Not in the directory below them: proc there is the container's, and process 1 its init."""
    hooks: dict[str, Json] = {"createContainer": [box.hook("createContainer", "cat", "proc/1/comm")]}
    box.configure({"process.args": [INSIDE, "true"], "hooks": hooks})
    box.create()
    (record,) = box.records()
    assert (record["outcome"], record["stdout"]) == ("exit status 0", "slinger-init\n")


@pytest.mark.complaint("poststart/too-early")
@pytest.mark.spec("config.md#startcontainer-hooks/when", "config.md#poststart/when")
def test_hooks_at_a_start_are_done_when_it_returns_and_the_program_runs_before_poststart(box: Box) -> None:
    """startContainer, exec, poststart, return: poststart finds the program where init was."""
    look = ["hook", "-c", f"readlink /proc/$(cat {box.calls}/pid)/exe"]
    box.configure(
        {
            "process.args": [INSIDE, "sleep", "1000"],
            "hooks": {
                "startContainer": [box.report_hook("startContainer")],
                "poststart": [{"path": "/bin/sh", "args": look, "env": ["PATH=/usr/bin:/bin"]}],
            },
        }
    )
    box.create("--pid-file", str(box.calls / "pid"))
    assert box.reports("startContainer") == []
    box.start()
    assert len(box.reports("startContainer")) == 1
    assert [record["stdout"] for record in box.records()] == ["", f"{INSIDE}\n"]


@pytest.mark.spec("config.md#poststop/when")
def test_a_poststop_hook_runs_when_all_is_gone_and_in_the_root_if_the_bundle_is_too(box: Box, tmp_path: Path) -> None:
    """No process and no cgroup of the container is left; an engine may have removed the bundle meanwhile."""
    payload = shutil.copy(box.bundle.payload, tmp_path / "payload")
    report = {"path": str(payload), "args": ["hook", "hook-report", box.report_file("poststop")]}
    groups = ["hook", "-c", f"find /sys/fs/cgroup -name {box.id} >{tmp_path}/cgroups"]
    find = {"path": "/bin/sh", "args": groups, "env": ["PATH=/usr/bin:/bin"]}
    box.configure({"process.args": [INSIDE, "true"], "hooks": {"poststop": [report, find]}})
    box.create()
    box.start()
    box.wait_status("stopped")
    shutil.rmtree(box.directory)
    box.succeed("delete", box.id)
    (told,) = box.reports("poststop")
    assert told["cwd"] == "/"
    assert (tmp_path / "cgroups").read_text() == ""


@pytest.mark.complaint("poststop/at-delete")
@pytest.mark.spec("runtime.md#lifecycle/poststop")
def test_poststop_runs_at_delete_and_not_at_the_end_of_the_program(box: Box) -> None:
    """The end of the program is not the end of the container."""
    box.configure({"process.args": [INSIDE, "true"], "hooks": {"poststop": [box.report_hook("poststop")]}})
    box.create()
    box.start()
    box.wait_status("stopped")
    assert box.reports("poststop") == []
    box.succeed("delete", box.id)
    assert len(box.reports("poststop")) == 1


@pytest.mark.complaint("poststop/at-delete")
def test_run_runs_poststop_unless_it_keeps_the_container(box: Box) -> None:
    """With --keep it is the business of delete."""
    box.configure({"process.args": [INSIDE, "true"], "hooks": {"poststop": [box.report_hook("poststop")]}})
    box.succeed(*box.running("--keep"))
    assert box.reports("poststop") == []
    box.succeed("delete", box.id)
    box.succeed(*box.running())
    assert len(box.reports("poststop")) == 2


@pytest.mark.spec("runtime.md#lifecycle/later-changes")
def test_hooks_are_those_of_create_whatever_becomes_of_the_file(box: Box) -> None:
    """config.json may change after create; runtime.md: "Any updates made to config.json after this step ..."."""
    late = ("startContainer", "poststart", "poststop")
    box.configure({"hooks": {stage: [box.report_hook(stage)] for stage in late}})
    box.create()
    box.configure({})
    box.start()
    box.wait_status("stopped")
    box.succeed("delete", box.id)
    assert [len(box.reports(stage)) for stage in late] == [1, 1, 1]


@pytest.mark.complaint("places/on-the-host")
def test_what_a_hook_makes_in_the_container_is_there(box: Box) -> None:
    """createContainer may write below the root by a relative path."""
    hooks: dict[str, Json] = {"createContainer": [box.hook("createContainer", "write", "tmp/made", "by a hook")]}
    box.configure({"process.args": [INSIDE, "cat", "/tmp/made"], "hooks": hooks})
    assert box.succeed(*box.running()) == "by a hook"
