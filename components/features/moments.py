"""Rows as of moments: what was known of a user then, and what was taken."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.features import catalogue as catalogues
from components.features import rows
from components.features.history import States
from schemas import rows as contract
from schemas.events import BEHAVIORS
from schemas.spans import MICROS_PER_DAY

BLOCK = 4_000_000
"""States looked at in one go: about 200 MB."""


@dataclass(frozen=True)
class Taken:
    """What was taken at the moments, flat in the moments' order."""

    lengths: np.ndarray  # int64 [moments]
    item_id: pa.Array
    behavior: np.ndarray  # index into BEHAVIORS
    times_before: np.ndarray
    days_since: np.ndarray  # NaN if never
    event_lengths: np.ndarray  # int64 [moments]
    event_id: pa.Array

    @classmethod
    def nothing(cls, moments: int) -> Taken:
        none, no_text = np.zeros(moments, np.int64), pa.array([], pa.string())
        return cls(none, no_text, none[:0], none[:0], np.zeros(0, np.float32), none, no_text)


@dataclass(frozen=True)
class Context:
    """What rows look up besides histories; all as of the start of the rows' span."""

    users: pa.Table
    catalogue: pa.Table
    item_days: pa.Table


def build(
    user_ids: pa.Array, at: np.ndarray, span: int, states: States, taken: Taken, context: Context, limit: int
) -> pa.Table:
    """A row a moment, in the given order: `user_ids` [n], `at` int64 [n] microseconds; see `schemas.rows`."""
    ones = np.ones(len(at), np.int64)
    item_place = pc.index_in(taken.item_id, context.catalogue.column("item_id").combine_chunks())
    user_place = pc.index_in(user_ids, context.users.column("user_id").combine_chunks())
    columns = {
        "user_id": (ones, user_ids),
        "span": (ones, np.full(len(at), span, np.int64)),
        "timestamp": (ones, at),
        "hour": (ones, at % MICROS_PER_DAY // (MICROS_PER_DAY // 24)),
        "weekday": (ones, (at // MICROS_PER_DAY + 3) % 7),  # 1970-01-01 was a Thursday
        "item_id": (taken.lengths, taken.item_id),
        "behavior": (taken.lengths, _names(taken.behavior)),
        "times_before": (taken.lengths, taken.times_before),
        "days_since": (taken.lengths, taken.days_since),
        "event_id": (taken.event_lengths, taken.event_id),
    }
    user_features = catalogues.user_features(context.users)
    for name in user_features:
        values = context.users.column(name).combine_chunks().take(user_place)
        present = pc.is_valid(values)
        columns[contract.USER_PREFIX + name] = (present.cast(pa.int64()).to_numpy(), values.filter(present))
    item_features = catalogues.item_features(context.catalogue)
    for name in item_features:
        source = "price_before" if name == "price" else name
        values = context.catalogue.column(source).combine_chunks().take(item_place)
        columns[contract.ITEM_PREFIX + name] = (taken.lengths, rows.gaps_filled(values))
    distinct = taken.item_id.unique()
    trends = catalogues.trends(context.item_days, distinct, span)[
        pc.index_in(taken.item_id, distinct).to_numpy()
    ]
    for name, trend in zip(contract.TRENDS, trends.T, strict=True):
        columns[name] = (taken.lengths, np.ascontiguousarray(trend))
    columns |= _histories(user_ids, at, states, limit)

    layout = rows.schema(user_features, item_features)
    arrays = [rows.lists(*columns[field.name], field.type.value_type) for field in layout]
    return pa.Table.from_arrays(arrays, schema=layout)


def _histories(user_ids: pa.Array, at: np.ndarray, states: States, limit: int) -> dict:
    """The `limit` latest-taken items of each user strictly before each moment, oldest first."""
    user = pc.index_in(user_ids, states.users).fill_null(-1).to_numpy().astype(np.int64)
    end = _states_before(states, user, at)
    begin = np.searchsorted(states.user, user)
    end = np.maximum(begin, end)
    # A state from before a moment may have been overtaken, by takes of this day only: look that much further.
    fresh = np.concatenate([[0], np.cumsum(states.fresh)])
    begin = np.maximum(begin, end - limit - (fresh[end] - fresh[begin]))

    # A block of moments at a time: somebody with thousands of events a day must not fill the memory.
    block = np.cumsum(end - begin) // BLOCK
    borders = [0, *(np.flatnonzero(np.diff(block)) + 1).tolist(), len(at)]
    parts = [
        _latest(at, states, begin, end, limit, np.arange(*bounds)) for bounds in itertools.pairwise(borders)
    ]
    moment, index = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    lengths = np.bincount(moment, minlength=len(at))

    def days_before(stamps: np.ndarray) -> np.ndarray:
        return ((at[moment] - stamps[index]) / MICROS_PER_DAY).astype(np.float32)

    age = (at[moment] - states.last[index]) / MICROS_PER_DAY
    decayed = states.decayed[index] * np.exp2(-age[:, None] / np.array(contract.DECAYS))
    return {
        "history_item": (lengths, states.items.take(pa.array(states.item[index]))),
        "history_behavior": (lengths, _names(states.behavior[index])),
        "history_times": (lengths, states.times[index]),
        "history_first": (lengths, days_before(states.first)),
        "history_last": (lengths, days_before(states.last)),
        **{
            name: (lengths, np.ascontiguousarray(one, np.float32))
            for name, one in zip(contract.DECAYED, decayed.T, strict=True)
        },
    }


def _latest(
    at: np.ndarray, states: States, begin: np.ndarray, end: np.ndarray, limit: int, block: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Of the states `begin`..`end` of each moment in `block` the `limit` last that hold: (moment, state)."""
    sizes = (end - begin)[block]
    moment = np.repeat(block, sizes)
    index = np.arange(len(moment)) + np.repeat(begin[block] - (np.cumsum(sizes) - sizes), sizes)
    holds = states.until[index] >= at[moment]
    moment, index = moment[holds], index[holds]
    from_end = np.searchsorted(moment, moment, "right") - np.arange(len(moment))
    return moment[from_end <= limit], index[from_end <= limit]


def _states_before(states: States, user: np.ndarray, at: np.ndarray) -> np.ndarray:
    """How many states lie before each (user, moment) in the states' order; equal timestamps do not."""
    of_moment = np.concatenate([np.zeros(len(states.user), bool), np.ones(len(at), bool)])
    order = np.lexsort((~of_moment, np.concatenate([states.last, at]), np.concatenate([states.user, user])))
    before = np.cumsum(~of_moment[order])
    found = np.empty(len(at), np.int64)
    sorted_moments = order[of_moment[order]] - len(states.user)
    found[sorted_moments] = before[of_moment[order]]
    return found


def _names(behavior: np.ndarray) -> pa.Array:
    return pa.array(BEHAVIORS, pa.string()).take(pa.array(behavior, pa.int64()))
