"""Recall of an item after few events: does the model pick up what has just come?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.data_efficiency.walking import Step
from components.backtest.asked import Asked, as_of_morning
from components.features import rows as layout
from components.features.data_state import DataState
from components.trainer.scoring import Scorer

BINS = ((0, "0"), (1, "1-2"), (3, "3-9"), (10, "10-29"), (30, "30 and more"))
"""Least events seen so far of the item, by anybody, and what the bin is called."""


def events_before(data: DataState, items: pa.Array) -> np.ndarray:
    """int64 [items]: positive events of each so far."""
    totals = data.item_days.group_by("item_id").aggregate([("events", "sum")])
    place = pc.index_in(items, totals["item_id"]).to_numpy(zero_copy_only=False)
    told = ~np.isnan(place.astype(np.float64))
    counts = np.zeros(len(items), np.int64)
    counts[told] = totals["events_sum"].to_numpy()[place[told].astype(np.int64)]
    return counts


def new_takes(asked: Asked) -> np.ndarray:
    """bool, flat as the rows' items: what was taken and is new to its taker."""
    return asked.relevant & ~asked.had


def measure(steps: Iterable[Step], k: int) -> list[dict[str, object]]:
    """A row a bin: takes of items new to their taker, and the share that stood among the first k.

    `daily`: the model of the evening before; `stale`: the first model, with the same data.
    """
    hits: dict[str, list[np.ndarray]] = defaultdict(list)
    seen = []
    for day, state, stale in steps:
        chosen = new_takes(day.asked)
        items: pa.Array = layout.flat(day.asked.rows, "item_id")
        seen.append(events_before(day.before, items)[chosen])
        for name, model in (("daily", state), ("stale", stale)):
            ranks = Scorer(model, as_of_morning(day.before)).ranks(day.asked.rows)
            hits[name].append(ranks[chosen] <= k)
    of_bin = np.searchsorted([least for least, _ in BINS], np.concatenate(seen), side="right") - 1
    table: list[dict[str, object]] = []
    for place, (_, name) in enumerate(BINS):
        inside = of_bin == place
        means = {
            line: float(np.concatenate(one)[inside].mean()) for line, one in hits.items() if inside.any()
        }
        table.append({"events so far": name, "takes": int(inside.sum()), **means})
    return table
