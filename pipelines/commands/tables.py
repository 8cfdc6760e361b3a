"""How commands print tables."""

from __future__ import annotations

from rich.box import SIMPLE
from rich.table import Table


def narrow(*columns: str) -> Table:
    """A table of seven short columns fits a terminal of 80."""
    return Table(*columns, box=SIMPLE, padding=(0, 1, 0, 0))
