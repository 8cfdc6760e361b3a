"""What users took, moment by moment: a day's takes laid behind the history before the day.

A *take* is one distinct (user, item, timestamp) of a positive event. A *state* is what is known of a
(user, item) pair from just after one take up to and including the moment of the next: a row that
stands at the same timestamp as a take does not see it. All arrays are flat and aligned; loops over
events there are none.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.events import BEHAVIORS
from schemas.rows import DECAYS
from schemas.spans import MICROS_PER_DAY

HISTORY = pa.schema(
    [
        ("user_id", pa.string()),
        ("item_id", pa.string()),
        ("times", pa.int32()),
        ("first_timestamp", pa.int64()),
        ("last_timestamp", pa.int64()),
        ("last_behavior", pa.string()),
        *((f"decayed_{days}", pa.float32()) for days in DECAYS),
    ]
)
"""One row a (user, item), sorted by (user_id, last_timestamp, item_id); timestamps in microseconds.

decayed_<days>: takes as of the last one, each counting 2^(-its age then / half-life).
"""

NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class States:
    """States of the pairs of some users, sorted by (user, last, item).

    `users` and `items` are sorted id arrays; `user` and `item` index them (int64 [n]).
    """

    users: pa.Array
    items: pa.Array
    user: np.ndarray
    item: np.ndarray
    times: np.ndarray  # takes up to and including this one
    first: np.ndarray  # microseconds of the pair's first take
    last: np.ndarray  # microseconds of this take
    until: np.ndarray  # the state holds for moments in (last, until]
    behavior: np.ndarray  # index into BEHAVIORS
    prior_times: np.ndarray  # takes before this one
    prior_last: np.ndarray  # microseconds of the take before; -1 if there was none
    fresh: np.ndarray  # bool: a take of this day (else carried from before)
    decayed: np.ndarray  # float32 [n, half-lives of DECAYS]: takes up to this one, decayed as of it

    def current(self) -> np.ndarray:
        """Indices of the newest state of each pair."""
        return np.flatnonzero(self.until == NEVER)


def positives(events: pa.Table, weights: Mapping[str, float]) -> pa.Table:
    """The events whose behaviour has a weight above 0."""
    learned = [name for name in BEHAVIORS if weights.get(name, 0.0) > 0]
    return events.filter(pc.is_in(events.column("behavior"), pa.array(learned, pa.string())))


def of_users(history: pa.Table, users: pa.Array) -> pa.Table:
    """The part of a history that belongs to `users`."""
    return history.filter(pc.is_in(history.column("user_id"), users))


def states(history: pa.Table, events: pa.Table, weights: Mapping[str, float]) -> States:
    """States of all pairs of `history` (all before the events) and positive `events`."""
    users, user = _codes(history.column("user_id"), events.column("user_id"))
    items, item = _codes(history.column("item_id"), events.column("item_id"))
    old = history.num_rows
    stamps = events.column("timestamp").cast(pa.int64()).to_numpy()
    strength = _behavior_codes(events.column("behavior"))
    take = _takes(user[old:], item[old:], stamps, strength, weights)

    user, item = (np.concatenate([codes[:old], codes[old:][take]]) for codes in (user, item))
    own = np.concatenate([history.column("times").to_numpy().astype(np.int64), np.ones(len(take), np.int64)])
    first = np.concatenate([history.column("first_timestamp").to_numpy(), stamps[take]])
    last = np.concatenate([history.column("last_timestamp").to_numpy(), stamps[take]])
    behavior = np.concatenate([_behavior_codes(history.column("last_behavior")), strength[take]])
    fresh = np.arange(len(user)) >= old

    order_by_pair = np.lexsort((last, item, user))
    user, item, own, first, last, behavior, fresh = (
        column[order_by_pair] for column in (user, item, own, first, last, behavior, fresh)
    )
    begins = np.ones(len(user), bool)
    begins[1:] = (user[1:] != user[:-1]) | (item[1:] != item[:-1])
    pair = np.cumsum(begins) - 1
    start = np.flatnonzero(begins)[pair] if len(user) else pair
    total = np.cumsum(own)
    times = total - (total[start] - own[start])
    until = np.full(len(user), NEVER)
    until[:-1] = np.where(begins[1:], NEVER, last[1:])
    prior_last = np.where(begins, -1, np.roll(last, 1))
    carried = np.concatenate([_decayed_columns(history), np.ones((len(take), len(DECAYS)), np.float32)])
    decayed = _accumulated(carried[order_by_pair], last, np.arange(len(user)) - start)

    order = np.lexsort((item, last, user))
    return States(
        users, items, user[order], item[order], times[order], first[start][order], last[order], until[order],
        behavior[order], (times - own)[order], prior_last[order], fresh[order], decayed[order],
    )  # fmt: skip


def after(before: pa.Table, found: States, limit: int) -> pa.Table:
    """The history after the day: users of `found` renewed and cut to their `limit` latest pairs."""
    newest = found.current()
    user = found.user[newest]
    from_end = np.searchsorted(user, user, "right") - np.arange(len(user))
    newest = newest[from_end <= limit]
    renewed = pa.Table.from_arrays(
        [
            found.users.take(pa.array(found.user[newest])),
            found.items.take(pa.array(found.item[newest])),
            pa.array(found.times[newest].astype(np.int32)),
            pa.array(found.first[newest]),
            pa.array(found.last[newest]),
            pa.array(BEHAVIORS, pa.string()).take(pa.array(found.behavior[newest])),
            *(pa.array(np.ascontiguousarray(one)) for one in found.decayed[newest].T),
        ],
        schema=HISTORY,
    )
    kept = before.filter(pc.invert(pc.is_in(before.column("user_id"), found.users)))
    merged = pa.concat_tables([kept, renewed])
    _, code = _codes(merged.column("user_id"))  # both parts are in order: only whole users move
    return merged.take(pa.array(np.argsort(code, kind="stable"))).combine_chunks()


def _decayed_columns(history: pa.Table) -> np.ndarray:
    return np.stack([history.column(f"decayed_{days}").to_numpy() for days in DECAYS], axis=1)


def _accumulated(own: np.ndarray, at: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Decayed counts after each take of a pair: d(k) = d(k - 1) · 2^(-days between / half-life) + own(k).

    own: float32 [n, half-lives]; at: microseconds; place: each one's place within its pair, pairs in order.
    A sum over the pair alone, so that it does not depend on who else is there.
    """
    decayed = own.astype(np.float64)
    by_place = np.argsort(place, kind="stable")
    ends = np.cumsum(np.bincount(place))
    for start, end in itertools.pairwise(ends):
        now = by_place[start:end]
        days = (at[now] - at[now - 1]) / MICROS_PER_DAY
        decayed[now] += decayed[now - 1] * np.exp2(-days[:, None] / np.array(DECAYS))
    return decayed.astype(np.float32)


