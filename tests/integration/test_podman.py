"""podman with this runtime: a real image, and what its users do with it. Everything is asserted as the user sees it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.bundles import Json, mapping
from tests.integration.box import wait_for
from tests.integration.engine import BUSYBOX, IMAGE, Podman
from tests.payload.build import build_payload
from tests.requires import cgroup_layout, requires

pytestmark = requires("root", "podman", "busybox", "libseccomp", "cgroup", "gcc")

V2 = cgroup_layout() == "v2"
RUNNING = "running"
PATIENCE = 20.0  # seconds; for what goes through conmon on a loaded machine


@pytest.fixture(scope="module")
def podman(slinger: str, podman_home: Path) -> Iterator[Podman]:
    """The engine with the image, and one container that runs as long as the tests: RUNNING."""
    engine = Podman(slinger, podman_home)
    try:
        engine.import_image()
        engine.start(RUNNING, "sh", "-c", "echo told; echo complained >&2; exec sleep 1000")
        yield engine
    finally:
        engine.close()


class Setting(NamedTuple):
    """Options of run, a shell command that looks from inside, and what it must print."""

    options: tuple[str, ...]
    look: str
    answer: str


def of_cgroup(v1: str, v2: str) -> str:
    """A command that prints a file of the container's own cgroup, as it is seen inside."""
    return f"cat /sys/fs/cgroup/{v2 if V2 else v1}"


# All of them are given to one run.
SETTINGS = {
    "workdir": Setting(("--workdir", "/tmp"), "pwd", "/tmp"),
    "env": Setting(("--env", "SAID=a b"), 'echo "$SAID"', "a b"),
    "hostname": Setting(("--hostname", "hb"), "hostname; cat /etc/hostname", "hb\nhb"),
    "user": Setting(("--user", "5:6", "--group-add", "9"), "id -u; id -g; id -G", "5\n6\n6 9"),
    "tmpfs": Setting(("--tmpfs", "/t:size=1m,mode=1777"), "df /t | tail -n1 | awk '{print $1, $2}'", "tmpfs 1024"),
    "device": Setting(
        ("--device", "/dev/full:/dev/brimming"), "stat -c %F,%t,%T /dev/brimming", "character special file,1,7"
    ),
    "capabilities": Setting(
        ("--cap-drop", "all", "--cap-add", "net_raw"), "grep CapBnd /proc/self/status", f"CapBnd:\t{1 << 13:016x}"
    ),
    "no-new-privileges": Setting(
        ("--security-opt", "no-new-privileges"), "grep NoNewPrivs /proc/self/status", "NoNewPrivs:\t1"
    ),
    "memory": Setting(("--memory", "64m"), of_cgroup("memory/memory.limit_in_bytes", "memory.max"), str(64 << 20)),
    "pids": Setting(("--pids-limit", "33"), of_cgroup("pids/pids.max", "pids.max"), "33"),
    "cpus": Setting(("--cpus", "0.5"), of_cgroup("cpu/cpu.cfs_quota_us", "cpu.max"), "50000 100000" if V2 else "50000"),
    "ulimit": Setting(
        ("--ulimit", "core=4096:8192"),
        "grep 'core file' /proc/self/limits | xargs",
        "Max core file size 4096 8192 bytes",
    ),
    "umask": Setting(("--umask", "0027"), "umask", "0027"),
    "oom-score": Setting(("--oom-score-adj", "500"), "cat /proc/self/oom_score_adj", "500"),
    "shm": Setting(("--shm-size", "2m"), "df /dev/shm | tail -n1 | awk '{print $2}'", "2048"),
    "sysctl": Setting(("--sysctl", "net.ipv4.ip_forward=1"), "cat /proc/sys/net/ipv4/ip_forward", "1"),
    "read-only": Setting(("--read-only",), "touch /bin/x 2>&1", "touch: /bin/x: Read-only file system"),
    "masked": Setting((), "ls /sys/firmware | wc -l", "0"),
}


@pytest.fixture(scope="module")
def seen(podman: Podman) -> dict[str, str]:
    """What one run with all SETTINGS saw, by name."""
    options = [word for setting in SETTINGS.values() for word in setting.options]
    script = "; ".join(f"echo @{name}; {setting.look}" for name, setting in SETTINGS.items())
    done = podman.run(options, "sh", "-c", script)
    assert (done.status, done.stderr) == (0, "")
    parts = [part.partition("\n") for part in done.stdout.split("@") if part]
    return {name: text.strip("\n") for name, _, text in parts}


