"""A source file as a relation to select from: how it is written, its columns, its broken rows."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SHOWN = 500
"""Characters of a list of columns in a message."""


@dataclass(frozen=True)
class FileFormat:
    """How a text file is written. What is None is found out: the delimiter from the header, UTF-8 or the
    byte order mark as encoding, column names in the first line."""

    delimiter: str | None = None
    encoding: str | None = None
    columns: tuple[str, ...] | None = None
    decimal: str = "."
    """What parts whole numbers from fractions: `.`, or `,` (then a `.` groups thousands)."""

    def __post_init__(self) -> None:
        if self.decimal not in (".", ","):
            raise ValueError(f"decimal {self.decimal!r} is neither '.' nor ',': take one of them")


AS_FOUND = FileFormat()


@dataclass(frozen=True)
class Column:
    """An SQL expression over a source's relation, and its DuckDB type."""

    sql: str
    type: str = "VARCHAR"


@dataclass(frozen=True)
class CsvText:
    """The readable copy of a CSV file, and how it is written."""

    place: Path
    delimiter: str
    has_header: bool


@dataclass(frozen=True)
class Source:
    """A file to select from. `relation`, to be called `source`, has a column `row_` (1 = the first row of
    data) beside `columns`; `flaw` is an SQL text: why a row is broken as a row, or NULL; `raw` is then the
    row as it was found."""

    path: Path
    relation: str
    columns: Mapping[str, Column]
    flaw: str = "CAST(NULL AS VARCHAR)"
    raw: str = "CAST(NULL AS VARCHAR)"
    text: CsvText | None = None

    def column(self, name: str) -> Column:
        """The column of that name; ValueError names those that there are, or says that it is nested."""
        if name not in self.columns:
            close = difflib.get_close_matches(name.lower(), [one.lower() for one in self.columns], 1, 0.7)
            meant = next((f", did you mean {one!r}?" for one in self.columns if one.lower() in close), "")
            raise ValueError(
                f"{self.path} has no column {name!r}: it has {', '.join(self.columns)[:SHOWN]}"
                f"{meant or ', name one of these'}"
            )
        found = self.columns[name]
        if found.type.endswith("]") or found.type.startswith(("STRUCT", "MAP", "UNION")):
            raise ValueError(
                f"{self.path} holds lists or structs in column {name!r}: name one of plain values"
            )
        return found


def sentence(error: Exception) -> str:
    """The first line of a library's error."""
    return str(error).strip().splitlines()[0].removeprefix("Invalid Input Error: ").rstrip(".")
