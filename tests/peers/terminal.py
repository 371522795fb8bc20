"""Call a runtime that makes a terminal whose master side is ours: --console-socket, as engines do."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping
from pathlib import Path

from tests.bundles import Bundle, Json, Outcome, Runtime, changed, runtime_at

WAIT = 10.0


def run_with_terminal(program: str, bundle: Bundle, *options: str) -> Outcome:
    """Run the bundle with process.terminal; stdout is what the program wrote to its terminal."""
    config: Mapping[str, Json] = json.loads((bundle.directory / "config.json").read_text())
    bundle.write_config(changed(config, {"process.terminal": True}))
    with runtime_at(program, bundle.directory / "state") as runtime:
        arguments = ("--detach", "--bundle", str(bundle.directory), bundle.container)
        return with_terminal(runtime, bundle.directory / "console", "run", *options, *arguments)


def with_terminal(runtime: Runtime, path: Path, verb: str, *arguments: str) -> Outcome:
    """Call the verb with a console socket at the path; stdout is what is written to the terminal.

    TimeoutError when the runtime succeeds and sends no terminal.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen(1)
        outcome = runtime.call(verb, "--console-socket", str(path), *arguments)
        path.unlink()
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
