"""hooks/lint.py and host/programs.py: what is found wrong with hooks before a container finds it."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from slinger import cli
from slinger.errors import UsageError
from slinger.hooks.lint import Finding, lint
from slinger.host.programs import Mounted, look_at, resolve, writable_by_others
from tests.requires import requires
from tests.unit.documents import changed

if TYPE_CHECKING:
    from pathlib import Path

SH = "/bin/sh"
GOOD: dict[str, Any] = {
    "version": "1.0.0",
    "hook": {"path": SH},
    "when": {"always": True},
    "stages": ["createRuntime"],
}


def program(path: Path, text: str = "#!/bin/sh\n", mode: int = 0o755) -> Path:
    """A file that can be run."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def bundle(directory: Path, *changes: tuple[str, object]) -> Path:
    """A bundle with the minimal configuration, changed, and /bin/sh in its root."""
    program(directory / "rootfs/bin/sh", "static, say")
    (directory / "config.json").write_bytes(changed(*changes))
    return directory


def said(path: Path) -> list[str]:
    """The findings as lines, without the directory."""
    return [f"{each.level}: {each.text()}".replace(f"{path}/", "") for each in lint(str(path))]


def of_hook(directory: Path, stage: str, hook: object, *changes: tuple[str, object]) -> list[str]:
    """The findings about a bundle with one hook."""
    return said(bundle(directory, ("hooks", {stage: [hook]}), *changes))


def test_a_bundle_without_fault_has_no_findings(tmp_path: Path) -> None:
    """In all stages but the deprecated one."""
    stages = ("createRuntime", "createContainer", "startContainer", "poststart", "poststop")
    assert said(bundle(tmp_path, ("hooks", {stage: [{"path": SH, "args": ["sh"]}] for stage in stages}))) == []


MISNAMED: list[tuple[Any, list[str]]] = [
    ([("hooks", {"Poststart": []})], ['hooks.Poststart: unknown property, ignored (did you mean "poststart"?)']),
    ([("hooks", {"onstart": []})], ["hooks.onstart: not a hook stage, ignored"]),
    ([("hook", {"poststart": []})], ['hook: unknown property, ignored (did you mean "hooks"?)']),
    ([("Hooks", {"poststart": []})], ['Hooks: unknown property, ignored (did you mean "hooks"?)']),
    ([("poststop", [])], ['poststop: not a property here, ignored (did you mean "hooks.poststop"?)']),
    ([("hooks", [])], ["hooks: expected an object, got an array"]),
    ([("hooks", {"poststop": {"path": SH}})], ["hooks.poststop: expected an array, got an object"]),
]


@pytest.mark.parametrize(("changes", "lines"), MISNAMED)
def test_names_that_are_no_stages_are_errors(
    tmp_path: Path, changes: list[tuple[str, object]], lines: list[str]
) -> None:
    """Such a hook would silently never run (crun issue 1501)."""
    assert said(bundle(tmp_path, *changes)) == [f"error: config.json: {line}" for line in lines]


def test_every_hook_is_looked_at_even_behind_a_fault(tmp_path: Path) -> None:
    """One finding a hook that cannot be read, and what is nearly right by its name."""
    hooks: dict[str, list[Any]] = {
        "prestart": [{"path": SH, "timeout": "5"}, {"path": "bin/x"}, {"path": SH, "Args": []}],
        "poststop": [{"args": ["x"]}, "no", {"path": SH, "args": ["-v"]}, {"path": SH, "x-note": 1}],
    }
    assert said(bundle(tmp_path, ("hooks", hooks))) == [
        'error: config.json: hooks.prestart[2].Args: unknown property, ignored (did you mean "args"?)',
        "warning: config.json: hooks.poststop[3].x-note: unknown property, ignored",
        "warning: config.json: hooks.prestart: deprecated since runtime-spec 1.1: use createRuntime",
        'error: config.json: hooks.prestart[0].timeout: expected an integer, got "5"',
        'error: config.json: hooks.prestart[1].path: must be an absolute path, got "bin/x"',
        "error: config.json: hooks.poststop[0].path: required property is missing",
        'error: config.json: hooks.poststop[1]: expected an object, got "no"',
        "warning: config.json: hooks.poststop[2].args: the first is the program's name, -v is lost to it",
    ]


