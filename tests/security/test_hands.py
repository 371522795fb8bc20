"""The runtime's own processes: what a container can reach of them, and what it inherits from them."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

from slinger.host.probe import permitted_capabilities
from slinger.linux.capabilities import CAPABILITIES
from tests.bundles import Json, mapping
from tests.integration.box import INSIDE, Box
from tests.requires import requires

pytestmark = requires("root")

EXECS: Final = 12
SELF_EXE: Final = "/proc/self/exe"


@pytest.fixture
def hands(slinger: str) -> Iterator[Path]:
    """The installed hands, which must be the same afterwards; put back if they are not."""
    (path,) = Path(slinger).parent.parent.glob("lib/python3.*/site-packages/slinger/libexec/slinger-init")
    before = path.read_bytes()
    yield path
    after = hashlib.sha256(path.read_bytes()).hexdigest()
    if after != hashlib.sha256(before).hexdigest():
        path.unlink()
        path.write_bytes(before)
        path.chmod(0o755)
        pytest.fail("the runtime's program was overwritten")


@pytest.mark.usefixtures("hands")
def test_an_image_that_runs_proc_self_exe_gets_a_sealed_copy(box: Box) -> None:
    """CVE-2019-5736: what runs then is the hands, which refuse to work without a plan, from a memfd."""
    box.configure({"process.args": [SELF_EXE]})
    assert box.call(*box.running()).status == 64
    script = box.bundle.rootfs / "bin/script"
    script.write_text(f"#!{SELF_EXE}\n")
    script.chmod(0o755)
    box.configure({"process.args": ["/bin/script"]})
    assert box.call(*box.running()).status == 64


def watched(box: Box, capabilities: Json) -> Mapping[str, Json]:
    """What a process of the container could reach of the processes that enter it by exec."""
    caps: Json = dict.fromkeys(("bounding", "effective", "permitted"), capabilities)
    args = [INSIDE, "attack-watch", "/tmp/end", "20"]
    box.configure({"process.args": args, "process.capabilities": caps})
    # Not by run: its outer process would keep the program in use, and so from being written, until the end.
    process, name = box.launch(*box.creating())
    assert box.end_of(process, name).status == 0
    box.start()
    for _ in range(EXECS):
        box.succeed("exec", box.id, INSIDE, "true")
    (box.bundle.rootfs / "tmp/end").touch()
    box.wait_status("stopped")
    told = mapping(json.loads(Path(f"{name}.out").read_text()))
    assert isinstance(told["seen"], int)
    assert told["seen"] > 0, "the attacker saw none of them"
    return told


@pytest.mark.usefixtures("hands")
def test_nothing_of_a_process_that_enters_can_be_opened(box: Box) -> None:
    """CVE-2016-9962: not its descriptors, directories, program or memory, as long as it is the runtime's."""
    told = watched(box, ["CAP_KILL", "CAP_DAC_OVERRIDE", "CAP_CHOWN"])
    assert told["reached"] == []


@pytest.mark.usefixtures("hands")
def test_a_container_that_may_trace_cannot_overwrite_the_runtime(box: Box) -> None:
    """CVE-2019-5736: with CAP_SYS_PTRACE the program can be opened, and it is a sealed copy."""
    ours = permitted_capabilities()
    told = watched(box, [name for name, number in CAPABILITIES.items() if ours >> number & 1])
    assert told["overwrite"] in {"EPERM", "ETXTBSY", "EACCES"}


def descriptors(pid: int) -> dict[int, str]:
    """Number -> what it leads to."""
    return {int(name): os.readlink(f"/proc/{pid}/fd/{name}") for name in os.listdir(f"/proc/{pid}/fd")}


def test_a_waiting_init_holds_nothing_of_the_host(box: Box) -> None:
    """CVE-2024-21626, CVE-2016-9962: the caller's descriptors are gone, no directory of the host is among ours."""
    box.configure({"process.args": [INSIDE, "fds"]})
    done = box.call(*box.creating(), open_fds=6)
    assert (done.status, done.stderr) == (0, "")
    pid = box.pid()
    others = {target for number, target in descriptors(pid).items() if number > 2}
    assert "/dev/null" not in others
    assert {target for target in others if target.startswith("/")} <= {"/", "/proc"}
    assert os.readlink(f"/proc/{pid}/cwd") == str(Path("/"))
    box.start()


