"""Hooks of hooks.d and CDI devices, added by options and settings: what is seen from inside, and what plan says."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.bundles import Json, mapping, sequence, text
from tests.integration.box import INSIDE
from tests.requires import requires

if TYPE_CHECKING:
    from tests.integration.box import Box
    from tests.integration.plain import PlainBox

pytestmark = requires("root")

NODES: Final[Json] = [{"path": "/dev/full"}, {"path": "/dev/brimming", "hostPath": "/dev/full"}]


def write_hook(directory: Path, name: str, hook: Json, *stages: str, when: Json | None = None) -> Path:
    """A hooks.d file."""
    directory.mkdir(exist_ok=True)
    path = directory / name
    members = {"version": "1.0.0", "hook": hook, "when": when or {"always": True}, "stages": list(stages)}
    path.write_text(json.dumps(members))
    return path


def write_spec(directory: Path, name: str = "v.json", **members: Json) -> Path:
    """A CDI specification of vendor.com/thing with the device dev, or what the members say."""
    directory.mkdir(exist_ok=True)
    path = directory / name
    path.write_text(json.dumps({"cdiVersion": "1.1.0", "kind": "vendor.com/thing", **members}))
    return path


def devices(**edits: Json) -> Json:
    """The list of one device."""
    return [{"name": "dev", "containerEdits": edits}]


@pytest.mark.complaint("not run/precedence")
def test_hooks_of_directories_run_behind_those_of_the_configuration(box: Box) -> None:
    """At their stages, those after create too; a file of the later directory counts, one that does not apply is out."""
    usr, etc = box.calls / "usr", box.calls / "etc"
    write_hook(usr, "20-late.json", box.report_hook("poststop", "late"), "poststop")
    write_hook(usr, "10-two.json", box.report_hook("createRuntime", "masked"), "createRuntime")
    write_hook(etc, "10-two.json", box.report_hook("createRuntime", "two"), "createRuntime", "poststart")
    write_hook(etc, "30-no.json", box.report_hook("createRuntime", "no"), "createRuntime", when={"commands": ["sh$"]})
    write_hook(etc, "not-json.txt", {}, "nothing")
    box.configure(
        {
            "process.args": [INSIDE, "sleep", "1000"],
            "hooks": {"createRuntime": [box.report_hook("createRuntime", "own")]},
        }
    )
    dirs = ("--hooks-dir", str(usr), "--hooks-dir", str(etc))
    box.succeed(*dirs, *box.creating())
    assert [(each["stage"], each["index"], each["outcome"]) for each in box.records()] == [
        ("createRuntime", 0, "exit status 0"),
        ("createRuntime", 1, "exit status 0"),
    ]
    box.start()
    assert [len(box.reports(name)) for name in ("own", "two", "masked", "no", "late")] == [1, 2, 0, 0, 0]
    assert json.loads(text(box.reports("two")[1]["stdin"]))["status"] == "running"
    box.succeed("delete", "--force", box.id)
    assert len(box.reports("late")) == 1


@pytest.mark.complaint("not run/restart")
def test_a_new_file_counts_for_the_next_container(box: Box) -> None:
    """Nothing is to be restarted (cri-o issue 2472)."""
    box.configure({"process.args": [INSIDE, "true"]})
    (box.calls / "hooks").mkdir()
    for count in (0, 1):
        box.succeed(*box.running("--hooks-dir", f"{box.calls}/hooks"))
        assert len(box.reports("new")) == count
        write_hook(box.calls / "hooks", "new.json", box.report_hook("createRuntime", "new"), "createRuntime")


@pytest.mark.complaint("exec and restore/variables")
def test_a_device_is_in_the_container_with_all_that_it_brings(box: Box) -> None:
    """Environment, node, mount, groups and hook; a process that is run later has its environment too."""
    (box.calls / "data").mkdir()
    (box.calls / "data" / "told").write_text("by the host")
    hook = {**box.hook("createContainer", "write", "tmp/made", "by a hook"), "hookName": "createContainer"}
    write_spec(
        box.calls / "cdi",
        devices=devices(
            deviceNodes=[{"path": "/dev/brimming", "hostPath": "/dev/full"}],
            mounts=[{"hostPath": f"{box.calls}/data", "containerPath": "/data", "options": ["rbind", "ro"]}],
            hooks=[hook],
            additionalGids=[77],
        ),
        containerEdits={"env": ["THING=1"]},
    )
    options = ("--cdi-spec-dir", f"{box.calls}/cdi", "--cdi-device", "vendor.com/thing=dev")
    box.configure({"process.args": [INSIDE, "sleep", "1000"]})
    box.succeed(*box.creating(*options))
    box.start()
    words = (
        "exec",
        box.id,
        INSIDE,
        "report",
        "--probe",
        "/dev/brimming",
        "--file",
        "/tmp/made",
        "--file",
        "/data/told",
    )
    report = mapping(json.loads(box.succeed(*words)))
    assert "THING=1" in sequence(report["env"])
    assert report["groups"] == [77]
    assert mapping(mapping(report["files"])) == {"/tmp/made": "by a hook", "/data/told": "by the host"}
    probe = mapping(mapping(report["probes"])["/dev/brimming"])
    assert (probe["kind"], probe["device"]) == ("character device", "1:7")


def test_annotations_are_obeyed_where_that_is_asked_for(box: Box) -> None:
    """An engine that knows CDI has done so already, and an image's annotations are anybody's."""
    write_spec(box.calls / "cdi", devices=devices(env=["THING=1"]))
    settings = box.calls / "settings.toml"
    box.configure({"annotations": {"cdi.k8s.io/plugin_1": "vendor.com/thing=dev"}, "process.args": [INSIDE, "report"]})
    for line, expected in (("", False), ("annotations = true\n", True)):
        settings.write_text(f'[cdi]\n{line}spec_dirs = ["cdi"]\n')
        report = mapping(json.loads(box.succeed("--settings", str(settings), *box.running())))
        assert ("THING=1" in sequence(report["env"])) == expected


def test_a_specification_may_be_yaml(box: Box) -> None:
    """As NVIDIA's generator writes it."""
    (box.calls / "cdi").mkdir()
    (box.calls / "cdi" / "v.yaml").write_text(
        "---\ncdiVersion: 0.5.0\nkind: vendor.com/thing\ndevices:\n- name: '0'\n  containerEdits:\n    env: [THING=0]\n"
    )
    box.configure({"process.args": [INSIDE, "report"]})
    options = ("--cdi-spec-dir", f"{box.calls}/cdi", "--cdi-device", "vendor.com/thing=0")
    assert "THING=0" in sequence(mapping(json.loads(box.succeed(*box.running(*options))))["env"])


