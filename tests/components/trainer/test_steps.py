"""Training steps: what they hold, what they train, what they leave alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf

from components.features.data_state import DataState
from components.features.rows import flat, offsets, scalar
from components.replay.identity import canonical
from components.replay.prepare import of_spans
from components.trainer.averages import Averages, of_optimizer
from components.trainer.compiled import CompiledStep
from components.trainer.model import TwoTower
from components.trainer.optimizer import ACCUMULATOR, RowSparse
from components.trainer.steps import Arrays, Steps
from components.trainer.trends import TrendTable
from schemas.rows import TRENDS
from tests.components.trainer.conftest import World, with_late
from tests.factories import FIRST_SPAN


@pytest.fixture(scope="module")
def steps(world: World) -> Steps:
    return Steps(world.base.state, canonical(world.first.new), world.first.data, world.config)


def step(steps: Steps, rows: list[int]) -> Arrays:
    return steps.step(np.array(rows), np.random.default_rng(0))


def test_every_positive_is_labelled_once_with_its_weight(world: World, steps: Steps) -> None:
    arrays = step(steps, [100, 3, 57])
    rows = canonical(world.first.new)
    weights = world.config.behavior_weights.model_dump()
    items = world.first.data.catalogue.column("item_id").to_pylist()
    bounds, ids, behaviors = (offsets(rows, "item_id"), flat(rows, "item_id"), flat(rows, "behavior"))
    for place, row in enumerate([100, 3, 57]):
        expected = {
            ids[n].as_py(): weights[behaviors[n].as_py()] for n in range(bounds[row], bounds[row + 1])
        }
        of_row = arrays["positive"][:, 0] == place
        of_candidates = arrays["candidate_position"][arrays["positive"][of_row, 1]]
        of_history = np.flatnonzero(arrays["history_weight"] * (arrays["owner"] == place))
        got = {
            items[position - 1]: weight
            for position, weight in zip(of_candidates, arrays["positive_weight"][of_row], strict=True)
        }
        got |= {items[arrays["history_position"][n] - 1]: arrays["history_weight"][n] for n in of_history}
        assert got == pytest.approx(expected)


def test_what_a_row_took_has_itself_or_could_not_have_is_none_of_its_negatives(world: World) -> None:
    data = with_late(world.first.data, slice(None, None, 3), world.first.data.span)
    steps = Steps(world.base.state, canonical(world.first.new), data, world.config)
    arrays = step(steps, list(range(0, 200, 13)))
    candidates = arrays["candidate_position"]
    for place, excluded in enumerate(arrays["candidate_excluded"]):
        past = set(arrays["history_position"][arrays["owner"] == place])
        taken = candidates[arrays["positive"][arrays["positive"][:, 0] == place, 1]]
        assert not past & set(taken)
        to_come = steps.catalogue.first[candidates] > arrays["span"][place]
        assert to_come.any() == (arrays["span"][place] < data.span)
        assert np.array_equal(excluded, np.isin(candidates, [*past, *taken]) | to_come)


def test_items_are_there_from_their_first_day_to_their_last(world: World) -> None:
    catalogue = world.first.data.catalogue
    first = np.asarray(catalogue.column("first_span"))
    until = pa.array([None, *(first[1:] + 1)], pa.int64())
    changed = replace(world.first.data, catalogue=catalogue.append_column("available_until", until))
    rows = canonical(world.first.new)
    found = Steps(world.base.state, rows, changed, world.config).catalogue
    days = np.arange(first.min() - 1, first.max() + 4)
    absent = found.absent(np.arange(len(first) + 1), days)
    there = (first <= days[:, None]) & (days[:, None] <= first + 1)
    there[:, 0] = first[0] <= days
    assert not absent[:, 0].any()
    assert np.array_equal(absent[:, 1:], ~there)


def test_rows_of_earlier_days_teach_nothing_of_an_item_that_came_later(world: World) -> None:
    rows = of_spans(canonical(world.first.new), [FIRST_SPAN])
    ids = world.first.data.catalogue.column("item_id").to_pylist()
    not_taken = sorted(set(ids) - set(flat(rows, "item_id").to_pylist()))[0]
    place = ids.index(not_taken)
    later = with_late(world.first.data, slice(place, place + 1), FIRST_SPAN + 1)
    row = world.base.state.vocabularies["item"].ids.index(not_taken) + 1

    def moved(data: DataState) -> bool:
        steps = Steps(world.base.state, rows, data, world.config)
        batches = list(steps.epoch(np.random.default_rng(0)))
        assert any(row in arrays["item"] for arrays in batches)
        model, _ = trained(world, steps, batches)
        return bool(model.arrays()["item/bias"][row] != world.base.state.weights["item/bias"][row])

    assert moved(world.first.data)
    assert not moved(later)


def test_trends_equal_the_rows_own(world: World, steps: Steps) -> None:
    rows = canonical(world.first.new)
    table = TrendTable(
        world.first.data.item_days, steps.catalogue, int(steps.spans.min()), int(steps.spans.max())
    )
    of_item = np.repeat(np.arange(rows.num_rows), np.diff(offsets(rows, "item_id")))
    expected = np.stack([flat(rows, name) for name in TRENDS], axis=1)
    found = table.of(table.days(steps.spans[of_item]), steps.positions)
    np.testing.assert_allclose(found[:, : len(TRENDS)], expected, rtol=1e-6)
    arrays = step(steps, [100, 3, 57])
    inputs = {**arrays, **table.distinct_days(arrays["span"])}
    of_step = table.of_step({name: tf.constant(one) for name, one in inputs.items() if name != "span"})
    of_candidate = table.of(table.days(arrays["span"])[:, None], arrays["candidate_position"])
    by_row = tf.gather(of_step["candidate_trend"], inputs["day_of"])
    assert np.array_equal(tf.transpose(by_row, [0, 2, 1]), of_candidate)
    of_past = table.of(table.days(arrays["span"])[arrays["owner"]], arrays["history_position"])
    assert np.array_equal(of_step["history_trend"], of_past)


def test_a_table_of_all_days_says_what_a_day_says(world: World) -> None:
    data = with_late(world.first.data, slice(None, None, 3), world.first.data.span - 1)
    late = np.asarray(data.catalogue.column("first_span")) == data.span - 1
    place = data.catalogue.column_names.index("announced")
    told = data.catalogue.set_column(place, "announced", pa.array(late.astype(np.int64)))
    data = replace(data, catalogue=told)
    steps = Steps(world.base.state, canonical(world.first.new), data, world.config)
    table = TrendTable(data.item_days, steps.catalogue, int(steps.spans.min()), int(steps.spans.max()))
    every_item = np.arange(1, data.catalogue.num_rows + 1, dtype=np.int32)
    for span, novelty in ((data.span - 1, np.log(28.0)), (data.span, np.log(14.0))):
        found = table.of(table.days(np.array([span])), every_item)
        np.testing.assert_allclose(found, data.trends(span), rtol=1e-6)
        np.testing.assert_allclose(found[:, -1], np.where(late, novelty, 0.0), rtol=1e-6)
    assert data.trends(data.span + 26)[:, -1].max() == 0


def trained(world: World, steps: Steps, batches: list[Arrays]) -> tuple[TwoTower, RowSparse]:
    state = world.base.state
    model, slots = TwoTower(state), of_optimizer(state.slots)
    optimizer = RowSparse(model.table_variables, model.dense_variables, 0.1, 0.01, slots)
    averages = Averages(model.query_variables, state.weights, state.config.average_steps)
    run = CompiledStep(model, optimizer, steps, world.first.data, averages)
    for arrays in batches:
        run(run.inputs(arrays))
    return model, optimizer


def test_rows_that_a_step_does_not_touch_stay_bit_equal(world: World, steps: Steps) -> None:
    arrays = step(steps, [5, 6])
    model, optimizer = trained(world, steps, [arrays])
    before, after, slots = world.base.state.weights, model.arrays(), optimizer.slots()
    touched = {
        "item/id": arrays["item"], "item/bias": arrays["item"], "user/id": arrays["user"],
        "user/weekday": arrays["weekday"], "user/hour": arrays["hour"],
        "item/feature/category": arrays["item_categories"], "user/feature/income": arrays["user_categories"],
    }  # fmt: skip
    assert set(touched) == set(model.table_variables)
    for name, rows in touched.items():
        untouched = np.setdiff1d(np.arange(len(before[name])), rows)
        assert len(untouched), name
        assert np.array_equal(after[name][untouched], before[name][untouched]), name
        slot = ACCUMULATOR + name
        assert np.array_equal(slots[slot][untouched], world.base.state.slots[slot][untouched]), name
        assert not np.array_equal(after[name], before[name]), name


def test_a_step_starts_from_the_slots_of_the_base(world: World) -> None:
    model = TwoTower(world.base.state)
    of_base = of_optimizer(world.base.state.slots)
    slots = RowSparse(model.table_variables, model.dense_variables, 0.1, 0.01, of_base).slots()
    assert slots.keys() == of_base.keys()
    assert all(np.array_equal(slots[name], of_base[name]) for name in slots)


def test_unknown_rows_are_trained(world: World) -> None:
    weights = world.base.state.weights
    for name in ("user/id", "item/id", "item/bias"):
        assert np.abs(weights[name][0]).max() > 0, name


def test_steps_of_all_sizes_share_one_trace(
    world: World, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    traced = []
    apply = RowSparse.apply
    monkeypatch.setattr(RowSparse, "apply", lambda *arguments: (traced.append(1), apply(*arguments))[1])
    trained(world, steps, [step(steps, [1]), step(steps, [1, 2, 3]), step(steps, list(range(40)))])
    assert len(traced) == 1


def test_an_epoch_holds_every_row_once_and_forgets_some_ids(world: World, steps: Steps) -> None:
    users: list[int] = []
    for arrays in steps.epoch(np.random.default_rng(0)):
        users += arrays["user"].tolist()
    assert len(users) == steps.rows
    share = users.count(0) / len(users)
    assert 0 < share < 4 * world.config.unknown_rate
    assert not (steps.users.ids == 0).any()
    assert len(set(scalar(world.first.new, "user_id").to_pylist())) == len(set(steps.users.ids))
