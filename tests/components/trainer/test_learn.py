"""What `learn` promises: determinism, warm starts, memories, refusals."""

from __future__ import annotations

import gc
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from tensorflow.python.framework.func_graph import FuncGraph

from components.trainer.config import LearnConfig
from components.trainer.learn import later_share, learn
from components.trainer.scoring import Scorer
from components.trainer.state import ModelState
from components.trainer.weights import ADDED, WIDENED
from tests.components.trainer.conftest import FIRST_DAYS, World
from tests.factories import FIRST_SPAN


def same_arrays(one: ModelState, other: ModelState) -> bool:
    pairs = ((one.weights, other.weights), (one.slots, other.slots))
    return all(a.keys() == b.keys() and all(np.array_equal(a[n], b[n]) for n in a) for a, b in pairs)


def shuffled(rows: pa.Table) -> pa.Table:
    return rows.take(pa.array(np.random.default_rng(1).permutation(rows.num_rows)))


def test_same_arguments_give_the_same_bits_whatever_the_order_of_the_rows(world: World) -> None:
    once = learn(world.base.state, world.next_day, world.config).state
    mixed = replace(world.next_day, new=shuffled(world.next_day.new), replay=shuffled(world.next_day.replay))
    again = learn(world.base.state, mixed, world.config).state
    assert same_arrays(once, again)
    assert once.digest() == again.digest()
    other = learn(world.base.state, world.next_day, world.config.model_copy(update={"seed": 1})).state
    assert not same_arrays(once, other)


def test_loss_falls_and_the_report_counts(world: World) -> None:
    report = world.base.report
    assert report["loss_last"] < report["loss_first"]
    assert report["rows_new"] == world.first.new.num_rows
    assert report["epochs"] == 2
    assert report["ids_alone"] == 0, "a category tells who takes what"
    assert report["diverged"] == 0


def test_a_learn_leaves_no_graph_behind(world: World) -> None:
    """A backtest learns thousands of times in one process."""

    def graphs() -> int:
        gc.collect()
        return sum(isinstance(one, FuncGraph) and one.name == "run" for one in gc.get_objects())

    before = graphs()
    learn(world.base.state, world.next_day, world.config)
    assert graphs() == before


def test_an_exploding_rate_is_reported_as_diverged(world: World) -> None:
    wild = world.config.model_copy(update={"dense_rate": 1e30, "later_rate": 1.0})
    assert learn(world.base.state, world.next_day, wild).report["diverged"] == 1


def test_a_warm_start_continues_counters_and_accumulators(world: World) -> None:
    before, after = world.base.state.slots, learn(world.base.state, world.next_day, world.config).state.slots
    steps = -(-(world.next_day.new.num_rows + world.next_day.replay.num_rows) // world.config.batch_rows)
    for name in ("adagrad/iterations", "adam/iterations"):
        assert after[name] == before[name] + steps
    for name, slot in before.items():
        if name.startswith("adagrad/accumulator"):
            assert (after[name][: len(slot)] >= slot).all(), name
    assert after.keys() == before.keys()


def test_a_day_without_rows_keeps_every_weight_and_counts_as_learned(world: World) -> None:
    nothing = world.next_day.new.slice(0, 0)
    day = replace(
        world.next_day, new=nothing, replay=nothing, held_out=nothing, spans=(world.next_day.data.span,)
    )
    after = learn(world.base.state, day, world.config).state
    assert after.spans_learned[-1] == world.next_day.data.span
    for name, array in world.base.state.weights.items():
        assert np.array_equal(after.weights[name][: len(array)], array)


def test_spans_rows_and_held_out_rows_are_remembered(world: World) -> None:
    state = world.base.state
    assert state.spans_learned == tuple(range(FIRST_SPAN, FIRST_SPAN + FIRST_DAYS))
    assert state.buffer.num_rows == world.first.new.num_rows
    assert state.held_out.num_rows == world.first.held_out.num_rows


def test_a_held_out_row_is_refused_by_user_and_span(world: World) -> None:
    leaked = pa.concat_tables([world.next_day.new, world.next_day.held_out])
    span = world.next_day.data.span
    with pytest.raises(ValueError, match=rf"user '.+' on span {span} .* held out"):
        learn(world.base.state, replace(world.next_day, new=leaked), world.config)


def test_rows_learned_before_the_share_was_raised_may_still_be_replayed(world: World) -> None:
    raised = replace(world.next_day, new=world.next_day.new.slice(0, 0), replay=world.base.state.buffer)
    more = world.config.model_copy(update={"holdout_share": 0.5})
    assert learn(world.base.state, raised, more).report["rows_replay"] == world.first.new.num_rows


def test_a_span_is_learned_once(world: World) -> None:
    with pytest.raises(ValueError, match=f"span {FIRST_SPAN} .* was learned before"):
        learn(world.base.state, world.first, world.config)


def test_another_shape_than_the_base_has_is_refused(world: World) -> None:
    wider = world.config.model_copy(update={"dimension": 16})
    with pytest.raises(ValueError, match=r"learn.dimension is 16, but the base was learned with 8.*rebuild"):
        learn(world.base.state, world.next_day, wider)


def test_a_base_of_before_layers_and_outputs_were_added_scores_and_is_learned_on(world: World) -> None:
    """Such a state lacks their arrays and slots; with these at zero it says what it said."""
    names = {f"{layer}/{part}" for layer in ADDED for part in ("kernel", "bias")}
    weights, slots = world.base.state.weights, world.base.state.slots

    def of_before(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        there = {name: one for name, one in arrays.items() if name.split(":")[-1] not in names}
        return {name: one[..., :-1] if WIDENED in name else one for name, one in there.items()}

    before = replace(world.base.state, weights=of_before(weights), slots=of_before(slots))
    zeroed = {name: np.zeros_like(one) if name in names else one for name, one in weights.items()}
    for part in ("kernel", "bias"):
        zeroed[f"{WIDENED}/{part}"] = zeroed[f"{WIDENED}/{part}"].copy()
        zeroed[f"{WIDENED}/{part}"][..., -1] = 0.0
    at_zero = replace(world.base.state, weights=zeroed)
    rows = world.next_day.new
    expected = Scorer(at_zero, world.first.data).ranks(rows)
    np.testing.assert_array_equal(Scorer(before, world.first.data).ranks(rows), expected)
    after = learn(before, world.next_day, world.config.model_copy(update={"pull": 1.0})).state
    assert after.weights.keys() == weights.keys()
    assert {name: one.shape for name, one in after.slots.items()} == {
        n: one.shape for n, one in slots.items()
    }
    assert after.weights["repeat/kind/kernel"].any()


def test_rates_fall_with_the_steps_so_far_and_never_to_nothing() -> None:
    config = LearnConfig(later_rate=0.4, rate_steps=1000)
    shares = [later_share(steps, config) for steps in (0, 1, 1000, 1500, 2000, 2500, 10**9)]
    assert shares == pytest.approx([1.0, 1.0, 1.0, 2 / 3, 0.5, 0.4, 0.4])
    at_once = config.model_copy(update={"rate_steps": 0})
    assert later_share(1, at_once) == 0.4


def test_a_base_that_has_seen_much_moves_less(world: World) -> None:
    base = world.base.state
    counters = {name: np.int64(10**6) for name in base.slots if name.endswith("/iterations")}
    seasoned = replace(base, slots=base.slots | counters)

    def moved(state: ModelState) -> float:
        after = learn(state, world.next_day, world.config).state
        return float(np.abs(after.weights["item/id"] - base.weights["item/id"]).sum())

    assert moved(seasoned) < 0.6 * moved(base)