@pytest.mark.complaint("not run/does-not-apply", "failures/forgotten-file")
def test_the_plan_says_what_was_added_and_why(box: Box) -> None:
    """And which files do not apply; the state has the configuration as it is used."""
    hooks, cdi = box.calls / "hooks", box.calls / "cdi"
    write_hook(hooks, "a.json", box.hook("createRuntime", "true"), "createRuntime", when={"commands": ["payload$"]})
    write_hook(hooks, "b.json", box.hook("createRuntime", "true"), "createRuntime", when={"hasBindMounts": True})
    write_spec(cdi, devices=devices(env=["THING=1"]))
    options = ("--hooks-dir", str(hooks), "--cdi-spec-dir", str(cdi), "--cdi-device", "vendor.com/thing=dev")
    box.configure({"process.env": ["A=b"]})
    tail = box.succeed("plan", *options, str(box.directory)).partition("\n\n")[2]
    assert [line.split() for line in tail.splitlines()] == [
        ["added", "to", "the", "configuration:"],
        [
            *("hooks.createRuntime[0]", str(box.bundle.payload), f"{hooks}/a.json:", "hook"),
            *("when.commands[0]:", INSIDE),
        ],
        [
            *("process.env[1]", "THING=1", f"{cdi}/v.json:", "devices[0].containerEdits.env[0]"),
            *("--cdi-device:", "vendor.com/thing=dev"),
        ],
        ["not", "added:"],
        [f"{hooks}/b.json", "when.hasBindMounts:", "there", "is", "none"],
    ]
    answer = json.loads(box.succeed("plan", "--json", *options, str(box.directory)))
    assert answer["added"][0] == {
        "target": "hooks.createRuntime[0]",
        "value": str(box.bundle.payload),
        "file": f"{hooks}/a.json",
        "at": "hook",
        "why": f"when.commands[0]: {INSIDE}",
    }
    assert answer["notAdded"] == [{"file": f"{hooks}/b.json", "why": "when.hasBindMounts: there is none"}]
    assert "hooks.createRuntime[0]" in {op["origin"] for op in answer["ops"]}
    box.succeed(*box.creating(*options))
    saved = json.loads((box.home / "config.json").read_text())
    assert saved["process"]["env"] == ["A=b", "THING=1"]
    assert len(saved["hooks"]["createRuntime"]) == 1


