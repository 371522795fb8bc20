"""The payload itself, run on the host: what the other tests rest on."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.bundles import DROP, Json, base_config, changed, mapping, sequence
from tests.payload.build import build_payload
from tests.requires import requires

pytestmark = requires("gcc")


def payload(*arguments: str, stdin: str = "", env: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Run the payload; its exit status and its stdout."""
    command = [str(build_payload()), *arguments]
    done = subprocess.run(command, input=stdin, stdout=subprocess.PIPE, text=True, check=False, env=env)
    return done.returncode, done.stdout


def test_the_report_tells_what_the_process_is() -> None:
    """The ids, namespaces, environment and working directory of the report are those of the process."""
    status, text = payload("report", "--file", "/proc/self/comm", env={"A": 'quote " and \\', "B": "\u00e9"})
    report: Mapping[str, Json] = json.loads(text)
    assert status == 0
    assert report["uid"] == [os.getuid()] * 4
    assert report["env"] == ['A=quote " and \\', "B=\u00c3\u00a9"]
    assert report["cwd"] == os.getcwd()
    assert report["namespaces"] == {name: os.readlink(f"/proc/self/ns/{name}") for name in os.listdir("/proc/self/ns")}
    assert report["stdio"] == ["fifo", "fifo", json.loads(payload("report")[1])["stdio"][2]]
    assert len(mapping(report["rlimits"])) == 16
    assert len(mapping(report["capabilities"])) == 5
    assert len(sequence(report["mounts"])) == len(Path("/proc/self/mountinfo").read_text().splitlines())
    assert report["files"] == {"/proc/self/comm": build_payload().name[:15]}


def test_a_probe_tells_kind_and_access(tmp_path: Path) -> None:
    """A probe says what is at a path, what can be read of it, and what keeps it from being written."""
    (tmp_path / "file").write_text("text")
    (tmp_path / "link").symlink_to("file")
    paths = [str(tmp_path / name) for name in ("file", "link", "none")]
    file, link, none = (mapping(value) for value in json.loads(payload("probe", *paths)[1]).values())
    assert file["kind"] == "file"
    assert (file["read"], file["size"], file["text"], file["write"]) == (None, 4, "text", None)
    assert (link["kind"], link["target"]) == ("link", "file")
    assert none == {"error": "ENOENT"}


def test_a_hook_report_is_one_line_more_with_the_state(tmp_path: Path) -> None:
    """hook-report appends one JSON line that holds stdin, its arguments and its descriptors."""
    file = tmp_path / "lines"
    for word in ("one", "two"):
        assert payload("hook-report", str(file), word, stdin=f'{{"id": "{word}"}}') == (0, "")
    first, second = (json.loads(line) for line in file.read_text().splitlines())
    assert first["argv"] == ["hook-report", str(file), "one"]
    assert second["stdin"] == '{"id": "two"}'
    assert sorted(second["descriptors"]) == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("arguments", "status", "output"),
    [
        (("true",), 0, ""),
        (("exit", "7"), 7, ""),
        (("hook-exit", "3"), 3, ""),
        (("kill", "15"), -15, ""),
        (("echo", "a", "b c"), 0, "a b c\n"),
        (("cat",), 0, "from stdin"),
        (("mem", "8192"), 0, "touched 8192\n"),
        (("forks", "3"), 0, '{"forks":3,"error":null}\n'),
        (("try-syscall", "unknown", "getpid", "nonsense"), 0, None),
        (("no-such",), 125, ""),
    ],
)
def test_a_subcommand_does_what_it_says(arguments: tuple[str, ...], status: int, output: str | None) -> None:
    """Exit status and output of the small subcommands."""
    shown = '{"unknown":"ENOSYS","getpid":null,"nonsense":"not in the table"}\n' if output is None else output
    assert payload(*arguments, stdin="from stdin") == (status, shown)


def test_a_config_is_changed_by_paths() -> None:
    """A path replaces, + appends, DROP removes, and the base config stays as it was."""
    base = base_config()
    config = changed(base, {"process.user.uid": 7, "mounts+": [1], "hostname": DROP, "linux.sysctl.a": "b"})
    assert mapping(mapping(config["process"])["user"]) == {"uid": 7, "gid": 0}
    assert sequence(config["mounts"])[-1] == 1
    assert "hostname" not in config
    assert mapping(config["linux"])["sysctl"] == {"a": "b"}
    assert base == base_config()