@pytest.mark.parametrize("verb", ["run", "exec"])
def test_the_program_has_stdio_and_nothing_else(box: Box, verb: str) -> None:
    """CVE-2024-21626, CVE-2016-9962: with a log, and with what the caller left open."""
    log = ("--log", str(box.calls / "log"), "--debug")
    if verb == "run":
        box.configure({"process.args": [INSIDE, "fds"]})
        done = box.call(*log, *box.running(), open_fds=6)
    else:
        box.configure({"process.args": [INSIDE, "sleep", "60"]})
        box.create()
        box.start()
        done = box.call(*log, "exec", box.id, INSIDE, "fds", open_fds=6)
    assert done.status == 0
    assert sorted(mapping(mapping(json.loads(done.stdout))["descriptors"])) == ["0", "1", "2"]


@pytest.mark.parametrize("preserved", [0, 1])
def test_a_working_directory_by_a_descriptor_is_refused(box: Box, preserved: int) -> None:
    """CVE-2024-21626: /proc/self/fd/N, whatever N is, even when the caller hands a directory of the host on."""
    for number in (3, 4, 5, 6, 7, 8, 9, 10):
        box.configure({"process.cwd": f"/proc/self/fd/{number}", "process.args": [INSIDE, "true"]})
        command = box.command(*box.running(f"--preserve-fds={preserved}"))
        shell = ["/bin/sh", "-c", 'exec "$@" 3</', "sh", *command]
        done = subprocess.run(shell, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=30)
        assert done.returncode == 1, done
        assert "process.cwd (/proc/self/fd/" in done.stderr


def test_exec_with_a_working_directory_by_a_descriptor_is_refused(box: Box) -> None:
    """CVE-2024-21626: exec --cwd as well, and by way of a symlink of the image's."""
    (box.bundle.rootfs / "detour").symlink_to("/proc/self/fd/3")
    box.configure({"process.args": [INSIDE, "sleep", "60"]})
    box.create()
    box.start()
    for cwd in ("/proc/self/fd/3", "/proc/self/fd/7", "/detour", "/proc/self/cwd"):
        command = box.command("exec", "--preserve-fds=1", "--cwd", cwd, box.id, INSIDE, "true")
        shell = ["/bin/sh", "-c", 'exec "$@" 3</', "sh", *command]
        done = subprocess.run(shell, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=30)
        assert done.returncode == 255
        assert f"process.cwd ({cwd}): chdir: " in done.stderr


def test_the_hands_load_nothing(hands: Path) -> None:
    """They are static: no loader, so no LD_PRELOAD or LD_LIBRARY_PATH reaches them, wherever it is set."""
    said = subprocess.run(["readelf", "-lW", str(hands)], capture_output=True, text=True, check=True).stdout
    assert "INTERP" not in said
    assert "DYNAMIC" not in said


@pytest.mark.complaint("environment/preload")
@requires("gcc")
def test_a_preloaded_library_is_loaded_by_the_hook_it_was_given_to_and_no_other(box: Box, tmp_path: Path) -> None:
    """LD_PRELOAD in a hook's env and in process.env: the runtime's own processes load neither."""
    source = tmp_path / "evil.c"
    source.write_text(
        "#include <fcntl.h>\n#include <unistd.h>\n"
        "__attribute__((constructor)) static void evil(void) { char b[512]; ssize_t n;\n"
        f'int fd = open("{tmp_path}/loaded", O_WRONLY | O_APPEND | O_CREAT, 0666);\n'
        "n = readlink(\"/proc/self/exe\", b, sizeof b - 1); if (n < 0) n = 0; b[n++] = '\\n';\n"
        "if (write(fd, b, n) < 0) _exit(9); close(fd); }\n"
    )
    library = box.bundle.rootfs / "evil.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", str(library), str(source)], check=True)
    env = ["LD_PRELOAD=/evil.so", f"LD_LIBRARY_PATH={box.bundle.rootfs}"]
    hook: Json = {"path": "/bin/true", "env": [f"LD_PRELOAD={library}", f"LD_LIBRARY_PATH={box.bundle.rootfs}"]}
    box.configure({"process.args": [INSIDE, "true"], "process.env+": env, "hooks": {"createRuntime": [hook]}})
    box.create()
    assert Path(f"/proc/{box.pid()}/environ").read_bytes() == b""
    box.start()
    box.wait_status("stopped")
    assert (tmp_path / "loaded").read_text().splitlines() == [os.path.realpath("/bin/true")]
