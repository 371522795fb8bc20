"""verbs/exec.py: which process the options describe, alone or on top of --process FILE."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from slinger.cli_options import Scan
from slinger.cli_table import GLOBALS, TABLE
from slinger.errors import ConfigError, SlingerError
from slinger.spec.config import Capabilities, Config, ConsoleSize, CpuAffinity, Process, Rlimit, User
from slinger.verbs import Call
from slinger.verbs.exec import make_process, parse_user
from tests.bundles import Json
from tests.unit.documents import parsed

OWN = Process(
    cwd="/own",
    args=("own",),
    env=("A=1", "B=2"),
    terminal=True,
    console_size=ConsoleSize(10, 20),
    user=User(uid=7, gid=8, umask=0o77, additional_gids=(9,)),
    capabilities=Capabilities(
        bounding=("CAP_KILL",), effective=("CAP_KILL",), permitted=("CAP_KILL",), inheritable=("CAP_KILL",)
    ),
    rlimits=(Rlimit("RLIMIT_NOFILE", 1, 2),),
    no_new_privileges=True,
    apparmor_profile="own-profile",
    selinux_label="own-label",
    oom_score_adj=5,
    exec_cpu_affinity=CpuAffinity("0", "1"),
)


def config(process: Process | None = OWN) -> Config:
    """A container whose program is this."""
    return parsed().replace(process=process)


def made(*words: str, own: Process | None = OWN) -> Process:
    """The process of `exec WORDS`."""
    scan = Scan(GLOBALS, TABLE)
    scan.read(["exec", *words])
    return make_process(config(own), Call(scan.arguments, scan.options, print, print))


def test_without_options_it_is_the_containers_own_process_with_another_command() -> None:
    """Its terminal alone is not shared: each exec says for itself whether it wants one."""
    expected = OWN.replace(args=("sh", "-c", "x"), terminal=False, console_size=None)
    assert made("box", "sh", "-c", "x") == expected


def test_a_container_without_a_process_gives_the_defaults() -> None:
    """config.md: process is optional until start."""
    assert made("box", "sh", own=None) == Process(cwd="/", args=("sh",))


def test_what_follows_the_id_is_the_command_whatever_it_looks_like() -> None:
    """Options come before the id."""
    assert made("--tty", "box", "sh", "--user", "5").args == ("sh", "--user", "5")
    assert made("box", "--", "-t").args == ("--", "-t")


@pytest.mark.parametrize(
    ("options", "name", "expected"),
    [
        (["--cwd", "/x"], "cwd", "/x"),
        (["--cwd", ""], "cwd", ""),  # which validation refuses: it is no option that was left out
        (["--env", "C=3", "-e", "A=4"], "env", ("A=1", "B=2", "C=3", "A=4")),
        (["--tty"], "terminal", True),
        (["-t"], "terminal", True),
        (["--tty=false"], "terminal", False),
        (["--user", "1"], "user", User(uid=1, gid=8, umask=0o77, additional_gids=(9,))),
        (["-u", "1:2"], "user", User(uid=1, gid=2, umask=0o77, additional_gids=(9,))),
        (["-u", "0:0"], "user", User(uid=0, gid=0, umask=0o77, additional_gids=(9,))),
        (["-g", "3", "--additional-gids", "4"], "user", OWN.user.replace(additional_gids=(9, 3, 4))),
        (["--apparmor", "p"], "apparmor_profile", "p"),
        (["--apparmor", ""], "apparmor_profile", "own-profile"),
        (["--process-label", "l"], "selinux_label", "l"),
        (["--no-new-privs"], "no_new_privileges", True),
        (["--no-new-privs=false"], "no_new_privileges", False),
        (["--no-subreaper"], "args", ("sh",)),
    ],
)
def test_each_option_changes_its_member(options: list[str], name: str, expected: object) -> None:
    """And nothing else."""
    plain = made("box", "sh")
    process = made(*options, "box", "sh")
    assert process.__dict__[name] == expected
    assert process == plain.replace(**{name: expected})


@pytest.mark.parametrize("name", ["CAP_NET_RAW", "NET_RAW", "net_raw", "cap_net_raw"])
def test_a_capability_is_added_to_three_sets(name: str) -> None:
    """Neither inheritable nor ambient: CVE-2022-29162."""
    both = ("CAP_KILL", "CAP_NET_RAW")
    expected = Capabilities(bounding=both, effective=both, permitted=both, inheritable=("CAP_KILL",))
    assert made("--cap", name, "box", "sh").capabilities == expected


def test_a_capability_for_a_process_without_any() -> None:
    """It has this one then."""
    one = ("CAP_KILL",)
    caps = made("-c", "CAP_KILL", "box", "sh", own=OWN.replace(capabilities=None)).capabilities
    assert caps == Capabilities(bounding=one, effective=one, permitted=one)


def test_an_unknown_capability_is_an_error() -> None:
    """It was asked for by hand: the process is not run without it."""
    with pytest.raises(ConfigError) as caught:
        made("--cap", "CAP_KILL", "--cap", "none", "box", "sh")
    assert str(caught.value) == '--cap: unknown capability "none" (capabilities(7) lists them)'


NO_IDS = ["", " ", "-1", "+1", "1000abc", "0x10", "1_0", " 1", "1 ", "1.0", "99999999999", "4294967296", "4294967295"]


@pytest.mark.parametrize("text", [*NO_IDS, "root", "\N{ARABIC-INDIC DIGIT ONE}"])
def test_an_id_is_a_number_or_an_error(text: str) -> None:
    """CVE-2026-30892: what cannot be read must not become root; 4294967295 means "leave it" to setresuid(2)."""
    problem = f'must be a number from 0 to 4294967294, not "{text}"'
    for option, value in (("--user", text), ("--user", f"1:{text}"), ("--user", f"{text}:1"), ("-g", text)):
        with pytest.raises(SlingerError) as caught:
            made(f"{option}={value}", "box", "sh")
        assert str(caught.value) == f"{'--additional-gids' if option == '-g' else option}: {problem}"


@pytest.mark.parametrize(("text", "part"), [(":", ""), (":5", ""), ("5:", ""), ("1:2:3", "2:3")])
def test_a_user_has_both_its_parts(text: str, part: str) -> None:
    """A colon promises a number on either side."""
    with pytest.raises(SlingerError) as caught:
        parse_user(text, User())
    assert str(caught.value) == f'--user: must be a number from 0 to 4294967294, not "{part}"'


def test_the_largest_id_is_an_id() -> None:
    """4294967294 is one less than the number that means none."""
    assert parse_user("4294967294:4294967294", User()) == User(uid=4294967294, gid=4294967294)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A process file with the least that one can have."""
    path = tmp_path / "process.json"
    path.write_text(json.dumps({"cwd": "/", "args": ["from-file"], "user": {"uid": 1, "gid": 2}}))
    return path


