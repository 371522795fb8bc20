"""The machine: qemu emulates a processor that has what this one may lack, and Debian boots on it.

    for line in Machine().run(job, output):    # lines of JSON that the job has told

Three ways lead out: the console (kernel and systemd, kept in a file, whose end is in the text of every failure), the
port slinger.output (what the job prints) and the port slinger.reports (one JSON object a line).
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from tests.vm.image import Image, image
from tests.vm.project import Job, make_disk

BOOT: Final = 300.0  # seconds; some 20 on an idle machine
MEMORY: Final = "3072"
KERNEL: Final = (
    *("root=/dev/vda", "rw", "console=ttyS0", "panic=-1", "mitigations=off", "modprobe.blacklist=kvm_amd,ata_piix"),
    *("systemd.unified_cgroup_hierarchy=1", "apparmor=1", "security=apparmor", "systemd.default_timeout_start_sec=300"),
)
Told = Mapping[str, Any]


class MachineError(Exception):
    """The machine did not do its job; the text has the end of its console."""


class Machine:
    """One boot. `seconds`: how long all of it may take; `console`: where the console's text goes."""

    def __init__(self, seconds: float, console: Path) -> None:
        self.seconds = seconds
        self.console = console

    def run(self, job: Job, output: Callable[[bytes], object]) -> Iterator[Told]:
        """Boot, do the job, and power off: what it tells, last {"status": N}. MachineError, ImageError."""
        base = image()
        with tempfile.TemporaryDirectory(prefix="slinger-vm-", dir="/var/tmp") as place:
            disk = Path(place, "project.ext4")
            make_disk(disk, job, base.python)
            with contextlib.closing(self._lines(base, disk, job, output)) as lines:
                yield from lines

    def _lines(self, base: Image, disk: Path, job: Job, output: Callable[[bytes], object]) -> Generator[Told]:
        reports, reported = os.pipe()
        words, printed = os.pipe()
        command = self._command(base, disk, job, {"reports": reported, "output": printed})
        with open(disk.with_name("qemu"), "w+b") as errors:
            process = subprocess.Popen(
                command,
                stdin=None if job.terminal else subprocess.DEVNULL,
                stdout=None if job.terminal else errors,
                stderr=errors,
                pass_fds=(reported, printed),
                env={**os.environ, "TMPDIR": str(disk.parent)},  # what is written to the root file system
            )
            try:
                for fd in (reported, printed):
                    os.close(fd)
                yield from self._follow(reports, words, output)
            finally:
                process.kill()
                process.wait()
                for fd in (reports, words):
                    os.close(fd)
                errors.seek(0)
                self.said = errors.read().decode(errors="replace")

    def _follow(self, reports: int, words: int, output: Callable[[bytes], object]) -> Iterator[Told]:
        """Read both ports until the machine has closed them, or its time is over."""
        begun, rest, told = time.monotonic(), b"", ""
        with selectors.DefaultSelector() as selector:
            for fd in (reports, words):
                selector.register(fd, selectors.EVENT_READ)
            while selector.get_map():
                left = begun + (self.seconds if told else min(BOOT, self.seconds)) - time.monotonic()
                if left <= 0:
                    raise MachineError(self._failure("its job took too long" if told else "it does not come up"))
                for key, _ in selector.select(left):
                    data = os.read(key.fd, 1 << 16)
                    if not data:
                        selector.unregister(key.fd)
                    elif key.fd == words:
                        output(data)
                    else:
                        *lines, rest = (rest + data).split(b"\n")
                        for line in lines:
                            one = json.loads(line)
                            told = next(iter(one))
                            yield one
        if told != "status":
            raise MachineError(self._failure("it went off in the middle of its job"))

    def _command(self, base: Image, disk: Path, job: Job, ports: Mapping[str, int]) -> list[str]:
        drives = {base.root: "snapshot=on", disk: "snapshot=off"}
        terminal = ("-chardev", "stdio,id=terminal,signal=off", "-device", "virtconsole,chardev=terminal")
        return [
            *("qemu-system-x86_64", "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"),
            *("-machine", "pc", "-accel", "tcg,thread=multi,tb-size=512", "-cpu", "max"),
            *("-smp", "2", "-m", MEMORY),
            *("-kernel", str(base.kernel), "-initrd", str(base.initrd), "-append", " ".join(KERNEL)),
            *(
                word
                for file, snapshot in drives.items()
                for word in ("-drive", f"file={file},format=raw,if=virtio,cache=unsafe,{snapshot}")
            ),
            *("-device", "virtio-rng-pci", "-serial", f"file:{self.console}", "-device", "virtio-serial-pci"),
            *(terminal if job.terminal else ()),
            *(
                word
                for name, fd in ports.items()
                for word in (
                    *("-chardev", f"file,id={name},path=/dev/fd/{fd}"),
                    *("-device", f"virtserialport,chardev={name},name=slinger.{name}"),
                )
            ),
        ]

    def _failure(self, what: str) -> str:
        lines = self.console.read_text("utf-8", errors="replace").replace("\r", "").splitlines()
        return "\n".join((f"the second machine: {what}; the end of its console ({self.console}):", *lines[-40:]))
