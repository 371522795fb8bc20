"""The table of ``slinger stats`` on a terminal, redrawn in place by rich."""

from __future__ import annotations

import time

from slinger.errors import HostError
from slinger.host.sites import ensure_sites
from slinger.verbs.stats import HEAD, RIGHT, Sample, row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.table import Table

MISSING = "slinger stats: the table that refreshes itself needs the Python package rich"
HINT = "apt-get install python3-rich, or pip install 'slinger[stats]'; --once does without"


def live(now: list[Sample], interval: float, again: Callable[[list[Sample]], list[Sample]]) -> None:
    """Draw the samples, and new ones every ``interval`` seconds until there are none. HostError without rich."""
    ensure_sites()
    try:
        from rich.live import Live  # noqa: PLC0415 - what all other verbs do without
    except ImportError:
        raise HostError(MISSING, hint=HINT) from None
    with Live(drawn(now), auto_refresh=False) as screen:
        while now:
            time.sleep(interval)
            now = again(now)
            screen.update(drawn(now), refresh=True)


def drawn(samples: list[Sample]) -> Table:
    """The samples as a table of rich's."""
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in HEAD:
        table.add_column(name, justify="right" if name in RIGHT else "left", no_wrap=True)
    for each in samples:
        # As text and not as a string, in which rich would look for markup.
        table.add_row(*(Text(cell) for cell in row(each)))
    return table