def test_a_process_file_describes_the_process_within_the_containers_limits(file: Path) -> None:
    """Labels, limits and capabilities that it leaves out are the container's: leaving out is no way around them."""
    kept = ("capabilities", "rlimits", "apparmor_profile", "selinux_label", "oom_score_adj", "exec_cpu_affinity")
    own = {name: OWN.__dict__[name] for name in kept}
    expected = Process(cwd="/", args=("from-file",), user=User(uid=1, gid=2), **own)
    assert made("--process", str(file), "box") == expected


def test_what_a_process_file_has_is_its_own(file: Path) -> None:
    """An empty object of capabilities is no capabilities, an oomScoreAdj of 0 is 0."""
    document: dict[str, Json] = {
        "cwd": "/",
        "args": ["x"],
        "capabilities": {},
        "oomScoreAdj": 0,
        "apparmorProfile": "other",
    }
    file.write_text(json.dumps(document))
    process = made("--process", str(file), "box")
    assert (process.capabilities, process.oom_score_adj) == (Capabilities(), 0)
    assert process.apparmor_profile == "other"


def test_options_change_the_process_of_the_file(file: Path) -> None:
    """runc and crun ignore them without a word."""
    process = made("-p", str(file), "--cwd", "/x", "-u", "5", "-e", "C=3", "-t", "box")
    assert (process.cwd, process.user, process.env, process.terminal) == ("/x", User(uid=5, gid=2), ("C=3",), True)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["box"], "exec: what to run is missing (slinger exec ID COMMAND, or --process FILE)"),
        (["--process", "@", "box", "sh"], "exec: --process and a command exclude each other"),
        (["--process", "", "box"], "--process: no such file or directory"),
        (["--process", "/none", "box"], "--process '/none': no such file or directory"),
        (["--process", "/", "box"], "--process /: is a directory"),
    ],
)
def test_what_to_run_is_said_once(words: list[str], message: str, file: Path) -> None:
    """In a command or in a file."""
    with pytest.raises(SlingerError) as caught:
        made(*(str(file) if word == "@" else word for word in words))
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "process.cwd: required"),
        ('{"cwd": 1}', "process.cwd: expected a string, got 1"),
        ('{"cwd": "/", "user": {"uid": -1, "gid": 0}}', "process.user.uid: expected an integer from 0 to"),
    ],
)
def test_an_error_in_the_file_has_its_json_path(file: Path, text: str, message: str) -> None:
    """As one in config.json has."""
    file.write_text(text)
    with pytest.raises(SlingerError) as caught:
        made("--process", str(file), "box")
    assert message in str(caught.value)
