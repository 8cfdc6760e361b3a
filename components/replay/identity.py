"""Who a row is, and its place in a seeded lottery: pure functions of the row, so that order never matters."""

from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa

from components.features.rows import scalar

KEY = ("user_id", "span", "timestamp")
"""A row is a user at a moment; tables of rows are sorted by these."""


def canonical(rows: pa.Table) -> pa.Table:
    """The rows sorted by user, span and timestamp, each row once (the first of equal keys stays)."""
    return rows.take(pa.array(canonical_order(rows)))


def canonical_order(rows: pa.Table) -> np.ndarray:
    """int64: the places of the rows that `canonical` keeps, in its order."""
    keys = pa.table({name: scalar(rows, name) for name in KEY})
    keys = keys.append_column("row", pa.array(np.arange(rows.num_rows)))
    order = keys.sort_by([(name, "ascending") for name in (*KEY, "row")])
    same = np.ones(max(rows.num_rows - 1, 0), bool)
    for name in KEY:
        values = order.column(name).to_numpy()
        same &= values[1:] == values[:-1]
    keep = np.concatenate([[True], ~same])[: rows.num_rows]
    return order.column("row").to_numpy()[keep]


def priorities(rows: pa.Table, *salt: int) -> np.ndarray:
    """uint64 [n], uniform and independent between rows and between salts: the first 8 bytes of BLAKE2b."""
    prefix = hashlib.blake2b("\0".join(map(str, salt)).encode(), digest_size=8)

    def draw(user: str, span: int, timestamp: int) -> int:
        one = prefix.copy()
        one.update(f"\0{span}\0{timestamp}\0{user}".encode())
        return int.from_bytes(one.digest(), "big")

    columns = (scalar(rows, name).tolist() for name in KEY)
    return np.fromiter(map(draw, *columns), dtype=np.uint64, count=rows.num_rows)
