"""Every array of the model: its name, its shape and its value before anything is learned.

What is learned last may not spoil what little data suffices for: an untrained model is a blend of popularity,
personal frequency and likeness to what the user took.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping

import numpy as np

from components.features.catalogue import SIGNALS
from components.trainer.config import LearnConfig
from components.trainer.features import FeatureSpec
from components.trainer.vocabulary import Vocabulary
from schemas.events import BEHAVIORS
from schemas.rows import DECAYS, TREND_DAYS

HOURS, WEEKDAYS = 25, 7  # hour 0 stands for "unknown": nobody knows when a served list will be looked at
REPEAT_INPUTS = len(DECAYS) + 3 + 1 + len(DECAYS) + len(TREND_DAYS) + len(BEHAVIORS)
TREND_PRIOR = (0.1, 0.1, 0.2, 0.4, 0.0)
"""Weight of each trend before anything is learned, about the log of popularity in all, and of novelty."""
REPEAT_PRIOR = (0.0, 0.1, 0.3, 0.5, *(0.0,) * (REPEAT_INPUTS - 4))
"""Weight of each logarithm of a decayed count: about the log of how often the user takes the item."""
OUT_SCALE = 0.1
REPEAT_BIAS, REPEATS = 3.0, 0.03
"""What a past item gets on top, less where a smaller share than `REPEATS` of the positives are repeats."""
HEADS, PLACES = 2, "encoder/places"
"""Of the sequence encoder: heads, and the array of its places' vectors [recent_items, dimension]."""
ADDED = ("repeat/kind",)
"""Dense layers that states of earlier versions lack; at zero they leave the function as it was."""
WIDENED = "user/trend"
"""The dense layer of which they lack the last output, likewise."""
SPREAD, ALONE = 0.1, 0.03
"""Deviations of rows that start at random: as a rule, and of items where ids are all there is."""
ID_TABLES = {"user/id": "user", "item/id": "item", "item/bias": "item"}
"""Tables of ids, with the vocabulary that numbers their rows; a first model's start at zero as a rule."""


def tables(spec: FeatureSpec) -> dict[str, str | None]:
    """Names of the embedding tables -> the vocabulary that numbers the rows (None: a fixed number)."""
    of_features = {name.replace(":", "/feature/", 1): name for name in spec.vocabularies if ":" in name}
    return {**ID_TABLES, **of_features, "user/hour": None, "user/weekday": None}


