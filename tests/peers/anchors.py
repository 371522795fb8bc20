"""Namespaces that tests can join: waiting processes of ours that hold them open."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Generator
from pathlib import Path
from typing import Final

from tests.payload.build import build_payload
from tests.peers.case import MAPPED_OWNER

KINDS: Final = ("net", "ipc", "uts", "pid", "cgroup", "time")


@contextlib.contextmanager
def _waiting(*flags: str) -> Generator[int]:
    """Start a process in new namespaces and give its pid; it ends with the block."""
    command = ["unshare", *flags, "--fork", "--kill-child", str(build_payload()), "pause"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            if process.stdout is None or process.stdout.readline() != "ready\n":
                raise RuntimeError(f"{' '.join(command)}: did not start")
            yield int(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text())
        finally:
            process.kill()


@contextlib.contextmanager
def anchors() -> Generator[dict[str, str]]:
    """Give the paths of the namespaces by placeholder: @NET@ ... @TIME@, @USER@, and @UTS2@, which gets other names."""
    kinds = ("--net", "--ipc", "--uts", "--pid", "--cgroup", "--time")
    with _waiting(*kinds) as plain, _waiting("--user") as mapped, _waiting("--uts") as named:
        for name in ("uid_map", "gid_map"):
            Path(f"/proc/{mapped}/{name}").write_text(f"0 {MAPPED_OWNER} 65536\n")
        paths = {f"@{kind.upper()}@": f"/proc/{plain}/ns/{kind}" for kind in KINDS}
        yield paths | {"@USER@": f"/proc/{mapped}/ns/user", "@UTS2@": f"/proc/{named}/ns/uts"}