@pytest.mark.parametrize("name", SETTINGS)
def test_an_option_of_run_holds_inside(seen: dict[str, str], name: str) -> None:
    """As it is asked for, so the program finds it."""
    assert seen[name] == SETTINGS[name].answer


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (["echo", "hello"], 0, ""),
        (["sh", "-c", "exit 5"], 5, ""),
        (["/etc"], 126, 'slinger: process.args[0]: exec: "/etc": permission denied: OCI permission denied'),
        (["nosuch"], 127, ('slinger: process.args[0]: exec: "nosuch": executable file not found in $PATH: '
                           "OCI runtime attempted to invoke a command that was not found")),
    ],
)  # fmt: skip
def test_run_exits_as_the_program_does(podman: Podman, words: list[str], status: int, told: str) -> None:
    """126 and 127 come of the words of the runtime's error, which podman reads."""
    done = podman.run([], *words)
    assert (done.status, done.stdout) == (status, "hello\n" if words[0] == "echo" else "")
    assert done.stderr == (f"Error: {podman.runtime}: {told}\n" if told else "")


def test_input_of_run_reaches_the_program(podman: Podman) -> None:
    """--interactive, with its end."""
    done = podman.run(["--interactive"], "cat", given=b"one\ntwo")
    assert (done.status, done.stdout, done.stderr) == (0, "one\ntwo", "")


def test_volumes_are_shared_as_asked(podman: Podman, tmp_path: Path) -> None:
    """One is written through, the other is read-only."""
    (tmp_path / "given").write_text("from outside")
    volumes = ["--volume", f"{tmp_path}:/rw", "--volume", f"{tmp_path}:/ro:ro"]
    done = podman.run(volumes, "sh", "-c", "cat /ro/given; echo back >/rw/taken; touch /ro/never")
    assert (done.status, done.stdout) == (1, "from outside")
    assert done.stderr == "touch: /ro/never: Read-only file system\n"
    assert (sorted(os.listdir(tmp_path)), (tmp_path / "taken").read_text()) == (["given", "taken"], "back\n")


@pytest.mark.parametrize(
    ("options", "mode", "answers"),
    [
        ([], "2", {"kcmp": "EPERM", "io_uring_setup": "ENOSYS", "getpid": None}),
        (["--security-opt", "seccomp=unconfined"], "0", {"kcmp": "ESRCH", "io_uring_setup": "EFAULT", "getpid": None}),
    ],
)
def test_the_default_seccomp_profile_forbids_what_unconfined_allows(
    podman: Podman, options: list[str], mode: str, answers: dict[str, str | None]
) -> None:
    """By calls that fail in any case: without a filter the kernel finds fault with their arguments."""
    script = f"awk '/^Seccomp:/ {{print $2}}' /proc/self/status; payload try-syscall {' '.join(answers)}"
    done = podman.run([*options, "--volume", f"{build_payload()}:/bin/payload"], "sh", "-c", script)
    first, _, told = done.stdout.partition("\n")
    assert (first, json.loads(told), done.stderr) == (mode, answers, "")


def test_privileged_has_what_podman_itself_has(podman: Podman) -> None:
    """All capabilities that there are to give, no filter, and the devices of the host."""
    bounding = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("CapBnd"))
    script = "grep -E '^CapBnd|^Seccomp:' /proc/self/status; ls /dev/kmsg"
    done = podman.run(["--privileged"], "sh", "-c", script)
    assert (done.stderr, done.stdout.splitlines()) == ("", [bounding, "Seccomp:\t0", "/dev/kmsg"])


def test_a_user_namespace_maps_as_asked(podman: Podman) -> None:
    """--uidmap: root inside is another outside, and owns the image's files."""
    script = "id -u; cat /proc/self/uid_map | xargs; stat -c %u /bin/busybox; touch /etc/x && echo wrote"
    done = podman.run(["--uidmap", "0:100000:5000"], "sh", "-c", script)
    assert (done.stderr, done.stdout.splitlines()) == ("", ["0", "0 100000 5000", "0", "wrote"])