def capacity(size: int) -> int:
    """Rows of a table for `size` indices: a quarter to spare, in steps of 64."""
    return math.ceil((size + size // 4 + 1) / 64) * 64


def table_rows(name: str, vocabulary: Vocabulary | None) -> int:
    """Rows of a table that is made now."""
    if vocabulary is None:
        return HOURS if name == "user/hour" else WEEKDAYS
    return capacity(vocabulary.size)


def table_width(name: str, config: LearnConfig) -> int:
    return 1 if name == "item/bias" else config.dimension


def dense_shapes(config: LearnConfig, spec: FeatureSpec) -> dict[str, tuple[int, int]]:
    """Names of the dense layers -> (inputs, outputs)."""
    width, hidden = config.dimension, config.hidden
    user = width * (len(config.half_lives) + 1) + 1 + len(DECAYS) + len(spec.user_numbers)
    shapes = {
        "user/hidden": (user, hidden),
        "user/out": (hidden, width),
        "user/skip": (user, width),
        "user/trend": (hidden, SIGNALS),
        "item/hidden": (width + len(spec.item_numbers), hidden),
        "item/out": (hidden, width),
        "repeat/hidden": (REPEAT_INPUTS, config.repeat_hidden),
        "repeat/kind": (width, config.repeat_hidden),
        "repeat/linear": (REPEAT_INPUTS, 1),
        "repeat/out": (config.repeat_hidden, 1),
    }
    if config.encoder == "attention":
        inputs = (1 + HEADS) * width
        shapes |= {f"encoder/ask_{head}": (width, width) for head in range(HEADS)}
        shapes |= {"encoder/hidden": (inputs, hidden), "encoder/out": (hidden, width)}
        shapes |= {"encoder/skip": (inputs, width)}
    return shapes


def completed(
    weights: dict[str, np.ndarray], config: LearnConfig, spec: FeatureSpec
) -> dict[str, np.ndarray]:
    """The arrays, with layers and outputs that were added since they were learned at zero."""
    arrays = widened(weights)
    for name in ADDED:
        inputs, outputs = dense_shapes(config, spec)[name]
        arrays.setdefault(f"{name}/kernel", np.zeros((inputs, outputs), np.float32))
        arrays.setdefault(f"{name}/bias", np.zeros(outputs, np.float32))
    return arrays


def widened(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Weights, or slots, in which the widened layer has all its outputs; the new ones are zero."""

    def whole(array: np.ndarray) -> np.ndarray:
        missing = SIGNALS - array.shape[-1]
        return np.pad(array, [(0, 0)] * (array.ndim - 1) + [(0, missing)]) if missing > 0 else array

    of_layer = (f"{WIDENED}/kernel", f"{WIDENED}/bias")
    return {name: whole(one) if name.endswith(of_layer) else one for name, one in arrays.items()}


def initial_table(name: str, rows: int, width: int, config: LearnConfig, spec: FeatureSpec) -> np.ndarray:
    """float32 [rows, width]; row r is a function of (seed, name, r), however many rows are asked for.

    Where items have ids alone `spectral` adds to it what their takers tell.
    """
    deviation = _deviation(name, config, spec)
    if not deviation:
        return np.zeros((rows, width), np.float32)
    rng = np.random.default_rng([config.seed, zlib.crc32(name.encode())])
    return (rng.standard_normal((rows, width)) * deviation).astype(np.float32)


def _deviation(name: str, config: LearnConfig, spec: FeatureSpec) -> float:
    """Ids start at zero, but those of items where the zero vector would be no start.

    Where directions count, and where items have ids alone, so that all of them would begin as one and
    histories as nothing.
    """
    if name not in ID_TABLES:
        return SPREAD
    if name != "item/id":
        return 0.0
    if config.cosine:
        return SPREAD
    return ALONE if spec.ids_alone else 0.0


def with_rows(array: np.ndarray, rows: np.ndarray, values: np.ndarray | np.float32) -> np.ndarray:
    """A copy of `array` with other values at `rows`."""
    changed = array.copy()
    changed[rows] = values
    return changed


def initial(
    config: LearnConfig, spec: FeatureSpec, vocabularies: Mapping[str, Vocabulary], repeats: float
) -> dict[str, np.ndarray]:
    """All arrays of a model that has learned nothing; dense kernels as by Glorot & Bengio (2010).

    repeats: the share, in (0, 1], of positives that the user had taken before.
    """
    arrays = {}
    for name, vocabulary in tables(spec).items():
        rows = table_rows(name, vocabularies[vocabulary] if vocabulary else None)
        arrays[name] = initial_table(name, rows, table_width(name, config), config, spec)
    for name, (inputs, outputs) in dense_shapes(config, spec).items():
        rng = np.random.default_rng([config.seed, zlib.crc32(name.encode())])
        limit = math.sqrt(6 / (inputs + outputs))
        arrays[f"{name}/kernel"] = rng.uniform(-limit, limit, (inputs, outputs)).astype(np.float32)
        arrays[f"{name}/bias"] = np.zeros(outputs, np.float32)
    return {**arrays, **_prior(config, spec, arrays, repeats)}


def _prior(
    config: LearnConfig, spec: FeatureSpec, arrays: Mapping[str, np.ndarray], repeats: float
) -> dict[str, np.ndarray]:
    """What makes the untrained model a blend of popularity, personal frequency and likeness to the past."""
    zeroed = ("item/out", "user/trend", "repeat/kind", "repeat/out", "repeat/linear", "user/skip")
    prior = {f"{name}/kernel": np.zeros_like(arrays[f"{name}/kernel"]) for name in zeroed}
    for place in range(len(config.half_lives)):
        rows = slice(place * config.dimension, (place + 1) * config.dimension)
        np.fill_diagonal(prior["user/skip/kernel"][rows], config.likeness / len(config.half_lives))
    # Small, not zero: the hidden layer learns through it.
    prior["user/out/kernel"] = OUT_SCALE * arrays["user/out/kernel"]
    if config.encoder == "attention":
        prior |= {
            f"encoder/{name}/kernel": np.zeros_like(arrays[f"encoder/{name}/kernel"])
            for name in ("out", "skip")
        }
        np.fill_diagonal(prior["encoder/skip/kernel"][: config.dimension], config.likeness)
        prior[PLACES] = initial_table(PLACES, config.recent_items, config.dimension, config, spec)
    prior["user/trend/bias"] = np.array(TREND_PRIOR, np.float32)
    prior["repeat/linear/kernel"][:, 0] = REPEAT_PRIOR
    prior["repeat/linear/bias"] = np.array([REPEAT_BIAS + min(0.0, math.log(repeats / REPEATS))], np.float32)
    return prior
