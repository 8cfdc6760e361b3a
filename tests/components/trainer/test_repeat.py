"""The repeat term knows what kind of item a past item is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import tensorflow as tf

from components.features.config import FeaturesConfig
from components.features.stretch import advance_stretch
from components.trainer.inputs import Lookups
from components.trainer.learn import TrainingRows, learn
from components.trainer.ranker import Ranker
from components.trainer.state import ModelState
from components.trainer.vocabulary import look_up
from schemas.rows import DECAYED, TREND_DAYS
from schemas.spans import start_of
from tests.components.trainer.conftest import CONFIG, WEIGHTS
from tests.factories import FIRST_SPAN, events_table

USERS, DAYS, KETTLES = 40, 8, 60


def milk_daily_and_another_kettle() -> TrainingRows:
    """Everybody takes the same milk every day, and on each day a kettle that they do not have yet."""
    days = {}
    for day in range(DAYS):
        start = start_of(FIRST_SPAN + day)
        taken = [
            (f"u{user}", item)
            for user in range(USERS)
            for item in (f"milk {user % 5}", f"kettle {(7 * user + day) % KETTLES}")
        ]
        days[FIRST_SPAN + day] = events_table(
            [
                (f"{day} {n}", user, item, start + n * 1_000_000, "purchase", None)
                for n, (user, item) in enumerate(taken)
            ]
        )
    names = [*(f"milk {n}" for n in range(5)), *(f"kettle {n}" for n in range(KETTLES))]
    items = pa.table({"item_id": names, "category": [name.split()[0] for name in names]})
    rows, held, data = advance_stretch(None, days, items, None, FeaturesConfig(), WEIGHTS)
    return TrainingRows(rows, rows.slice(0, 0), held, data)


def worth(state: ModelState, rows: TrainingRows) -> np.ndarray:
    """float32 [2]: of a milk and a kettle, each taken once, a day ago, by the same user."""
    ranker = Ranker(state, Lookups(state), rows.data, price="price")
    places = look_up(ranker.catalogue.positions, pa.array(["milk 0", "kettle 0"]))
    ones = tf.ones([2])
    batch = {"user": tf.zeros([1], tf.int32), "owner": tf.zeros([2], tf.int32)}
    batch |= {"times": ones, "last": ones, "first": ones, "behavior": tf.ones([2], tf.int32)}
    batch |= {"decayed": tf.ones([2, len(DECAYED)])}
    kinds = ranker.model.repeat.kinds(tf.gather(ranker.represented, places))
    return ranker.model.repeat(batch, tf.zeros([2, len(TREND_DAYS)]), kinds).numpy()


def test_what_is_taken_again_is_worth_more_than_what_never_is_though_the_user_did_the_same() -> None:
    rows = milk_daily_and_another_kettle()
    config = CONFIG.model_copy(update={"first_epochs": 8})
    milk, kettle = worth(learn(None, rows, config).state, rows)
    assert milk > kettle + 0.5


def test_before_anything_is_learned_all_kinds_are_alike() -> None:
    rows = milk_daily_and_another_kettle()
    nothing = replace(rows, new=rows.new.slice(0, 0), spans=rows.learned_spans())
    milk, kettle = worth(learn(None, nothing, CONFIG).state, nothing)
    assert milk == kettle