def _takes(
    user: np.ndarray, item: np.ndarray, stamp: np.ndarray, behavior: np.ndarray, weights: Mapping[str, float]
) -> np.ndarray:
    """Indices of one event a (user, item, timestamp): the one whose behaviour weighs most."""
    weight = np.array([weights.get(name, 0.0) for name in BEHAVIORS])[behavior]
    order = np.lexsort((behavior, -weight, stamp, item, user))
    keys = np.stack([user[order], item[order], stamp[order]])
    new = np.ones(len(order), bool)
    new[1:] = (keys[:, 1:] != keys[:, :-1]).any(axis=0)
    return order[new]


def _behavior_codes(column: pa.ChunkedArray) -> np.ndarray:
    return pc.index_in(column, pa.array(BEHAVIORS, pa.string())).to_numpy().astype(np.int64)


def _codes(*columns: pa.ChunkedArray) -> tuple[pa.Array, np.ndarray]:
    """The sorted distinct values of all columns together, and each value's place among them."""
    chunks = [chunk for column in columns for chunk in column.chunks]
    encoded = pa.chunked_array(chunks, pa.string()).combine_chunks().dictionary_encode()
    order = pc.sort_indices(encoded.dictionary)
    place = np.empty(len(order), np.int64)
    place[order.to_numpy()] = np.arange(len(order))
    indices = encoded.indices.to_numpy().astype(np.int64)
    return encoded.dictionary.take(order), place[indices] if len(indices) else indices
