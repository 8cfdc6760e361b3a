"""The trainer's answers and the exported model's, compared by the smoke test itself."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from components.features.config import FeaturesConfig
from components.features.data_state import DataState
from components.features.stretch import advance_stretch
from components.smoke.expectations import expectations
from components.smoke.smoke import smoke
from components.smoke.warmup import write_warm_up
from components.trainer.config import LearnConfig
from components.trainer.export import export
from components.trainer.learn import TrainingRows, learn
from components.trainer.scoring import Scorer
from components.trainer.state import ModelState
from schemas.signatures import RECOMMEND, RECOMMEND_CONTEXT, RECOMMEND_RECENT, SCORE, SMOKE_FILE
from tests import factories

LENGTH = 5


@pytest.fixture(scope="module")
def learned() -> tuple[ModelState, DataState]:
    config = LearnConfig(dimension=8, hidden=8, repeat_hidden=4, first_epochs=1, uniform_negatives=16)
    new, held_out, data = advance_stretch(
        None,
        factories.make_events(days=3),
        factories.make_items(),
        factories.make_users(),
        FeaturesConfig(),
        config.behavior_weights.model_dump(),
    )
    rows = TrainingRows(new, new.slice(0, 0), held_out, data)
    return learn(None, rows, config).state, data


@pytest.fixture(scope="module")
def asked(learned: tuple[ModelState, DataState]) -> list[dict]:
    state, data = learned
    return expectations(Scorer(state, data), data, list_length=LENGTH, users=10, seed=1)


def test_every_signature_is_asked(asked):
    names = [one["signature"] for one in asked]
    assert names == [RECOMMEND, RECOMMEND, RECOMMEND_RECENT, SCORE, RECOMMEND_CONTEXT]


def test_known_unknown_and_nobody(asked, learned):
    users = asked[0]["inputs"]["user_id"] + asked[1]["inputs"]["user_id"]
    known = set(learned[1].users.column("user_id").to_pylist())
    assert len(set(users)) == 12
    assert [user in known for user in users] == [True] * 10 + [False] * 2
    assert users[-1] == ""
    outputs = asked[1]["outputs"]
    assert outputs["item_id"][-1] == outputs["item_id"][-2]  # an unknown user is nobody


def test_lists_are_as_long_as_served(asked):
    for one in asked[:3]:
        assert all(len(row) == LENGTH for row in one["outputs"]["item_id"])


def test_an_item_that_does_not_exist_scores_minus_infinity(asked):
    pairs = dict(zip(asked[3]["inputs"]["item_id"], asked[3]["outputs"]["score"], strict=True))
    assert [item for item, score in pairs.items() if score == -math.inf] == ["unknown-item"]


def test_the_seed_decides(learned):
    state, data = learned
    scorer = Scorer(state, data)
    first, again, other = (
        expectations(scorer, data, list_length=2, users=3, seed=seed) for seed in (5, 5, 6)
    )
    assert first == again
    assert first[0]["inputs"] != other[0]["inputs"]


def test_the_export_gives_the_trainers_answers(asked, learned, tmp_path: Path):
    state, data = learned
    export(state, data, tmp_path, LENGTH)
    (tmp_path / SMOKE_FILE).parent.mkdir(exist_ok=True)
    (tmp_path / SMOKE_FILE).write_text(json.dumps(asked))
    write_warm_up(tmp_path, asked)
    result = smoke(tmp_path)
    assert result.passed, result.reason
