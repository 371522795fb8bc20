"""Containers under test as a Python program has them: through the library, in this process."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

from slinger import Bundle, Container
from tests import leftovers
from tests.bundles import make_rootfs, unique_id

PROGRAM = "/bin/payload"


class Shop:
    """Bundles and containers on one root file system and one state root."""

    def __init__(self, directory: Path) -> None:
        self.rootfs = directory / "rootfs"
        self.root = str(directory / "state")
        make_rootfs(self.rootfs)

    def bundle(self, *words: str, **options: Any) -> Bundle:
        """A temporary bundle in which the payload gets these words."""
        return Bundle.make(rootfs=self.rootfs, args=[PROGRAM, *words], **options)

    def create(self, bundle: str | os.PathLike[str], container_id: str = "", **options: Any) -> Container:
        """A container from it, with an id of its own unless one is given."""
        return Container.create(container_id or unique_id(), bundle, root=self.root, **options)

    @contextlib.contextmanager
    def started(self, *words: str, **options: Any) -> Generator[Container]:
        """A container that runs the payload with these words; deleted in the end."""
        with self.bundle(*words) as bundle, self.create(bundle, **options) as container:
            container.start()
            yield container

    def left(self) -> list[str]:
        """Directories and cgroups of containers. No container's name begins with a dot: that is a cache."""
        names = os.listdir(self.root) if os.path.exists(self.root) else []
        return [*(name for name in names if not name.startswith(".")), *leftovers.cgroups()]


def children() -> list[int]:
    """The pids of our children, the dead ones that nobody has collected too."""
    threads = Path("/proc/self/task").glob("*/children")
    return [int(pid) for file in threads for pid in file.read_text(encoding="ascii").split()]