def test_without_options_there_is_nothing_about_it_in_the_plan(box: Box) -> None:
    """Neither lines nor entries."""
    assert "added" not in box.succeed("plan", str(box.directory))
    assert json.loads(box.succeed("plan", "--json", str(box.directory)))["added"] == []


@pytest.mark.complaint("not run/precedence")
def test_what_is_wrong_is_said_with_file_and_place_and_nothing_is_left(box: Box) -> None:
    """Before anything is made."""
    hooks, cdi = box.calls / "hooks", box.calls / "cdi"
    with_dir = ("--hooks-dir", str(hooks))
    assert box.fail(*box.creating(*with_dir)) == (
        f"the hooks directory {hooks}: no such file or directory (--hooks-dir names it)"
    )
    for option in ("--hooks-dir", "--cdi-device", "--cdi-spec-dir"):
        assert box.fail(*box.creating(option, "")) == f"{option}: must not be empty"
    file = write_hook(hooks, "x.json", {"path": "/no/hook"}, "createRuntime")
    assert box.fail(*box.creating(*with_dir)) == f"{file}: hook.path: /no/hook: no such file or directory"
    write_hook(hooks, "x.json", {"path": "/no/hook"}, "createruntime")
    assert box.fail(*box.creating(*with_dir)) == (
        f'{file}: stages[0]: no such stage: "createruntime" (did you mean "createRuntime"?)'
    )
    with_cdi = ("--cdi-spec-dir", str(cdi), "--cdi-device", "vendor.com/thing=dev")
    assert box.fail(*box.creating(*with_cdi)) == (
        f"--cdi-device: no CDI device vendor.com/thing=dev (there is no CDI specification; looked for in {cdi})"
    )
    spec = write_spec(cdi, devices=[{"name": "dev", "containerEdits": {"netDevices": [{"name": "x"}]}}])
    assert box.fail(*box.creating(*with_cdi)) == (
        "--cdi-device: no CDI device vendor.com/thing=dev (not read: "
        f"{spec}: devices[0].containerEdits.netDevices[0].hostInterfaceName: required property is missing; "
        f"looked for in {cdi})"
    )
    write_spec(cdi, devices=devices(netDevices=[{"hostInterfaceName": "eth9", "name": "a/b"}]))
    assert box.fail(*box.creating(*with_cdi)) == (
        f'linux.netDevices["eth9"]: invalid name of an interface "a/b" '
        f"({spec}: devices[0].containerEdits.netDevices[0] has added it)"
    )
    assert not box.home.exists()


