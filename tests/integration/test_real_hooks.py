"""Hooks as people write them: a network by iproute2, and an agent that answers for the container's system calls."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.bundles import REPOSITORY, Json
from tests.integration.box import INSIDE, Box
from tests.requires import requires

pytestmark = requires("root", "gcc")

# What a network plugin does: a pair of devices, one end into the container's namespace, by the pid of the state.
VETH: Final = """
set -e
state=$(cat)
pid=$(printf %s "$state" | jq .pid)
case $1 in
up)
    ip link add host0 type veth peer name inside0
    ip link set inside0 netns "$pid" name eth0
    ip address add 192.0.2.1/30 dev host0
    ip link set host0 up
    nsenter --net="/proc/$pid/ns/net" sh -c \
        "ip address add 192.0.2.2/30 dev eth0; ip link set eth0 up; ip route add default via 192.0.2.1"
    ;;
down)
    ip link show host0 >/dev/null 2>&1 && ip link delete host0
    echo down >"$(printf %s "$state" | jq -r .bundle)/network"
    ;;
esac
"""
# An agent that is there when the hook returns, and stays.
AGENT: Final = """
import os, sys, time
from errno import EADDRNOTAVAIL
from pathlib import Path
from tests.integration.notify_agent import Agent
ready, waiting = os.pipe()
if os.fork():
    os.close(waiting)
    sys.exit(os.read(ready, 1) != b"r")
with Agent(Path(sys.argv[1]), EADDRNOTAVAIL) as agent:
    os.setsid()
    os.write(waiting, b"r")
    while not agent.answered:
        time.sleep(0.01)
"""
SYSTEM: Final = "PATH=/usr/sbin:/usr/bin:/sbin:/bin"


def script(box: Box, name: str, text: str) -> str:
    """A file beside the bundle."""
    path = Path(box.calls, name)
    path.write_text(text)
    return str(path)


@requires("ip", "jq")
def test_a_hook_gives_the_container_a_network(box: Box) -> None:
    """createRuntime moves one end of a pair of devices into the container and sets it up; poststop ends the pair."""
    path = script(box, "veth", VETH)

    def hook(word: str) -> list[Json]:
        return [{"path": "/bin/sh", "args": ["sh", path, word], "env": [SYSTEM], "timeout": 10}]

    files = ["/proc/net/dev", "/proc/net/route", "/proc/net/fib_trie"]
    hooks: dict[str, Json] = {"createRuntime": hook("up"), "poststop": hook("down")}
    box.configure({"process.args": [INSIDE, "cat", *files], "hooks": hooks})
    # The host of this container is a network namespace of the test's own.
    words = ["unshare", "--net", *box.command(*box.running())]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "eth0:" in done.stdout
    assert "192.0.2.2" in done.stdout
    gateway = "010200C0"
    assert [line.split()[2] for line in done.stdout.splitlines() if line.startswith("eth0\t00000000")] == [gateway]
    assert (box.directory / "network").read_text() == "down\n"


@requires("libseccomp")
@pytest.mark.parametrize("stage", ["createRuntime", "startContainer"])
def test_a_hook_starts_the_agent_that_the_seccomp_profile_needs(box: Box, stage: str) -> None:
    """Before the filter is loaded; the hook ends, and the agent answers for the program."""
    listener = Path(box.calls, "agent")
    agent = script(box, "agent.py", AGENT)
    environment: Json = [SYSTEM, f"PYTHONPATH={REPOSITORY}"]
    hook: dict[str, Json] = {"path": sys.executable, "args": ["python", agent, str(listener)], "env": environment}
    other: dict[str, Json] = {"path": INSIDE, "args": ["payload", "true"]}
    rules: Json = [{"names": ["mkdirat"], "action": "SCMP_ACT_NOTIFY"}]
    profile: Json = {"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": str(listener), "syscalls": rules}
    hooks: dict[str, Json] = {"createRuntime": [hook]}
    if stage == "startContainer":
        hooks["startContainer"] = [other]  # it runs before the filter too, and asks nobody
    program: Json = [INSIDE, "try-syscall", "mkdirat", "getpid"]
    box.configure({"process.args": program, "linux.seccomp": profile, "hooks": hooks})
    out = box.succeed(*box.running())
    assert '"mkdirat":"EADDRNOTAVAIL"' in out.replace(" ", "")
