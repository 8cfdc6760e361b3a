"""Which days come how and when, and what is in them then: all drawn from one seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.spans import MICROS_PER_DAY, start_of

TIDY, LATE, MISSING, TWICE, CORRECTED = "tidy", "late", "missing", "twice", "corrected"
TINY, EMPTY, TENFOLD = "tiny", "empty", "tenfold"
DISORDERS = (LATE, MISSING, TWICE, CORRECTED, TINY, EMPTY, TENFOLD)
SHARE = 0.6
"""Of the days that do not come as they should."""
TINY_EVENTS = 5
WITHDRAWN, ADDED = 0.10, 0.05
"""Of a day's events, by its correction."""


@dataclass(frozen=True)
class Delivery:
    """The files of `day`, brought in on the evening of `on`."""

    on: int
    day: int
    kind: str
    again: bool = False
    """Delivered before: this is a further version."""


def deliveries(days: Sequence[int], seed: int) -> list[Delivery]:
    """In the order in which they come. Each disorder comes at least once in twelve days."""
    rng = np.random.default_rng([seed, 1])
    kinds = dict.fromkeys(days, TIDY)
    disordered = rng.permutation(len(days))[: round(SHARE * len(days))]
    for place, kind in zip(disordered, np.resize(rng.permutation(DISORDERS), len(disordered)), strict=True):
        kinds[days[place]] = str(kind)
    made = []
    for place, (day, kind) in enumerate(kinds.items()):
        later = days[min(place + int(rng.integers(1, 4)), len(days) - 1)]
        if kind != MISSING:
            made.append(Delivery(later if kind == LATE else day, day, kind))
        if kind in (TWICE, CORRECTED):
            made.append(Delivery(later, day, kind, again=True))
    return sorted(made, key=lambda one: (one.on, one.day, one.again))


def in_order(days: Sequence[int]) -> list[Delivery]:
    """Every day on its own evening."""
    return [Delivery(day, day, TIDY) for day in days]


def content(delivery: Delivery, events: pa.Table, seed: int) -> pa.Table:
    """What a delivery holds, of the day's events (`schemas.events.EVENTS`) as they were."""
    rng = np.random.default_rng([seed, 2, delivery.day])
    match delivery.kind:
        case "tiny":
            return events.slice(0, TINY_EVENTS)
        case "empty":
            return events.slice(0, 0)
        case "tenfold":
            return pa.concat_tables([events, _alike(events, 9 * events.num_rows, delivery.day, rng)])
        case "corrected" if delivery.again:
            added = _alike(events, round(ADDED * events.num_rows), delivery.day, rng)
            return pa.concat_tables([events.slice(round(WITHDRAWN * events.num_rows)), added])
        case _:
            return events


def _alike(events: pa.Table, count: int, span: int, rng: np.random.Generator) -> pa.Table:
    """Further events of a day: its users' and its items', paired anew, at any time of the day."""
    if not events.num_rows:
        return events
    drawn = events.take(pa.array(rng.integers(0, events.num_rows, count)))
    moments = pa.array(start_of(span) + rng.integers(0, MICROS_PER_DAY, count))
    for name, values in (
        ("event_id", pa.array([f"added-{span}-{n}" for n in range(count)])),
        ("item_id", events["item_id"].take(pa.array(rng.integers(0, events.num_rows, count)))),
        ("timestamp", pc.cast(moments, events.schema.field("timestamp").type)),
    ):
        place = drawn.column_names.index(name)
        drawn = drawn.set_column(
            place, events.schema.field(name), values.cast(events.schema.field(name).type)
        )
    return drawn
