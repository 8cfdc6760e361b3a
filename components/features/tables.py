"""The item and user tables as the features step sees them: an id, reserved columns, typed features."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schemas import rows as contract
from schemas.events import ITEM_KEY, ITEM_RESERVED, USER_KEY, USER_RESERVED

_OWN_ITEM_COLUMNS = ("price_before", "first_span", "announced")
_OWN_USER_COLUMNS = ("first_span",)
_SPAN_COLUMNS = ("available_from", "available_until")


def read_table(path: str | Path | None) -> pa.Table | None:
    """The Parquet table at `path` or `path#anything`; None where there is none (both tables are optional)."""
    place = Path(str(path or "").partition("#")[0])
    return pq.read_table(place) if place.is_file() else None


def item_table(table: pa.Table | None) -> pa.Table:
    """`item_id`, `name` (text), `available_from` and `available_until` (spans or null), `price`, features."""
    typed = _typed(table, ITEM_KEY, ITEM_RESERVED, _OWN_ITEM_COLUMNS, contract.ITEM_PREFIX)
    for name in _SPAN_COLUMNS:
        if name in typed.column_names:
            position = typed.column_names.index(name)
            typed = typed.set_column(position, name, _spans(typed.column(position), name))
    return typed


def user_table(table: pa.Table | None) -> pa.Table:
    """`user_id` and features."""
    return _typed(table, USER_KEY, USER_RESERVED, _OWN_USER_COLUMNS, contract.USER_PREFIX)


def _typed(
    table: pa.Table | None, key: str, reserved: tuple[str, ...], own: tuple[str, ...], prefix: str
) -> pa.Table:
    """Text columns as string, numbers as float32 (dates as days since 1970), ids unique and present."""
    kind = prefix.rstrip("_")
    if table is None:
        return pa.table({key: pa.array([], pa.string())})
    if key not in table.column_names:
        raise ValueError(f"the {kind} table has no column {key}: name its id column so")
    table = table.filter(pc.is_valid(table.column(key)))
    columns = {key: table.column(key).cast(pa.string())}
    counts = columns[key].value_counts()
    if len(counts) and pc.max(counts.field("counts")).as_py() > 1:
        twice = counts.filter(pc.greater(counts.field("counts"), 1))[0]["values"].as_py()
        raise ValueError(f"the {kind} table has {key} {twice!r} more than once: keep one row an id")
    contract_names = set(contract.features_of(table.column_names, ""))  # names that are no contract columns
    for name in table.column_names:
        column = table.column(name)
        if name == key:
            continue
        if name in _SPAN_COLUMNS and name in reserved:
            columns[name] = column
        elif name == "name":
            columns[name] = column.cast(pa.string())
        elif name in own or not contract.features_of([prefix + name], prefix) or name not in contract_names:
            raise ValueError(f"column {name!r} of the {kind} table has a name of Everlearn's own: rename it")
        else:
            columns[name] = _feature(column, name, kind)
    return pa.table(columns)


def _feature(column: pa.ChunkedArray, name: str, kind: str) -> pa.ChunkedArray:
    type_ = column.type
    if pa.types.is_dictionary(type_):
        column, type_ = column.cast(type_.value_type), type_.value_type
    if pa.types.is_string(type_) or pa.types.is_large_string(type_) or pa.types.is_boolean(type_):
        return column.cast(pa.string())
    if pa.types.is_null(type_):
        return column.cast(pa.float32())
    if pa.types.is_temporal(type_) and not pa.types.is_time(type_) and not pa.types.is_duration(type_):
        return (
            column.cast(pa.timestamp("us"), safe=False)
            .cast(pa.date32(), safe=False)
            .cast(pa.int32())
            .cast(pa.float32(), safe=False)
        )
    if pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_):
        numbers = column.cast(pa.float64(), safe=False)
        return pc.if_else(pc.is_finite(numbers), numbers, None).cast(pa.float32(), safe=False)
    raise ValueError(f"column {name!r} of the {kind} table is of type {type_}: make it text or a number")


def _spans(column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    try:
        days = column.cast(pa.timestamp("us"), safe=False).cast(pa.date32(), safe=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise ValueError(
            f"column {name!r} of the item table holds no dates: write them as YYYY-MM-DD"
        ) from None
    return days.cast(pa.int32()).cast(pa.int64())