def test_a_path_must_lead_to_a_program_where_it_resolves(tmp_path: Path) -> None:
    """On the host, or for startContainer in the container."""
    text = program(tmp_path / "text", mode=0o644)
    lost = program(tmp_path / "lost", "#! /no/such/interpreter -x\n")
    for path, why in (
        ("/no/such/hook", "no such file or directory"),
        ("/etc", "is a directory"),
        (str(text), "permission denied: it is not executable"),
        ("/dev/null", "not a regular file"),
        (str(lost), "its interpreter /no/such/interpreter: no such file or directory"),
    ):
        found = of_hook(tmp_path / "b", "createContainer", {"path": path})
        assert found == [f"error: config.json: hooks.createContainer[0].path: {path}: {why}"]
    assert of_hook(tmp_path / "c", "startContainer", {"path": str(lost)}) == [
        f"error: config.json: hooks.startContainer[0].path: {lost} in the container: no such file or directory"
    ]
    program(tmp_path / "d/rootfs/hook", "#!/usr/bin/env python\n")
    assert of_hook(tmp_path / "d", "startContainer", {"path": "/hook"}) == [
        (
            "error: config.json: hooks.startContainer[0].path: /hook in the container: "
            "its interpreter /usr/bin/env: no such file or directory"
        )
    ]


def test_what_is_mounted_counts_for_a_path_in_the_container(tmp_path: Path) -> None:
    """A bind mount is looked into; what another file system holds nobody can tell."""
    program(tmp_path / "hooks/good")
    mounts = [
        {"destination": "/opt", "type": "bind", "source": str(tmp_path / "hooks"), "options": ["ro"]},
        {"destination": "/run", "type": "tmpfs", "source": "tmpfs"},
    ]
    for path, found in (
        ("/opt/good", []),
        ("/run/x", []),
        (
            "/opt/bad",
            ["error: config.json: hooks.startContainer[0].path: /opt/bad in the container: no such file or directory"],
        ),
    ):
        assert of_hook(tmp_path / "b", "startContainer", {"path": path}, ("mounts", mounts)) == found


def test_links_are_followed_inside_the_container(tmp_path: Path) -> None:
    """An absolute one begins at its root, and one cannot climb out of it."""
    root = tmp_path / "root"
    program(root / "real/bin/tool")
    (root / "bin").symlink_to("/real/bin")
    (root / "real/up").symlink_to("../../../../real/bin/tool")
    (root / "loop").symlink_to("loop")
    assert resolve("/bin/tool", str(root), ()) == f"{root}/real/bin/tool"
    assert resolve("/real/up", str(root), ()) == f"{root}/real/bin/tool"
    assert resolve("/bin/tool", str(root), (Mounted("/real", ""),)) is None
    assert look_at("/loop", str(root)).why == "too many levels of symbolic links"


@requires("gcc")
def test_a_dynamic_program_needs_its_loader(tmp_path: Path) -> None:
    """ENOENT of such an exec names the program, which is there."""
    shutil.copy(shutil.which("gcc") or "", tmp_path / "gcc")
    assert look_at("/gcc", str(tmp_path)).why.startswith("its loader /lib")
    assert look_at(str(tmp_path / "gcc")).why == ""


def test_who_may_change_what_root_runs_is_told(tmp_path: Path) -> None:
    """The file, or a directory where it could be replaced; not one with the sticky bit."""
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    hook = program(tmp_path / "open/hook")
    assert of_hook(tmp_path / "b", "poststop", {"path": str(hook)}) == [
        (
            f"warning: config.json: hooks.poststop[0].path: every user may write to {tmp_path}/open, "
            "and so choose what root runs"
        )
    ]
    (tmp_path / "open").chmod(0o1777)
    assert writable_by_others(str(hook)) == ""
    hook.chmod(0o757)
    assert writable_by_others(str(hook)) == str(hook)


