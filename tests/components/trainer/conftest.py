"""A small world that has learned its first days, and the day after them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pytest

from components.events.config import BehaviorWeights
from components.features.config import FeaturesConfig
from components.features.data_state import DataState
from components.features.stretch import advance_stretch
from components.trainer.config import LearnConfig
from components.trainer.learn import Candidate, TrainingRows, learn
from tests.factories import FIRST_SPAN, make_events, make_items, make_users

FIRST_DAYS = 4
WEIGHTS = BehaviorWeights().model_dump()
CONFIG = LearnConfig(
    dimension=8, hidden=16, repeat_hidden=4, batch_rows=16, uniform_negatives=8, first_epochs=2
)


@dataclass(frozen=True)
class World:
    first: TrainingRows
    next_day: TrainingRows
    config: LearnConfig
    base: Candidate
    """What was learned from the first days."""


def with_late(data: DataState, items: slice, span: int) -> DataState:
    """These items of the catalogue were not there before the span."""
    catalogue = data.catalogue
    first = np.asarray(catalogue.column("first_span")).copy()
    first[items] = span
    place = catalogue.schema.get_field_index("first_span")
    return replace(data, catalogue=catalogue.set_column(place, "first_span", pa.array(first)))


def world_of(seed: int) -> World:
    events = make_events(days=FIRST_DAYS + 1, users=30, per_day=120, seed=seed)
    last = FIRST_SPAN + FIRST_DAYS
    early = {span: day for span, day in events.items() if span < last}
    tables = make_items(), make_users(30), FeaturesConfig(), WEIGHTS
    learn_rows, held, data = advance_stretch(None, early, *tables)
    first = TrainingRows(learn_rows, learn_rows.slice(0, 0), held, data)
    day_rows, day_held, after = advance_stretch(data, {last: events[last]}, *tables)
    base = learn(None, first, CONFIG)
    next_day = TrainingRows(day_rows, learn_rows.slice(0, 20), day_held, after)
    return World(first, next_day, CONFIG, base)


@pytest.fixture(scope="session")
def world() -> World:
    return world_of(0)