@requires("idmap")
def test_a_volume_is_mapped_into_a_user_namespace(podman: Podman, tmp_path: Path) -> None:
    """--volume with idmap: files have the owners that they have on the host, and new ones are the host root's."""
    volume = tmp_path / "volume"
    volume.mkdir()
    (volume / "theirs").touch()
    os.chown(volume / "theirs", 7, 8)
    script = "stat -c %u:%g /volume /volume/theirs; touch /volume/made"
    done = podman.run(["--uidmap", "0:100000:5000", "--volume", f"{volume}:/volume:idmap"], "sh", "-c", script)
    assert (done.stderr, done.stdout.splitlines()) == ("", ["0:0", "7:8"])
    assert ((volume / "made").stat().st_uid, (volume / "made").stat().st_gid) == (0, 0)


def test_namespaces_of_another_container_are_joined(podman: Podman) -> None:
    """--pid, --ipc and --network container:X, as pods do it."""
    look = ["sh", "-c", "for kind in pid ipc net uts; do readlink /proc/self/ns/$kind; done"]
    theirs = podman.succeed("exec", RUNNING, *look).splitlines()
    joining = ["--pid", f"container:{RUNNING}", "--ipc", f"container:{RUNNING}"]
    words = podman.making("run", "--rm", *joining, network=f"container:{RUNNING}")
    ours = podman.succeed(*words, IMAGE, *look).splitlines()
    assert ours[:3] == theirs[:3]
    assert ours[3] != theirs[3]


@requires("catatonit")
def test_an_init_of_podmans_is_run_first(podman: Podman) -> None:
    """--init: catatonit is pid 1 and passes the exit status on."""
    done = podman.run(["--init"], "sh", "-c", "cat /proc/1/comm; exit 3")
    assert (done.status, done.stdout, done.stderr) == (3, "podman-init\n", "")


def on_terminal(podman: Podman, *words: str) -> tuple[int, str]:
    """A call with a terminal as its stdio: the exit status, and what the terminal showed."""
    master, slave = os.openpty()
    process = subprocess.Popen(
        podman.command(*words), stdin=slave, stdout=slave, stderr=slave, env=podman.environment, start_new_session=True
    )
    os.close(slave)
    shown = b""
    try:
        while data := read(master):
            shown += data
        return process.wait(PATIENCE), shown.decode()
    finally:
        process.kill()
        process.wait()
        os.close(master)


def read(master: int) -> bytes:
    """What a terminal shows next; nothing when nobody has it open any more."""
    try:
        return os.read(master, 4096)
    except OSError:
        return b""


def test_run_on_a_terminal_gives_one(podman: Podman) -> None:
    """run -it: a terminal inside, by its name there, and the exit status."""
    words = podman.making("run", "--rm", "--interactive", "--tty")
    assert on_terminal(podman, *words, IMAGE, "sh", "-c", "tty; exit 4") == (4, "/dev/pts/0\r\n")


def test_exec_on_a_terminal_gives_one(podman: Podman) -> None:
    """exec -it."""
    status, shown = on_terminal(podman, "exec", "--interactive", "--tty", RUNNING, "sh", "-c", "tty; exit 4")
    assert (status, shown) == (4, "/dev/pts/0\r\n")


def test_exec_runs_as_asked_and_exits_as_the_program_does(podman: Podman) -> None:
    """-u, -w, -e and -i."""
    script = 'id -u; pwd; echo "$SAID"; cat; exit 3'
    options = ["--user", "5", "--workdir", "/tmp", "--env", "SAID=so", "--interactive"]
    done = podman.call("exec", *options, RUNNING, "sh", "-c", script, given=b"input")
    assert (done.status, done.stdout, done.stderr) == (3, "5\n/tmp\nso\ninput", "")


@pytest.mark.parametrize(("program", "status"), [("nosuch", 127), ("/etc", 126)])
def test_exec_of_what_cannot_be_run_is_told_apart(podman: Podman, program: str, status: int) -> None:
    """As for run."""
    assert podman.call("exec", RUNNING, program).status == status


def test_a_detached_exec_goes_on_alone(podman: Podman) -> None:
    """-d: it is there, and did its work."""
    podman.succeed(
        "exec",
        "--detach",
        RUNNING,
        "sh",
        "-c",
        "sleep 0.1; echo done >/tmp/detached.new; mv /tmp/detached.new /tmp/detached",
    )
    wait_for(lambda: podman.call("exec", RUNNING, "cat", "/tmp/detached").stdout == "done\n", "the detached process")


