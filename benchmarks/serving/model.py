"""The product's own export with a catalogue of any size: a small shop that sells many more items."""

from __future__ import annotations

import datetime as dt
import json
import time
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import tensorflow as tf

from components.events.config import BehaviorWeights
from components.features.config import FeaturesConfig
from components.features.data_state import DataState
from components.features.stretch import advance_stretch
from components.release.release import write_expectations
from components.simulator.config import SimulatorConfig
from components.simulator.simulate import simulate
from components.simulator.world import World
from components.trainer.config import LearnConfig
from components.trainer.export import export
from components.trainer.learn import TrainingRows, learn
from components.trainer.state import ModelState
from schemas.lineage import digest_of
from schemas.signatures import LINEAGE_FILE, RECOMMEND

K = 20
DIMENSION = 64
_SHOP = SimulatorConfig(
    days=14, start=dt.date(2026, 1, 1), users=2000, items=400, events_per_day=6000, drift=0.0, new_items=0.0
)


@dataclass(frozen=True)
class Shop:
    """What two weeks of it have left."""

    state: ModelState
    data: DataState

    @property
    def users(self) -> list[str]:
        return self.data.users.column("user_id").to_pylist()


@cache
def shop() -> Shop:
    """Learned once, in seconds: how fast answers come does not depend on how good they are."""
    world = World(_SHOP)
    by_span = {day.span: day.events for day in simulate(_SHOP, world)}
    tables = world.item_table(), world.user_table(), FeaturesConfig(), BehaviorWeights().model_dump()
    new, held_out, data = advance_stretch(None, by_span, *tables)
    config = LearnConfig(dimension=DIMENSION, first_epochs=1)
    return Shop(learn(None, TrainingRows(new, new.slice(0, 0), held_out, data), config).state, data)


def write(folder: Path, items: int) -> None:
    """A version as a push leaves it, with so many items: the shop's own, and others of another price."""
    known = shop()
    data = replace(known.data, catalogue=_more(known.data.catalogue, items))
    export(known.state, data, folder, K)
    write_expectations(folder, known.state, data, list_length=K, users=2, seed=0)
    (folder / LINEAGE_FILE).write_text(json.dumps({"files_digest": digest_of(folder)}))


def _more(catalogue: pa.Table, items: int) -> pa.Table:
    """The catalogue with drawn rows of its own behind it, as new items; at least its own."""
    rng = np.random.default_rng(0)
    extra = max(items - catalogue.num_rows, 0)
    drawn = catalogue.take(pa.array(rng.integers(0, catalogue.num_rows, extra)))
    columns = {
        "item_id": pa.array([f"more-{number:07d}" for number in range(extra)]),
        "first_span": pa.array(np.full(extra, max(catalogue.column("first_span").to_pylist()) + 1)),
    }
    for name in ("price", "price_before"):
        columns[name] = pa.array(rng.uniform(1, 100, extra))
    for name, values in columns.items():
        place = drawn.column_names.index(name)
        drawn = drawn.set_column(place, name, values.cast(catalogue.schema.field(name).type))
    return pa.concat_tables([catalogue, drawn])


class RawCall:
    """`recommend` of a SavedModel in this process."""

    def __init__(self, folder: Path) -> None:
        self._model = tf.saved_model.load(str(folder))

    def milliseconds(self, rows: int, seconds: float) -> list[float]:
        """What each call takes, from tensors to arrays."""
        run, users, number = self._model.signatures[RECOMMEND], shop().users, 0
        took: list[float] = []
        end = time.perf_counter() + seconds
        while time.perf_counter() < end or len(took) < 10:
            asked = tf.constant([users[(number + row) % len(users)] for row in range(rows)])
            started = time.perf_counter()
            for tensor in run(user_id=asked).values():
                tensor.numpy()
            took.append((time.perf_counter() - started) * 1e3)
            number += rows
        return took[len(took) // 10 :]  # the first ones trace and warm
