"""What the PyTorch side starts from, as NumPy arrays: rows, catalogue, weights, one step with its loss."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import tensorflow as tf

from benchmarks.throughput import rows
from benchmarks.throughput.keras_pipeline import Batch
from components.features.catalogue import NOVEL_DAYS
from components.trainer.model import FLOOR, TwoTower
from components.trainer.rates import table_rate
from components.trainer.trends import TrendTable
from schemas.events import BEHAVIORS

ARRAYS, SETTINGS = "arrays.npz", "settings.json"


def write(folder: Path) -> None:
    """`arrays.npz` and `settings.json`. Quantities are scaled; nothing in the step is forgotten."""
    state, steps, data = rows.encoded(folder)
    trends = TrendTable(data.item_days, steps.catalogue, int(steps.spans.min()), int(steps.spans.max()))
    model, batch = TwoTower(state), Batch(steps, trends)
    items = len(steps.catalogue.ids) - 1
    uniform = np.random.default_rng(0).integers(1, items + 1, state.config.uniform_negatives, np.int32)
    some = np.arange(min(steps.rows, state.config.batch_rows))
    of_step = batch.of(tf.constant(some), tf.constant(uniform))
    arrays = {f"weight:{name}": array for name, array in state.weights.items()}
    arrays |= {f"history:{name}": array for name, array in steps.histories.flat().items()}
    arrays |= {f"user:{name}": array for name, array in steps.users.of(batch.every).items()}
    arrays |= {
        "history_bounds": steps.histories.bounds,
        "bounds": steps.bounds,
        "taken": steps.positions,
        "taken_weight": steps.weights,
        "takers": steps.takers,
        "spans": steps.spans,
        "item:first": steps.catalogue.first,
        "item:last": steps.catalogue.last,
        "item:announced": trends.days(steps.catalogue.announced),
        "item:ids": steps.catalogue.ids,
        "item:categories": steps.catalogue.categories,
        "item:numbers": model.items.scaler(tf.constant(steps.catalogue.numbers)).numpy(),
        "user:user_numbers": model.users.scaler(tf.constant(steps.users.numbers)).numpy(),
        "trend": trends.cumulated,
        "days": trends.days(steps.spans),
        "uniform": uniform,
        "some": some,
        "loss": model.compute_loss(of_step).numpy(),
    }
    np.savez(folder / ARRAYS, **arrays)
    config = state.config.model_dump(mode="json")
    config["table_rate"] = table_rate(state.config, state.spec)
    spec = {"user_categories": state.spec.user_categories, "item_categories": state.spec.item_categories}
    ours = {"floor": FLOOR, "behaviors": len(BEHAVIORS), "novel_days": NOVEL_DAYS}
    (folder / SETTINGS).write_text(json.dumps({**config, **spec, **ours}))