def test_a_running_container_is_told_of(podman: Podman) -> None:
    """inspect, ps, top and logs."""
    state = podman.state(RUNNING)
    assert state["Status"] == "running"
    wait_for(lambda: Path(f"/proc/{state['Pid']}/cmdline").read_bytes() == b"sleep\x001000\x00", "the program's pid")
    assert podman.succeed("ps", "--format", "{{.Names}} {{.Status}}").startswith(f"{RUNNING} Up ")
    assert "sleep 1000" in podman.succeed("top", RUNNING, "args")
    done = podman.call("logs", RUNNING)
    assert (done.stdout, done.stderr) == ("told\n", "complained\n")


def test_pause_stops_and_unpause_goes_on(podman: Podman) -> None:
    """Meanwhile exec is refused."""
    podman.succeed("pause", RUNNING)
    try:
        assert podman.state(RUNNING)["Status"] == "paused"
        assert podman.call("exec", RUNNING, "true").status != 0
    finally:
        podman.succeed("unpause", RUNNING)
    assert podman.succeed("exec", RUNNING, "echo", "on") == "on\n"


def test_update_changes_limits_of_a_running_container(podman: Podman) -> None:
    """What is not named stays."""
    pids = of_cgroup("pids/pids.max", "pids.max")
    before = podman.succeed("exec", RUNNING, "sh", "-c", pids)
    podman.succeed("update", "--memory", "77m", "--cpu-shares", "512", RUNNING)
    memory, cpu = (of_cgroup("memory/memory.limit_in_bytes", "memory.max"), of_cgroup("cpu/cpu.shares", "cpu.weight"))
    seen = podman.succeed("exec", RUNNING, "sh", "-c", f"{memory}; {cpu}; {pids}")
    assert seen == f"{77 << 20}\n{59 if V2 else 512}\n{before}"
    assert podman.call("update", "--cpuset-cpus", "4000", RUNNING).status != 0
    assert podman.succeed("exec", RUNNING, "sh", "-c", memory) == f"{77 << 20}\n"


def test_stats_tells_what_a_container_uses(podman: Podman) -> None:
    """podman asks the cgroups that this runtime made."""
    (told,) = json.loads(podman.succeed("stats", "--no-stream", "--format", "json", RUNNING))
    assert (told["name"], int(told["pids"]) >= 1) == (RUNNING, True)


@requires("apparmor-profiles")
def test_podmans_own_profile_confines(podman: Podman) -> None:
    """It loads one where there is AppArmor; the program has it, and so has one of exec."""
    label = "containers-default-"
    done = podman.run((), "cat", "/proc/self/attr/current")
    assert done.stdout.startswith(label)
    assert done.stdout.endswith(" (enforce)\n")
    assert podman.succeed("exec", RUNNING, "cat", "/proc/self/attr/current") == done.stdout


def wait_for_output(podman: Podman, name: str, text: str) -> None:
    """Until a container has said this much."""
    wait_for(lambda: podman.succeed("logs", name) == text, f"{name} to say {text!r}")


def test_a_container_is_created_started_stopped_and_removed(podman: Podman) -> None:
    """It ends at TERM, by its own will; and a second start finds it as new."""
    script = "trap 'exit 7' TERM; echo up; while :; do sleep 0.02; done"
    podman.succeed(*podman.making("create", "--name", "stages"), IMAGE, "sh", "-c", script)
    for times in (1, 2):
        podman.succeed("start", "stages")
        wait_for_output(podman, "stages", "up\n" * times)
        podman.succeed("stop", "--time", "10", "stages")
        state = podman.state("stages")
        assert (state["Status"], state["ExitCode"], state["Pid"]) == ("exited", 7, 0)
    podman.succeed("rm", "stages")
    assert podman.call("inspect", "stages").status != 0


def test_kill_sends_the_signal(podman: Podman) -> None:
    """One that the program answers, then one that it cannot."""
    podman.start("victim", "sh", "-c", "trap 'echo usr1' USR1; echo up; while :; do sleep 0.02; done")
    wait_for_output(podman, "victim", "up\n")
    podman.succeed("kill", "--signal", "USR1", "victim")
    wait_for_output(podman, "victim", "up\nusr1\n")
    podman.succeed("kill", "victim")
    assert podman.succeed("wait", "victim") == "137\n"
    podman.succeed("rm", "victim")


