"""The row contract: what the model learns from and is judged on.

A row is what was known of a user at one moment, and what the user took then. Split `learn` holds a
row a (user, moment); split `held_out` holds a row a (user, day), its history as of the user's first
event of that day, its items the distinct positives of the day.

Every column is a list, scalars being lists of one: TFDV reads Parquet columns only so.
"""

from __future__ import annotations

import pyarrow as pa

LEARN, HELD_OUT = "learn", "held_out"

SCALARS = {
    "user_id": pa.string(),
    "span": pa.int64(),
    "timestamp": pa.int64(),  # microseconds since the epoch, UTC
    "hour": pa.int64(),  # 0..23
    "weekday": pa.int64(),  # 0 = Monday
}
ITEM_LISTS = {  # aligned: one entry a positive item of the row
    "item_id": pa.string(),
    "behavior": pa.string(),
    "times_before": pa.int64(),  # how often the user took the item before this moment
    "days_since": pa.float32(),  # days since the user last took it; NaN if never
}
DECAYS = (1, 7, 30, 90)
"""Half-lives in days of the decayed counts."""
DECAYED = tuple(f"history_decayed_{days}" for days in DECAYS)
HISTORY_LISTS = {  # aligned: one entry a distinct earlier item, oldest last-taken first
    "history_item": pa.string(),
    "history_behavior": pa.string(),  # of the last time
    "history_times": pa.int64(),
    "history_first": pa.float32(),  # days before this moment at which it was first taken
    "history_last": pa.float32(),  # days before this moment at which it was last taken, > 0
    **dict.fromkeys(DECAYED, pa.float32()),  # takes, each counting 2^(-days before this moment / half-life)
}
EVENT_LISTS = {"event_id": pa.string()}  # every event behind the row: identity, never a feature

USER_PREFIX = "user_"  # user features: scalars `user_<column>`, text or float32, missing = empty list
ITEM_PREFIX = "item_"  # item features: lists `item_<column>` aligned with item_id, "" or NaN = missing
TREND_DAYS = (1, 3, 7, 28)
TRENDS = tuple(f"item_trend_{days}" for days in TREND_DAYS)  # log1p of the item's events in the days before


def features_of(names: list[str], prefix: str) -> list[str]:
    """The feature columns with that prefix among `names` (ids, contract columns and trends are none)."""
    fixed = {*SCALARS, *ITEM_LISTS, *HISTORY_LISTS, *EVENT_LISTS, *TRENDS}
    return [name for name in names if name.startswith(prefix) and name not in fixed]
