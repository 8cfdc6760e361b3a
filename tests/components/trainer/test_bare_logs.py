"""Logs that hold no more than they must: no tables, no prices, hardly any event."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf

from components.features.config import FeaturesConfig
from components.features.stretch import advance_stretch
from components.trainer.config import LearnConfig
from components.trainer.export import export
from components.trainer.features import FeatureSpec
from components.trainer.learn import TrainingRows, learn
from components.trainer.moment import push_rows
from components.trainer.rates import table_rate
from components.trainer.scoring import Scorer
from components.trainer.vocabulary import lookup_table
from schemas.signatures import RECOMMEND
from schemas.spans import held_out, start_of
from tests.components.trainer.conftest import CONFIG, WEIGHTS
from tests.factories import FIRST_SPAN, events_table


def bare(events: list[tuple[str, str]], items: pa.Table | None = None) -> TrainingRows:
    """Rows of one day on which (user, item) pairs follow one another, a second apart. items: their table."""
    start = start_of(FIRST_SPAN)
    table = events_table(
        [(str(n), user, item, start + n * 1_000_000, "click", None) for n, (user, item) in enumerate(events)]
    )
    rows, held, data = advance_stretch(None, {FIRST_SPAN: table}, items, None, FeaturesConfig(), WEIGHTS)
    return TrainingRows(rows, rows.slice(0, 0), held, data)


def learning_user() -> str:
    return next(f"u{n}" for n in range(100) if not held_out([f"u{n}"], FIRST_SPAN, CONFIG.holdout_share)[0])


@pytest.mark.parametrize("items", [1, 3])
def test_one_user_is_learned_and_served(items: int, tmp_path: Path) -> None:
    user = learning_user()
    rows = bare([(user, f"i{n}") for n in range(items)])
    candidate = learn(None, rows, CONFIG)
    assert candidate.report["diverged"] == 0
    export(candidate.state, rows.data, tmp_path / "1", 10)
    served = tf.saved_model.load(str(tmp_path / "1")).signatures[RECOMMEND](user_id=tf.constant([user, ""]))
    assert served["item_id"].shape == (2, items)
    _, scores = Scorer(candidate.state, rows.data).top_k(push_rows(rows.data, [user, ""]), 10)
    np.testing.assert_allclose(served["score"], scores, atol=1e-5)


def test_tastes_are_told_apart_where_ids_are_all_there_is() -> None:
    """Did items start as one vector, a day's passes would find popularity and nothing else."""
    rng = np.random.default_rng(0)
    users = [f"u{n}" for n in range(120)]
    events = [
        (user, f"{'ab'[taste]}{item}")
        for taste, user in zip(np.arange(len(users)) % 2, users, strict=True)
        for item in rng.choice(20, 8, replace=False)
    ]
    rows = bare(events)
    candidate = learn(None, rows, CONFIG.model_copy(update={"first_epochs": 8}))
    assert candidate.report["ids_alone"] == 1
    state = candidate.state
    ids, scores = Scorer(state, rows.data).top_k(push_rows(rows.data, users), 40)
    taken = set(events)
    apart = []
    for taste, user, of_user, score in zip(np.arange(len(users)) % 2, users, ids, scores, strict=True):
        fresh = np.array([(user, item) not in taken for item in of_user])
        own = np.array([item[0] == "ab"[taste] for item in of_user])
        apart.append(score[fresh & own].mean() - score[fresh & ~own].mean())
    assert np.mean(np.array(apart) > 0) > 0.8


def test_rows_of_ids_learn_faster_where_nothing_else_tells_items_apart() -> None:
    alone, described = (FeatureSpec((), (), kinds, ()) for kinds in ((), ("genre",)))
    assert table_rate(LearnConfig(), alone) == 3 * table_rate(LearnConfig(), described)
    assert table_rate(LearnConfig(table_rate=0.5), alone) == 0.5


def test_an_empty_catalogue_cannot_be_exported(tmp_path: Path) -> None:
    rows = bare([(learning_user(), "i0")])
    nothing = replace(rows.data, catalogue=rows.data.catalogue.slice(0, 0))
    candidate = learn(None, rows, CONFIG)
    with pytest.raises(ValueError, match="catalogue is empty"):
        export(candidate.state, nothing, tmp_path / "1", 10)


def test_text_ids_of_any_script_are_learned(tmp_path: Path) -> None:
    user = learning_user()
    rows = bare([(user, "чай"), (user, "a\0b"), (user, "line\nbreak"), (user, " ")])
    ids = Scorer(learn(None, rows, CONFIG).state, rows.data).top_k(push_rows(rows.data, [user]), 10)[0]
    assert sorted(ids[0]) == sorted(["чай", "a\0b", "line\nbreak", " "])


def test_columns_that_tell_nothing_are_left_out_and_an_empty_one_is_no_error(tmp_path: Path) -> None:
    items = pa.table(
        {
            "item_id": [f"i{n}" for n in range(200)],
            "title": [f"The {n}th film" for n in range(200)],
            "genre": [("drama", "comedy")[n % 2] for n in range(200)],
            "video_release": pa.array([None] * 200, pa.string()),
        }
    )
    user = learning_user()
    start = start_of(FIRST_SPAN)
    events = [(str(n), user, f"i{n}", start + n * 1_000_000, "click", None) for n in range(200)]
    rows, held, data = advance_stretch(
        None, {FIRST_SPAN: events_table(events)}, items, None, FeaturesConfig(), WEIGHTS
    )
    candidate = learn(None, TrainingRows(rows, rows.slice(0, 0), held, data), CONFIG)
    assert candidate.state.spec.item_categories == ("genre",)
    export(candidate.state, data, tmp_path / "1", 10)


def test_a_look_up_among_no_ids_finds_nothing() -> None:
    assert lookup_table([]).lookup(tf.constant(["", "a"])).numpy().tolist() == [0, 0]
