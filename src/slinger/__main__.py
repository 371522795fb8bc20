"""``python -m slinger``: the command without its launcher."""

from __future__ import annotations

from slinger.cli import main

main()