def test_hooks_of_a_hooks_dir_run_in_their_order_and_know_the_container(podman: Podman, tmp_path: Path) -> None:
    """What podman finds there; it runs poststop itself, after delete."""
    stages = ("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop")
    for stage in stages:
        if stage != "startContainer":  # whose path is in the image
            write_hook(podman.hooks, stage, f"echo {stage} >>{tmp_path}/order; cat >{tmp_path}/{stage}")
        else:
            write_hook(podman.hooks, stage, f"echo {stage} >>/kept/order; cat >/kept/{stage}")
    try:
        done = podman.run(
            ["--volume", f"{tmp_path}:/kept", "--annotation", "a.b=c"], "sh", "-c", "echo program >>/kept/order"
        )
        assert (done.status, done.stderr) == (0, "")
        wait_for((tmp_path / "poststop").exists, "the poststop hook")
    finally:
        for file in podman.hooks.iterdir():
            file.unlink()
    order = (tmp_path / "order").read_text().split()
    # Newer ones hand prestart over as createRuntime, sorted by file name.
    assert (sorted(order[:2]), order[2:4]) == (["createRuntime", "prestart"], ["createContainer", "startContainer"])
    assert sorted(order[4:6]) == ["poststart", "program"]
    assert order[6:] == ["poststop"]
    told = {stage: mapping(json.loads((tmp_path / stage).read_text())) for stage in stages}
    statuses = [told[stage]["status"] for stage in stages]
    assert statuses == ["creating", "creating", "creating", "created", "running", "stopped"]
    assert len({str(state["id"]) for state in told.values()}) == 1
    assert annotation(told["createRuntime"]) == "c"


def annotation(state: object) -> Json:
    """The annotation that was given."""
    return mapping(mapping(state)["annotations"])["a.b"]  # type: ignore[arg-type]


def write_hook(folder: Path, stage: str, script: str) -> None:
    """A file of hooks.d that always matches: oci-hooks(5)."""
    hook = {"path": "/bin/sh", "args": ["sh", "-c", script], "env": ["PATH=/usr/bin:/bin"]}
    content = {"version": "1.0.0", "hook": hook, "when": {"always": True}, "stages": [stage]}
    (folder / f"{stage}.json").write_text(json.dumps(content))


def test_a_hook_that_fails_fails_the_run_and_says_which(podman: Podman) -> None:
    """The words of the hook come out of podman."""
    write_hook(podman.hooks, "createRuntime", "echo no such card >&2; exit 9")
    try:
        done = podman.run([], "true")
    finally:
        (podman.hooks / "createRuntime.json").unlink()
    told = "slinger: createRuntime hook #0 (/bin/sh): exit status 9: no such card"
    assert (done.status, told in done.stderr) == (126, True), done.stderr


@pytest.mark.complaint("elsewhere/no-hooks")
def test_devices_and_hooks_reach_containers_by_flags_of_the_runtime(podman: Podman, tmp_path: Path) -> None:
    """podman hands --runtime-flag to every call; here it knows of neither the device nor the hook."""
    (tmp_path / "cdi").mkdir()
    (tmp_path / "hooks").mkdir()
    edits = {"env": ["THING=1"], "deviceNodes": [{"path": "/dev/brimming", "hostPath": "/dev/full"}]}
    spec = {"cdiVersion": "0.6.0", "kind": "v.com/c", "devices": [{"name": "d", "containerEdits": edits}]}
    (tmp_path / "cdi" / "v.json").write_text(json.dumps(spec))
    hook = {"path": BUSYBOX, "args": ["busybox", "mkdir", "tmp/made"]}
    members = {"version": "1.0.0", "hook": hook, "when": {"commands": ["^sh$"]}, "stages": ["createContainer"]}
    (tmp_path / "hooks" / "h.json").write_text(json.dumps(members))
    flags = (f"hooks-dir={tmp_path}/hooks", f"cdi-spec-dir={tmp_path}/cdi", "cdi-device=v.com/c=d")
    words = podman.command(*(word for flag in flags for word in ("--runtime-flag", flag)))
    look = "echo $THING; stat -c %t,%T /dev/brimming; ls -d /tmp/made"
    done = subprocess.run(
        [*words, *podman.making("run", "--rm"), IMAGE, "sh", "-c", look],
        check=False,
        capture_output=True,
        text=True,
        env=podman.environment,
        stdin=subprocess.DEVNULL,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "1\n1,7\n/tmp/made\n", "")
