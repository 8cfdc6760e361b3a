"""A digest of a table's content that does not depend on chunks, slices or file formats."""

from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def of_table(table: pa.Table) -> str:
    """SHA-256 over names, types, missing values and values of flat (text, number, time) columns."""
    total = hashlib.sha256()
    for field in table.schema:
        total.update(f"{field.name}\0{field.type}\0{table.num_rows}\0".encode())
        column = table.column(field.name)
        total.update(np.packbits(column.is_null().to_numpy()).tobytes())
        if pa.types.is_string(field.type):
            filled = column.fill_null("").combine_chunks()
            total.update(pc.binary_length(filled).to_numpy().tobytes())
            start, end = _text_bounds(filled)
            total.update(memoryview(filled.buffers()[2] or b"")[start:end])
        else:
            if pa.types.is_timestamp(field.type):
                column = column.cast(pa.int64())
            total.update(column.fill_null(0).to_numpy().tobytes())
    return total.hexdigest()


def _text_bounds(text: pa.StringArray) -> tuple[int, int]:
    """The bytes of the values buffer that belong to this (perhaps sliced) array."""
    if not len(text):
        return 0, 0
    offsets = np.frombuffer(text.buffers()[1], np.int32)[text.offset : text.offset + len(text) + 1]
    return int(offsets[0]), int(offsets[-1])
