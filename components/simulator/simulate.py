"""Days of a simulated shop: events, and what the best recommender would have reached on them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from components.importer.days import write_day, write_table
from components.simulator.config import SimulatorConfig
from components.simulator.world import World, item_ids, user_ids
from schemas.events import CART, CLICK, EVENTS, PURCHASE
from schemas.home import Home
from schemas.spans import MICROS_PER_DAY, date_of, span_of, start_of

K = 20
TRUTH = pa.schema(
    [
        ("span", pa.int64()),
        ("user_id", pa.string()),
        ("items_taken", pa.int64()),
        ("best_items", pa.list_(pa.string())),
        ("best_probability", pa.float64()),
        ("best_recall", pa.float64()),
    ]
)
"""A row a user-day with events. `best_items`: the 20 that the user was likeliest to click, by the true
probabilities; no list of 20 holds more of the expected clicks. `best_probability`: that a click falls on
one of them, exact. `best_recall`: the share of the distinct items taken that day that are among them; its
mean is what a recommender that knows every taste reaches, and no other beats it but by luck."""

_SECOND = 1_000_000
_BLOCK = 20_000_000
"""Probabilities held at once: 160 MB."""
_DAY_STREAM = 5


@dataclass(frozen=True)
class SimulatedDay:
    span: int
    events: pa.Table  # schemas.events.EVENTS, sorted by (timestamp, user_id, event_id)
    truth: pa.Table  # TRUTH


def simulate(config: SimulatorConfig, world: World | None = None) -> Iterator[SimulatedDay]:
    """The days one after another."""
    world = world or World(config)
    taste = world.users.taste
    first = span_of(config.start)
    for day in range(config.days):
        if day:
            taste = world.moved(taste, day)
        yield _day(world, taste, day, first + day)


def write(config: SimulatorConfig, home: Home) -> dict[str, float]:
    """Writes day folders, item and user table and `data/ground_truth.parquet`; returns events, days written
    and the mean of `best_recall`. The same settings again change nothing."""
    world = World(config)
    write_table(home.items, world.item_table())
    write_table(home.users, world.user_table())
    truths, events, written = [], 0, 0
    for day in simulate(config, world):
        written += write_day(home.events, date_of(day.span).isoformat(), day.events) is not None
        events += day.events.num_rows
        truths.append(day.truth)
    truth = pa.concat_tables(truths)
    write_table(truth_path(home), truth.combine_chunks())
    return {"events": events, "days_written": written, "best_recall": truth["best_recall"].to_numpy().mean()}


def truth_path(home: Home) -> Path:
    return home.root / "data" / "ground_truth.parquet"


def _day(world: World, taste: np.ndarray, day: int, span: int) -> SimulatedDay:
    config = world.config
    rng = np.random.default_rng([config.seed, _DAY_STREAM, day])
    here = np.flatnonzero(world.users.first_day <= day)
    funnel = 1 + config.cart_share * (1 + config.purchase_share)
    activity = world.users.activity[here]
    clicks = rng.poisson(config.events_per_day / funnel * activity / activity.sum())
    active = here[clicks > 0]
    clicks = clicks[clicks > 0]
    item, best, mass = _choices(world, taste, day, active, clicks, rng)
    user = np.repeat(active, clicks)
    return SimulatedDay(
        span, _events(world, day, span, user, item, rng), _truth(span, active, user, item, best, mass)
    )


def _choices(
    world: World,
    taste: np.ndarray,
    day: int,
    active: np.ndarray,
    clicks: np.ndarray,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where every click falls [clicks], the best items [active, K], and their probability [active]."""
    draws = rng.random(clicks.sum())
    ends = np.cumsum(clicks)
    size = max(1, _BLOCK // len(world.items.category))
    items, best, mass = [np.zeros(0, np.int64)], [np.zeros((0, K), np.int64)], [np.zeros(0)]
    for start in range(0, len(active), size):
        block = slice(start, start + size)
        chances = world.probabilities(taste[active[block]], day)
        # One sorted line for all users of the block: user n's probabilities lie between n and n + 1.
        line = (np.cumsum(chances, axis=1) + np.arange(len(chances))[:, None]).ravel()
        whose = np.repeat(np.arange(len(chances)), clicks[block])
        mine = draws[ends[start] - clicks[start] : ends[start : start + size][-1]]
        found = np.searchsorted(line, whose + mine, side="right") - whose * chances.shape[1]
        items.append(np.minimum(found, chances.shape[1] - 1))
        top = np.argsort(-chances, axis=1, kind="stable")[:, :K]
        best.append(top)
        mass.append(np.take_along_axis(chances, top, axis=1).sum(axis=1))
    return np.concatenate(items), np.concatenate(best), np.concatenate(mass)


def _events(
    world: World, day: int, span: int, user: np.ndarray, item: np.ndarray, rng: np.random.Generator
) -> pa.Table:
    """Clicks in the waking hours, and what follows of them within half an hour."""
    config = world.config
    clicked = (7 * 3600 + rng.beta(2, 1.5, len(user)) * 16 * 3600).astype(np.int64) * _SECOND
    carted = np.flatnonzero(rng.random(len(user)) < config.cart_share)
    bought = carted[rng.random(len(carted)) < config.purchase_share]
    delay = rng.integers(10, 600, (2, len(user))) * _SECOND
    rows = np.concatenate([np.arange(len(user)), carted, bought])
    behavior = np.repeat([CLICK, CART, PURCHASE], [len(user), len(carted), len(bought)])
    at = np.concatenate([clicked, (clicked + delay[0])[carted], (clicked + delay.sum(axis=0))[bought]])
    at = start_of(span) + np.minimum(at, MICROS_PER_DAY - 1)
    order = np.lexsort((behavior, item[rows], user[rows], at))
    rows, behavior, at = rows[order], behavior[order], at[order]
    return pa.Table.from_arrays(
        [
            pa.array([f"{span}-{n:08d}" for n in range(len(rows))]),
            pa.array(user_ids(len(world.users.region))).take(pa.array(user[rows])),
            pa.array(item_ids(len(world.items.category))).take(pa.array(item[rows])),
            pa.array(at, EVENTS.field("timestamp").type),
            pa.array(behavior, pa.string()),
            pa.array(world.prices(day)[item[rows]]),
        ],
        schema=EVENTS,
    )


def _truth(
    span: int, active: np.ndarray, user: np.ndarray, item: np.ndarray, best: np.ndarray, mass: np.ndarray
) -> pa.Table:
    taken = np.unique(np.stack([np.searchsorted(active, user), item]), axis=1)
    hits = (best[taken[0]] == taken[1][:, None]).any(axis=1)
    count = np.bincount(taken[0], minlength=len(active))
    recall = np.bincount(taken[0], hits, minlength=len(active)) / count
    names = pa.array([f"i{n:06d}" for n in best.ravel()], pa.string())
    lists = pa.ListArray.from_arrays(np.arange(0, best.size + 1, K, dtype=np.int32), names)
    users = pa.array([f"u{n:06d}" for n in active], pa.string())
    spans = pa.array(np.full(len(active), span))
    return pa.Table.from_arrays(
        [spans, users, pa.array(count), lists, pa.array(mass), pa.array(recall)], schema=TRUTH
    )