@pytest.mark.complaint("elsewhere/one-bad-file")
def test_a_bad_file_that_nothing_is_wanted_of_is_a_warning(box: Box) -> None:
    """Else one vendor's mistake takes down all devices."""
    cdi = box.calls / "cdi"
    write_spec(cdi, devices=devices(env=["THING=1"]))
    bad = write_spec(cdi, "w.json", kind="other")
    box.configure({"process.args": [INSIDE, "true"]})
    done = box.call(*box.running("--cdi-spec-dir", str(cdi), "--cdi-device", "vendor.com/thing=dev"))
    assert (done.status, done.stderr) == (
        0,
        f'slinger: warning: CDI: not read: {bad}: kind: expected vendor.com/class, got "other"\n',
    )


@pytest.mark.parametrize("verb", ["state", "kill", "delete", "list"])
def test_the_other_verbs_take_the_options_without_effect(box: Box, verb: str) -> None:
    """podman's --runtime-flag goes to every call."""
    box.create()
    arguments = () if verb == "list" else (box.id,)
    box.succeed("--hooks-dir", "/no/such", "--cdi-device", "v.com/c=d", verb, *arguments)


@requires("nvidia-ctk", "busybox", "gcc")
def test_nvidia_s_hooks_do_their_work(box: Box) -> None:
    """Without a GPU: the links, the mode and the cache of libraries are in the container (toolkit: nvidia-ctk hook)."""
    folder, library = "/usr/local/gpu", "libvendor.so.1.2.3"
    shared = ("gcc", "-shared", "-fPIC", "-Wl,-soname,libvendor.so.1", "-x", "c", "-o", str(box.calls / library), "-")
    subprocess.run(shared, check=True, input=b"int answer(void) { return 42; }")
    ctk = shutil.which("nvidia-ctk")
    hooks: list[Json] = [
        {"hookName": "createContainer", "path": ctk, "args": ["nvidia-ctk", "hook", *words]}
        for words in (
            ["create-symlinks", "--link", f"libvendor.so.1::{folder}/libvendor.so", "--link", f"{folder}::/opt/gpu"],
            ["chmod", "--mode", "750", "--path", folder],
            ["update-ldcache", "--folder", folder],
        )
    ]
    mount: Json = {
        "hostPath": f"{box.calls}/{library}",
        "containerPath": f"{folder}/{library}",
        "options": ["rbind", "ro"],
    }
    write_spec(box.calls / "cdi", cdiVersion="0.5.0", devices=devices(mounts=[mount], hooks=hooks))
    looking = ("report", "--probe", folder, "--probe", "/opt/gpu", "--probe", f"{folder}/libvendor.so")
    box.configure({"process.args": [INSIDE, *looking]})
    options = ("--cdi-spec-dir", f"{box.calls}/cdi", "--cdi-device", "vendor.com/thing=dev")
    probes = mapping(mapping(json.loads(box.succeed(*box.running(*options))))["probes"])
    assert mapping(probes[folder])["mode"] == "0750"
    assert mapping(probes["/opt/gpu"])["target"] == folder
    assert mapping(probes[f"{folder}/libvendor.so"])["target"] == "libvendor.so.1"
    assert f"{folder}/libvendor.so.1\0".encode() in (box.bundle.rootfs / "etc/ld.so.cache").read_bytes()


@requires("plain-userns", "common-python")
def test_a_plain_user_s_device_is_bound(plain: PlainBox) -> None:
    """Where nodes cannot be made."""
    write_spec(plain.calls / "cdi", devices=devices(deviceNodes=NODES, env=["THING=1"]))
    options = ("--cdi-spec-dir", f"{plain.calls}/cdi", "--cdi-device", "vendor.com/thing=dev")
    plain.configure({"process.args": [INSIDE, "report", "--probe", "/dev/full", "--probe", "/dev/brimming"]})
    report = mapping(json.loads(plain.succeed(*plain.running(*options))))
    assert "THING=1" in sequence(report["env"])
    probes = mapping(report["probes"])
    assert [mapping(probes[path])["device"] for path in ("/dev/full", "/dev/brimming")] == ["1:7", "1:7"]
