"""Keras' side: `fit` of the same TFRS model. python -m benchmarks.throughput.keras_fit FOLDER PASSES adam"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import tensorflow as tf

from benchmarks.throughput import rows
from benchmarks.throughput.keras_pipeline import dataset
from components.trainer.model import TwoTower
from components.trainer.rates import table_rate
from components.trainer.trends import TrendTable

OPTIMIZERS = {
    "adagrad": lambda state: tf.keras.optimizers.Adagrad(table_rate(state.config, state.spec)),
    "adam": lambda state: tf.keras.optimizers.Adam(state.config.dense_rate),
}


class Clock(tf.keras.callbacks.Callback):
    """When each pass ended, by the wall and by the seconds of cores."""

    def __init__(self) -> None:
        super().__init__()
        self.times, self.cpu = [time.perf_counter()], [time.process_time()]

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self.times.append(time.perf_counter())
        self.cpu.append(time.process_time())


def measure(folder: Path, passes: int, optimizer: str) -> dict[str, float]:
    """Seconds of the first pass, set-up and tracing included, and of a later one."""
    state, steps, data = rows.encoded(folder)
    clock = Clock()
    trends = TrendTable(data.item_days, steps.catalogue, int(steps.spans.min()), int(steps.spans.max()))
    model = TwoTower(state)
    model.compile(OPTIMIZERS[optimizer](state))
    model.fit(dataset(steps, trends, state.config.seed), epochs=1 + passes, verbose=0, callbacks=[clock])
    first, *later = (after - before for before, after in zip(clock.times, clock.times[1:], strict=False))
    return {"first": first, "later": sum(later) / passes, "cpu": (clock.cpu[-1] - clock.cpu[1]) / passes}


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])))
