"""Adaptive reaction: when it tries again, how, what it takes, and that the judged half has no say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from components.features.data_state import DataState
from components.features.rows import scalar
from components.replay.config import ReplayConfig
from components.trainer.config import LearnConfig, ReactionConfig
from components.trainer.learn import Candidate, learn
from components.trainer.probe import loss, measure, on_probe, probe_rows, raised, weeks_of
from components.trainer.react import react
from components.trainer.scoring import Scorer
from components.trainer.state import ModelState
from tests.components.trainer.conftest import World


@pytest.fixture(scope="module")
def reacting(world: World) -> LearnConfig:
    """All days but the last are old at once, and a few rows suffice."""
    return world.config.model_copy(
        update={
            "recent_spans": 1,
            "holdout_share": 0.10,
            "replay": ReplayConfig(share=0.1, cap=0.2),
            "reaction": ReactionConfig(attempts=2, min_rows=1),
        }
    )


@pytest.fixture(scope="module")
def base(world: World, reacting: LearnConfig) -> ModelState:
    return react(None, world.first, reacting).state


def promised(state: ModelState, value: float) -> ModelState:
    """The state with the memory of a line that once reached `value` on every week."""
    return replace(state, probe_best=dict.fromkeys(set(weeks_of(state.held_out).astype(str)), value))


def test_the_loss_by_hand() -> None:
    now = {"1": (0.3, 10), "2": (0.1, 30), "3": (0.9, 5)}
    best = {"1": 0.4, "2": 0.1}
    assert loss(best, now) == pytest.approx(1 - (10 * 0.3 + 30 * 0.1) / (10 * 0.4 + 30 * 0.1))
    assert loss({}, now) == 0.0
    assert raised(best, now) == {"1": 0.4, "2": 0.1, "3": 0.9}


def test_a_catalogue_that_grows_is_no_forgetting(world: World, base: ModelState) -> None:
    """The same model on the same rows, with items that came later: each week's value is the same."""
    rows, data = base.held_out, world.first.data
    more = data.catalogue
    ids = pa.array([f"later {n}" for n in range(more.num_rows)])

    def grown(first_span: int) -> DataState:
        later = more
        for name, values in (("item_id", ids), ("first_span", pa.array([first_span] * more.num_rows))):
            later = later.set_column(later.column_names.index(name), name, values)
        return replace(data, catalogue=pa.concat_tables([data.catalogue, later]))

    assert measure(base, rows, grown(data.span + 1)) == measure(base, rows, data)
    there_before = Scorer(base, grown(0)).ranks(rows) - Scorer(base, data).ranks(rows)
    assert there_before.max() > 0, "items that were there on the day are candidates"


def test_without_a_reaction_it_is_learn_itself(world: World) -> None:
    assert not LearnConfig().reaction.attempts
    plain = react(world.base.state, world.next_day, world.config)
    assert plain.state.digest() == learn(world.base.state, world.next_day, world.config).state.digest()
    assert not on_probe(world.base.state.held_out, world.config).any()


def test_a_day_that_forgets_nothing_is_learned_once(
    world: World, base: ModelState, reacting: LearnConfig
) -> None:
    got = react(promised(base, 1e-6), world.next_day, reacting)
    once = learn(base, world.next_day, reacting).state
    assert got.attempts == ()
    assert got.report["attempts"] == 1
    assert all(np.array_equal(got.state.weights[name], once.weights[name]) for name in once.weights)


@pytest.fixture(scope="module")
def forgetful(world: World, base: ModelState, reacting: LearnConfig) -> Candidate:
    """What becomes of the day where the line was once far better."""
    return react(promised(base, 1.0), world.next_day, reacting)


def test_a_day_that_forgets_is_tried_again_with_more_replay_and_a_stronger_pull(
    world: World, forgetful: Candidate
) -> None:
    first, second, third = forgetful.attempts
    assert first["rows_replay"] == world.next_day.replay.num_rows
    assert second["rows_replay"] < third["rows_replay"]
    assert [one["pull"] for one in forgetful.attempts] == pytest.approx([0.0, 0.3, 0.9])
    lost = [one["probe_loss"] for one in forgetful.attempts]
    assert forgetful.report["probe_loss"] == min(lost) > 0.05
    assert [one["chosen"] for one in forgetful.attempts].index(1.0) == lost.index(min(lost))
    assert forgetful.report["rows_trained"] == sum(one["rows_trained"] for one in forgetful.attempts)
    assert forgetful.report["attempts"] == 3


def test_too_few_rows_prove_nothing(world: World, base: ModelState, reacting: LearnConfig) -> None:
    patient = reacting.model_copy(update={"reaction": ReactionConfig(attempts=2, min_rows=10_000)})
    assert react(promised(base, 1.0), world.next_day, patient).report["attempts"] == 1


def test_the_best_values_are_of_the_line_and_new_weeks_start_with_the_base(
    world: World, base: ModelState, reacting: LearnConfig
) -> None:
    assert base.probe_best == {}, "of a first model nothing is old"
    after = react(base, world.next_day, reacting).state
    old = probe_rows(after, world.next_day.learned_spans(), reacting)
    of_base, of_after = (measure(one, old, world.next_day.data) for one in (base, after))
    assert old.num_rows
    assert after.probe_best == {week: max(of_base[week][0], of_after[week][0]) for week in of_after}


def test_the_judged_half_has_no_say(
    world: World, base: ModelState, reacting: LearnConfig, forgetful: Candidate
) -> None:
    """Other truths in the half that the gate sees: the same attempts, the same choice, the same weights."""
    held = base.held_out
    probe = on_probe(held, reacting)
    assert 0 < probe.sum() < len(probe)
    users = np.array(scalar(held, "user_id").to_pylist())
    assert not set(users[probe]) & set(users[~probe])
    items = [
        one if aside else ["i000"] * len(one)
        for one, aside in zip(held["item_id"].to_pylist(), probe, strict=True)
    ]
    place = held.column_names.index("item_id")
    other = held.set_column(place, "item_id", pa.array(items, pa.list_(pa.string())))
    assert not other.equals(held)
    got = react(promised(replace(base, held_out=other), 1.0), world.next_day, reacting)
    assert [one["probe_loss"] for one in got.attempts] == [one["probe_loss"] for one in forgetful.attempts]
    assert got.state.probe_best == forgetful.state.probe_best
    for name, array in forgetful.state.weights.items():
        assert np.array_equal(got.state.weights[name], array)