@pytest.mark.parametrize(
    ("members", "lines"),
    [
        ({}, []),
        ({"hook": ..., "hooks": {"path": SH}}, ["error: x.json: hooks: unknown property (did you mean hook?)"]),
        ({"when": {"always": "true"}}, ['error: x.json: when.always: expected true or false, got "true"']),
        (
            {"when": {}},
            ["error: x.json: when: no condition: it never applies (always: true is for every container)"],
        ),
        (
            {"when": {"always": False}},
            ["warning: x.json: when.always: false: it never applies, whatever the other conditions say"],
        ),
        (
            {"when": {"hasBindMounts": False}},
            ["warning: x.json: when.hasBindMounts: false: it never applies; leave it out to ask for nothing"],
        ),
        ({"stages": []}, ["error: x.json: stages: no stage: it never runs"]),
        (
            {"stages": ["Prestart"]},
            ['error: x.json: stages[0]: no such stage: "Prestart" (did you mean "prestart"?)'],
        ),
        (
            {"stages": ["prestart"]},
            ["warning: x.json: stages: prestart is deprecated since runtime-spec 1.1: use createRuntime"],
        ),
        ({"hook": {"path": "/no/hook"}}, ["error: x.json: hook.path: /no/hook: no such file or directory"]),
        ({"hook": {"path": "/in/container"}, "stages": ["startContainer"]}, []),
        ({"by": "me"}, ["warning: x.json: by: unknown property, ignored"]),
    ],
)
def test_a_hooks_d_file_is_read_as_it_is_when_it_is_used(
    tmp_path: Path, members: dict[str, Any], lines: list[str]
) -> None:
    """And beyond that: what can never apply."""
    document = {name: value for name, value in {**GOOD, **members}.items() if value is not ...}
    (tmp_path / "x.json").write_text(json.dumps(document))
    assert said(tmp_path) == lines
    assert [each.file for each in lint(str(tmp_path / "x.json"))] == [f"{tmp_path}/x.json"] * len(lines)


def test_files_that_are_not_read_are_told(tmp_path: Path) -> None:
    """By their names; and a directory without any."""
    assert said(tmp_path) == [
        f"warning: {tmp_path}: neither a bundle nor a hooks.d file nor a CDI specification is in it"
    ]
    (tmp_path / "a.JSON").touch()
    (tmp_path / "README").touch()
    (tmp_path / "b.json").write_text("{")
    (tmp_path / "b.json").chmod(0o666)
    assert said(tmp_path) == [
        "warning: a.JSON: not read: the name of a hooks.d file ends in .json",
        "warning: b.json: every user may write to b.json, and so choose what root runs",
        'error: b.json: invalid JSON at line 1 column 2: expecting a member name in double quotes or "}"',
    ]


def test_the_hooks_of_cdi_devices_are_looked_at(tmp_path: Path) -> None:
    """In JSON and YAML, with the place in the file."""
    edits = {"hooks": [{"hookName": "prestart", "path": SH}, {"hookName": "createContainer", "path": "/no/ctk"}]}
    spec = {"cdiVersion": "0.5.0", "kind": "v.com/c", "devices": [{"name": "d", "containerEdits": edits}]}
    (tmp_path / "a.json").write_text(json.dumps(spec))
    (tmp_path / "b.yaml").write_text("cdiVersion: 0.5.0\nkind: v.com/c\n")
    at = "devices[0].containerEdits.hooks"
    assert said(tmp_path) == [
        f"warning: a.json: {at}[0].hookName: prestart is deprecated since runtime-spec 1.1: use createRuntime",
        f"error: a.json: {at}[1].path: /no/ctk: no such file or directory",
        "error: b.yaml: devices: required property is missing",
    ]


def test_a_configuration_may_have_any_name(tmp_path: Path) -> None:
    """What it is, is seen by what is in it; and what is not there is no finding."""
    (tmp_path / "c.json").write_bytes(changed(("hooks", {"x": []})))
    assert lint(str(tmp_path / "c.json")) == (
        Finding("error", f"{tmp_path}/c.json", "hooks.x", "not a hook stage, ignored"),
    )
    (tmp_path / "config.json").write_text("[")
    assert [each.level for each in lint(str(tmp_path))] == ["error"]
    with pytest.raises(UsageError) as caught:
        lint(str(tmp_path / "none"))
    assert str(caught.value) == (
        f"{tmp_path}/none: no such file or directory (a bundle, or a directory of hooks.d or CDI files)"
    )


@pytest.mark.parametrize(
    ("hooks", "options", "status"),
    [
        ({}, (), 0),
        ({"prestart": [{"path": SH}]}, (), 0),
        ({"prestart": [{"path": SH}]}, ("--strict",), 1),
        ({"prestart": [{"path": "/no"}]}, (), 1),
    ],
)
def test_the_exit_status_says_whether_there_is_an_error(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], hooks: dict[str, Any], options: tuple[str, ...], status: int
) -> None:
    """With --strict, whether there is anything; the same as JSON."""
    bundle(tmp_path, ("hooks", hooks))
    assert cli.serve(["hooks", "lint", *options, str(tmp_path)]) == status
    lines = capfd.readouterr().out.splitlines()
    assert cli.serve(["hooks", "lint", "--json", *options, str(tmp_path)]) == status
    rows = json.loads(capfd.readouterr().out)
    assert [f"{row['level']}: {row['file']}: {row['at']}: {row['message']}" for row in rows] == lines
