"""Histories inside the served graph: from recent items, and from these on top of what the push knows.

A history is here the tensors of `inputs.Histories` padded to [rows, n]: history (positions in the catalogue),
times, first, last (days ago), behavior, decayed [rows, n, half-lives], and history_mask, False where an entry
is padding. `entries` makes of it what the model takes.
"""

from __future__ import annotations

import tensorflow as tf

from schemas.events import BEHAVIORS
from schemas.rows import DECAYS

History = dict[str, tf.Tensor]


def distinct(
    ids: tf.Tensor, positions: tf.Tensor, ages: tf.Tensor, given: tf.Tensor, behaviors: tf.Tensor
) -> History:
    """One entry an item, at its latest place.

    ids, behaviors: string, "" where unknown; ages: float32 days; given: bool; all [rows, n].
    """
    same = (ids[:, :, None] == ids[:, None, :]) & given[:, :, None] & given[:, None, :]
    place = tf.range(tf.shape(ids)[1])
    later = (ages[:, None, :] < ages[:, :, None]) | (
        (ages[:, None, :] == ages[:, :, None]) & (place[None, None, :] > place[None, :, None])
    )
    newest = given & ~tf.reduce_any(same & later, axis=2)

    def where_newest(values: tf.Tensor) -> tf.Tensor:
        return tf.where(newest, values, tf.zeros_like(values))

    return {
        "history": where_newest(positions),
        "times": where_newest(tf.reduce_sum(tf.cast(same, tf.float32), axis=2)),
        "first": where_newest(tf.reduce_max(tf.where(same, ages[:, None, :], 0.0), axis=2)),
        "last": where_newest(ages),
        "behavior": where_newest(behavior_codes(behaviors)),
        "decayed": tf.where(
            newest[:, :, None], tf.linalg.matmul(tf.cast(same, tf.float32), _decay(ages)), 0.0
        ),
        "history_mask": newest,
    }


def merged(base: History, recent: History) -> History:
    """`recent` on top of `base`, which is older: an item of both is one entry."""
    same = (base["history"][:, :, None] == recent["history"][:, None, :]) & (base["history"] > 0)[:, :, None]
    times = tf.reduce_sum(tf.where(same, recent["times"][:, None, :], 0.0), axis=2)
    last = tf.reduce_min(tf.where(same, recent["last"][:, None, :], float("inf")), axis=2)
    decayed = base["decayed"] + tf.linalg.matmul(tf.cast(same, tf.float32), recent["decayed"])
    newer = tf.reduce_max(tf.where(same, recent["behavior"][:, None, :], -1), axis=2)
    base = {
        **base,
        "behavior": tf.where(newer >= 0, newer, base["behavior"]),
        "times": base["times"] + times,
        "last": tf.minimum(base["last"], last),
        "decayed": decayed,
    }
    fresh = {**recent, "history_mask": recent["history_mask"] & ~tf.reduce_any(same, axis=1)}
    fresh["history"] = tf.where(fresh["history_mask"], fresh["history"], 0)
    fresh["decayed"] = tf.where(fresh["history_mask"][:, :, None], fresh["decayed"], 0.0)
    return {name: tf.concat([base[name], fresh[name]], axis=1) for name in base}


def entries(history: History) -> History:
    """The entries that there are, one row's after another's, with their `owner`, int32."""
    there = tf.where(history["history_mask"])
    found = {name: tf.gather_nd(one, there) for name, one in history.items() if name != "history_mask"}
    return {**found, "owner": tf.cast(there[:, 0], tf.int32)}


def behavior_codes(names: tf.Tensor) -> tf.Tensor:
    """int32, like `names`: 1 + the place in BEHAVIORS, 0 for any other text."""
    codes = tf.range(1, 1 + len(BEHAVIORS))
    return tf.reduce_sum(tf.where(names[..., None] == tf.constant(BEHAVIORS), codes, 0), axis=-1)


def aged(history: History, days: tf.Tensor) -> History:
    """The history as it looks so many days later. days: float32 [rows]."""
    older = {name: history[name] + days[:, None] for name in ("first", "last")}
    return {**history, **older, "decayed": history["decayed"] * _decay(days)[:, None, :]}


def _decay(days: tf.Tensor) -> tf.Tensor:
    """float32 [..., half-lives]: what a take of so many days ago still counts."""
    return tf.pow(2.0, -days[..., None] / tf.constant(DECAYS, tf.float32))


def ages_by_place(items: tf.Tensor, day: float) -> tf.Tensor:
    """float32 [1, n]: the age in days of items taken one after the other, the last one `day` ago."""
    return tf.range(tf.cast(tf.shape(items)[1], tf.float32), 0.0, -1.0)[None, :] * day
