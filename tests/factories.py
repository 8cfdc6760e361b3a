"""Tiny seeded event logs for tests: users with tastes, items with features, days of events."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa

from schemas.events import BEHAVIORS, EVENTS
from schemas.spans import MICROS_PER_DAY, span_of, start_of

FIRST_SPAN = span_of(dt.date(2024, 3, 4))  # a Monday
CATEGORIES = ("shoes", "bottles", "bags", "hats")


def item_ids(items: int) -> list[str]:
    return [f"i{n:03d}" for n in range(items)]


def user_ids(users: int) -> list[str]:
    return [f"u{n:03d}" for n in range(users)]


def make_items(items: int = 30, seed: int = 0) -> pa.Table:
    """An item table: name, a text feature with gaps, a number feature with gaps, a price."""
    rng = np.random.default_rng([seed, 1])
    weights = rng.uniform(0.1, 5.0, items).round(2)
    return pa.table(
        {
            "item_id": item_ids(items),
            "name": [f"Item {n}" for n in range(items)],
            "category": [None if n % 11 == 10 else CATEGORIES[n % len(CATEGORIES)] for n in range(items)],
            "weight": pa.array(
                [None if n % 7 == 6 else float(weights[n]) for n in range(items)], pa.float64()
            ),
            "price": pa.array(rng.uniform(1, 100, items).round(2), pa.float64()),
        }
    )


def make_users(users: int = 20, seed: int = 0) -> pa.Table:
    """A user table: a number feature and a text feature, every fifth user without an age."""
    rng = np.random.default_rng([seed, 2])
    ages = rng.integers(18, 80, users)
    return pa.table(
        {
            "user_id": user_ids(users),
            "age": pa.array([None if n % 5 == 4 else int(ages[n]) for n in range(users)], pa.int64()),
            "income": [("low", "high")[n % 2] for n in range(users)],
        }
    )


def make_events(
    days: int = 5,
    users: int = 20,
    items: int = 30,
    seed: int = 0,
    per_day: int = 60,
    first_span: int = FIRST_SPAN,
) -> dict[int, pa.Table]:
    """Events (`schemas.events.EVENTS`) by span: about `per_day` a day.

    User n likes the category n % 4 (three of four events), several events share a moment, items and
    users repeat, about a third of the prices are missing.
    """
    rng = np.random.default_rng([seed, 3])
    by_span = {}
    for span in range(first_span, first_span + days):
        user = rng.integers(0, users, per_day)
        item = rng.integers(0, items, per_day)
        liked = (item // len(CATEGORIES)) * len(CATEGORIES) + user % len(CATEGORIES)
        item = np.where((rng.random(per_day) < 0.75) & (liked < items), liked, item)
        # Few distinct moments a day, so that one user often has several events at the very same time.
        moment = rng.integers(0, 48, per_day) * (MICROS_PER_DAY // 48) + start_of(span)
        behavior = rng.choice(len(BEHAVIORS), per_day, p=[0.4, 0.15, 0.1, 0.35])
        price = rng.uniform(1, 100, per_day).round(2)
        by_span[span] = events_table(
            [
                (
                    f"{span}-{n}",
                    f"u{user[n]:03d}",
                    f"i{item[n]:03d}",
                    int(moment[n]),
                    BEHAVIORS[behavior[n]],
                    float(price[n]) if n % 3 else None,
                )
                for n in range(per_day)
            ]
        )
    return by_span


def events_table(rows: list[tuple]) -> pa.Table:
    """Events of `(event_id, user_id, item_id, microseconds, behavior, price)`, in the contract's order."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(EVENTS)
    arrays = [pa.array(list(column), field.type) for column, field in zip(columns, EVENTS, strict=True)]
    table = pa.Table.from_arrays(arrays, schema=EVENTS)
    return table.sort_by([("timestamp", "ascending"), ("user_id", "ascending"), ("event_id", "ascending")])
