"""One day: events and the data state before them → rows and the data state after."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.events.config import BehaviorWeights
from components.features import catalogue as catalogues
from components.features import history as histories
from components.features.config import FeaturesConfig
from components.features.data_state import DataState, empty_tables
from components.features.digest import of_table
from components.features.history import States
from components.features.moments import Context, Taken, build
from components.features.tables import item_table, user_table
from schemas.events import BEHAVIORS
from schemas.spans import MICROS_PER_DAY, date_of, held_out

DEFAULT_WEIGHTS: Mapping[str, float] = BehaviorWeights().model_dump()


def advance(
    before: DataState | None,
    events: pa.Table,
    span: int,
    items: pa.Table | None,
    users: pa.Table | None,
    config: FeaturesConfig,
    weights: Mapping[str, float] = DEFAULT_WEIGHTS,
) -> tuple[pa.Table, pa.Table, DataState]:
    """Rows to learn, rows held out, and the data state at the end of the span; a pure function.

    `events` (`schemas.events.EVENTS`) are the accepted events of that one span; `items` and `users`
    are the raw item and user tables. Rows are sorted by (timestamp, user_id). A stretch of days is a
    loop over this function. ValueError if the span is not after the state, or an event not of the span.
    """
    _check(before, events, span)
    old = before or DataState(span=span - 1, spans={}, **empty_tables())
    events = events.combine_chunks()
    catalogue = catalogues.after(old.catalogue, item_table(items), events, span)
    people = catalogues.users_after(old.users, user_table(users), events, span)
    taken = histories.positives(events, weights).combine_chunks()
    found = histories.states(
        histories.of_users(old.history, taken.column("user_id").unique()), taken, weights
    )
    state = DataState(
        span=span,
        spans={**old.spans, span: of_table(events.sort_by("event_id"))},
        catalogue=catalogue,
        users=people,
        history=histories.after(old.history, found, config.history_items),
        item_days=catalogues.item_days_after(old.item_days, taken, span),
        row_history_items=config.row_history_items,
    )
    # Prices and trends of the rows come from before the day: `price_before` and the old daily counts.
    context = Context(people, catalogue, old.item_days)
    aside = held_out(found.users.to_pylist(), span, config.holdout_share)
    learn, held = (
        _rows(found, taken, span, of, whole_day, weights, context, config.row_history_items)
        for of, whole_day in ((~aside, False), (aside, True))
    )
    return learn, held, state


def _check(before: DataState | None, events: pa.Table, span: int) -> None:
    if before is not None and before.span >= span:
        raise ValueError(
            f"{date_of(span)} is not after {date_of(before.span)}, the day of the data state:"
            " advance from an earlier one"
        )
    if events.num_rows:
        days = pc.min_max(events.column("timestamp").cast(pa.int64())).as_py()
        if {days["min"] // MICROS_PER_DAY, days["max"] // MICROS_PER_DAY} != {span}:
            raise ValueError(
                f"events of {date_of(span)} hold timestamps of other days: put each into its own day's folder"
            )


def _rows(
    found: States,
    events: pa.Table,
    span: int,
    of: np.ndarray,
    whole_day: bool,
    weights: Mapping[str, float],
    context: Context,
    limit: int,
) -> pa.Table:
    """Rows of the users chosen by `of` (bool, by index of `found.users`).

    A row a (user, moment), or, with `whole_day`, a row a user as of the first moment of the day.
    """
    take = np.flatnonzero(found.fresh & of[found.user]) if len(of) else np.zeros(0, np.int64)
    user, at = found.user[take], found.last[take]
    begins = np.ones(len(take), bool)
    begins[1:] = user[1:] != user[:-1]
    if not whole_day:
        begins[1:] |= at[1:] != at[:-1]
    row = np.cumsum(begins) - 1
    row_user, row_at = user[begins], at[begins]
    # Rows by (timestamp, user): a stretch reads in the order in which it happened.
    order = np.lexsort((row_user, row_at))
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    row, row_user, row_at = place[row], row_user[order], row_at[order]

    taken = _taken(found, take, row, row_at, events, whole_day, row_user, weights)
    return build(found.users.take(pa.array(row_user)), row_at, span, found, taken, context, limit)


def _taken(
    found: States,
    take: np.ndarray,
    row: np.ndarray,
    row_at: np.ndarray,
    events: pa.Table,
    whole_day: bool,
    row_user: np.ndarray,
    weights: Mapping[str, float],
) -> Taken:
    # Of several takes of an item in one row, the first knows what came before it, the weightiest names it.
    item, behavior = found.item[take], found.behavior[take]
    by_weight = np.lexsort(
        (behavior, -np.array([weights.get(name, 0.0) for name in BEHAVIORS])[behavior], item, row)
    )
    by_time = np.lexsort((found.last[take], item, row))
    distinct = np.ones(len(take), bool)
    distinct[1:] = (row[by_time][1:] != row[by_time][:-1]) | (item[by_time][1:] != item[by_time][:-1])
    first, named = take[by_time[distinct]], by_weight[distinct]
    row_of_item = row[named]
    since = (row_at[row_of_item] - found.prior_last[first]) / MICROS_PER_DAY

    event_row = _event_rows(events, found, row_user, row_at, whole_day)
    mine = np.flatnonzero(event_row >= 0)
    event_id = events.column("event_id").combine_chunks()
    id_rank = np.empty(len(event_id), np.int64)
    id_rank[pc.sort_indices(event_id).to_numpy()] = np.arange(len(event_id))
    mine = mine[np.lexsort((id_rank[mine], event_row[mine]))]
    return Taken(
        lengths=np.bincount(row_of_item, minlength=len(row_at)),
        item_id=found.items.take(pa.array(found.item[first])),
        behavior=behavior[named],
        times_before=found.prior_times[first],
        days_since=np.where(found.prior_last[first] < 0, np.nan, since).astype(np.float32),
        event_lengths=np.bincount(event_row[mine], minlength=len(row_at)),
        event_id=event_id.take(pa.array(mine)),
    )


def _event_rows(
    events: pa.Table, found: States, row_user: np.ndarray, row_at: np.ndarray, whole_day: bool
) -> np.ndarray:
    """The row that each event belongs to; -1 for events of users who have none here."""
    user = pc.index_in(events.column("user_id"), found.users).to_numpy().astype(np.int64)
    at = (
        np.zeros(len(user), np.int64) if whole_day else events.column("timestamp").cast(pa.int64()).to_numpy()
    )
    row_key_at = np.zeros(len(row_user), np.int64) if whole_day else row_at
    everyone, everywhen = np.concatenate([row_user, user]), np.concatenate([row_key_at, at])
    order = np.lexsort((everywhen, everyone))  # stable: a row comes right before its events
    is_row = order < len(row_user)
    latest = np.maximum.accumulate(np.where(is_row, np.arange(len(order)), -1)) if len(order) else order
    owner = order[np.maximum(latest, 0)]
    same = (latest >= 0) & (everyone[owner] == everyone[order]) & (everywhen[owner] == everywhen[order])
    found_rows = np.full(len(everyone), -1)
    found_rows[order] = np.where(same, owner, -1)
    return found_rows[len(row_user) :]
