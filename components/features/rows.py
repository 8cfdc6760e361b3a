"""Row tables in the layout of `schemas.rows`: their schema, reading list columns, joining tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas import rows as contract

Features = Mapping[str, pa.DataType]
"""Feature columns as they are called in the item or user table -> string or float32."""


def schema(user_features: Features, item_features: Features) -> pa.Schema:
    """The row schema with these features; every column is a list."""
    columns: dict[str, pa.DataType] = dict(contract.SCALARS)
    columns |= {contract.USER_PREFIX + name: type_ for name, type_ in user_features.items()}
    columns |= contract.ITEM_LISTS
    columns |= {contract.ITEM_PREFIX + name: type_ for name, type_ in item_features.items()}
    columns |= dict.fromkeys(contract.TRENDS, pa.float32())
    columns |= contract.HISTORY_LISTS
    columns |= contract.EVENT_LISTS
    return pa.schema([(name, pa.list_(type_)) for name, type_ in columns.items()])


def empty_rows(layout: pa.Schema | None = None) -> pa.Table:
    """No rows; without features unless a layout is given."""
    return (layout or schema({}, {})).empty_table()


def lists(lengths: np.ndarray, values: pa.Array | np.ndarray, type_: pa.DataType) -> pa.ListArray:
    """A list column: row n holds the next `lengths[n]` of the flat values."""
    bounds = np.zeros(len(lengths) + 1, np.int32)
    np.cumsum(lengths, out=bounds[1:])
    flat = pa.array(values) if isinstance(values, np.ndarray) else values
    flat = flat.combine_chunks() if isinstance(flat, pa.ChunkedArray) else flat
    return pa.ListArray.from_arrays(pa.array(bounds), flat.cast(type_))


def _column(table: pa.Table, name: str) -> pa.ListArray:
    return table.column(name).combine_chunks()


def offsets(table: pa.Table, name: str) -> np.ndarray:
    """int64 [rows + 1]: row n's entries are `flat(table, name)[offsets[n]:offsets[n + 1]]`."""
    if not table.num_rows:
        return np.zeros(1, np.int64)
    bounds = _column(table, name).offsets.to_numpy().astype(np.int64)
    return bounds - bounds[0]


def flat(table: pa.Table, name: str) -> np.ndarray | pa.Array:
    """All entries of a list column, row after row: numbers as numpy, text as an Arrow array."""
    values = _column(table, name).flatten()
    return values if pa.types.is_string(values.type) else values.to_numpy(zero_copy_only=False)


def scalar(table: pa.Table, name: str) -> np.ndarray | pa.Array:
    """A scalar column, an entry a row: numbers as numpy (missing = NaN), text as Arrow (missing = null)."""
    bounds = offsets(table, name)
    values = _column(table, name).flatten()
    places = pa.array(bounds[:-1], mask=bounds[1:] == bounds[:-1])
    found = values.take(places)
    return found if pa.types.is_string(found.type) else found.to_numpy(zero_copy_only=False)


MOST_TEXT = 2**31 - 1
"""Bytes of text in one column of a table whose offsets are of 32 bits."""


def concat(tables: Iterable[pa.Table]) -> pa.Table:
    """All rows, one after another. Features that a table lacks are missing in its rows.

    ValueError where a feature has two types, or where rows hold more text than a column can.
    """
    tables = list(tables)
    if not tables:
        return empty_rows()
    columns: dict[str, pa.DataType] = {}
    for table in tables:
        for field in table.schema:
            if columns.setdefault(field.name, field.type) != field.type:
                raise ValueError(
                    f"column {field.name!r} is {field.type} in some rows and {columns[field.name]} in others:"
                    " keep the type of a feature, or give the changed one a new name"
                )
    whole = pa.concat_tables([_with_columns(table, columns) for table in tables])
    for name, type_ in columns.items():
        if pa.types.is_string(type_.value_type) and _text(whole.column(name)) > MOST_TEXT:
            raise ValueError(
                f"{whole.num_rows:,} rows have more than 2 GiB of text in {name!r}: bootstrap fewer days at"
                " once (the later ones are learned day by day), or lower features.row_history_items"
            )
    return whole.combine_chunks()


def _text(column: pa.ChunkedArray) -> int:
    """Bytes of text in a list column; counted where there might be too many alone."""
    if column.nbytes <= MOST_TEXT:
        return 0
    return sum(pc.sum(pc.binary_length(chunk.flatten())).as_py() or 0 for chunk in column.chunks)


def _with_columns(table: pa.Table, columns: Mapping[str, pa.DataType]) -> pa.Table:
    arrays = []
    for name, type_ in columns.items():
        if name in table.column_names:
            arrays.append(table.column(name))
        elif name.startswith(contract.USER_PREFIX):
            arrays.append(
                lists(np.zeros(table.num_rows, np.int64), pa.array([], type_.value_type), type_.value_type)
            )
        else:
            lengths = np.diff(offsets(table, "item_id"))
            gap = "" if pa.types.is_string(type_.value_type) else np.nan
            arrays.append(
                lists(lengths, pa.array([gap] * int(lengths.sum()), type_.value_type), type_.value_type)
            )
    return pa.Table.from_arrays(arrays, names=list(columns))


def gaps_filled(values: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    """Missing entries of an item feature as rows spell them: "" or NaN."""
    return pc.fill_null(values, "" if pa.types.is_string(values.type) else float("nan"))
