"""Run a bundle with a terminal whose master side is ours: `run --detach --console-socket`, as engines do."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping

from tests.bundles import Bundle, Json, Outcome, changed, runtime_at

WAIT = 10.0


def run_with_terminal(program: str, bundle: Bundle, *options: str) -> Outcome:
    """Run the bundle with process.terminal; stdout is what the program wrote to its terminal.

    TimeoutError when the runtime succeeds and sends no terminal.
    """
    path = bundle.directory / "console"
    config: Mapping[str, Json] = json.loads((bundle.directory / "config.json").read_text())
    bundle.write_config(changed(config, {"process.terminal": True}))
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener,
        runtime_at(program, bundle.directory / "state") as runtime,
    ):
        listener.bind(str(path))
        listener.listen(1)
        arguments = ("--detach", "--console-socket", str(path), "--bundle", str(bundle.directory), bundle.container)
        outcome = runtime.call("run", *options, *arguments)
        if outcome.status != 0:
            return outcome
        listener.settimeout(WAIT)
        connection, _ = listener.accept()
        with connection:
            _, (master, *_), _, _ = socket.recv_fds(connection, 4096, 1)
        return Outcome(status=0, stdout=_all_of(master), stderr=outcome.stderr)


def _all_of(master: int) -> str:
    """Read a terminal's master side to its end, which is EIO."""
    with os.fdopen(master, "rb", buffering=0) as file:
        pieces: list[bytes] = []
        try:
            while piece := file.read(65536):
                pieces.append(piece)
        except OSError:
            pass
        return b"".join(pieces).decode()
