"""Where others' packages are: the launcher starts Python without their directories, which cost a start most."""

from __future__ import annotations

import sys


def ensure_sites() -> None:
    """Have what is imported from now on be looked for where other packages are, which need not be where ours is."""
    if sys.flags.no_site and "site" not in sys.modules:
        import site  # noqa: PLC0415 - three quarters of a start, so only who needs it has it

        site.main()
