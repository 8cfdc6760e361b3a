"""Learned forwards: the days of a stretch as the living line learned them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from components.features.rows import concat
from components.replay.slice import draw
from components.trainer.forward import learn_forward
from components.trainer.learn import TrainingRows, learn
from components.trainer.reproduce import differences
from tests.components.trainer.conftest import FIRST_DAYS, World
from tests.factories import FIRST_SPAN


def whole(world: World) -> TrainingRows:
    both = world.first, world.next_day
    new, held_out = (concat([getattr(one, name) for one in both]) for name in ("new", "held_out"))
    return TrainingRows(new, new.slice(0, 0), held_out, world.next_day.data)


def without_prices(rows: TrainingRows) -> TrainingRows:
    """A price is as of the stretch's end in a rebuild: without prices nothing is."""
    catalogue = rows.data.catalogue
    none = pa.nulls(catalogue.num_rows, pa.float32())
    for name in ("price", "price_before"):
        catalogue = catalogue.set_column(catalogue.column_names.index(name), name, none)
    return replace(rows, data=replace(rows.data, catalogue=catalogue))


def test_days_learned_forwards_are_the_living_line_bit_by_bit(world: World) -> None:
    first, day = without_prices(world.first), without_prices(world.next_day)
    base = learn(None, first, world.config).state
    replay = draw(base.buffer, day.new, world.config.replay, seed=world.config.seed, span=day.data.span)
    living = learn(base, replace(day, replay=replay), world.config)
    forward = learn_forward(without_prices(whole(world)), world.config, FIRST_DAYS)
    assert differences(living.state, forward.state) == []
    assert replay.num_rows
    assert forward.report["rows_replay"] == replay.num_rows
    assert forward.report["rows_new"] == first.new.num_rows + day.new.num_rows


def test_a_stretch_no_longer_than_what_is_learned_at_once_is_learned_at_once(world: World) -> None:
    rows = whole(world)
    at_once = learn(None, rows, world.config)
    assert learn_forward(rows, world.config, FIRST_DAYS + 5).state.digest() == at_once.state.digest()


def test_a_step_sees_no_item_of_a_later_day(world: World) -> None:
    late = FIRST_SPAN + FIRST_DAYS
    catalogue = world.next_day.data.catalogue
    first_span = np.array(catalogue.column("first_span"))
    first_span[:3] = late
    place = catalogue.column_names.index("first_span")
    moved = catalogue.set_column(place, "first_span", pa.array(first_span))
    data = replace(world.next_day.data, catalogue=moved)
    assert data.as_of(late - 1).catalogue.num_rows == catalogue.num_rows - (first_span == late).sum()
    assert data.as_of(late - 1).item_days.column("span").to_numpy().max() == late - 1
    assert data.as_of(late).digest() == data.digest()


def test_nothing_to_learn_is_said(world: World) -> None:
    nothing = world.first.new.slice(0, 0)
    with pytest.raises(ValueError, match="name one day at least"):
        learn_forward(TrainingRows(nothing, nothing, nothing, world.first.data), world.config, 3)
