"""How large a later learn's steps are: by what was learned before, and by how little a day brings."""

from __future__ import annotations

from components.trainer.config import LearnConfig
from components.trainer.features import FeatureSpec

WITH_FEATURES, IDS_ALONE = 0.01, 0.03


def table_rate(config: LearnConfig, spec: FeatureSpec) -> float:
    """The initial rate of tables where none is set: ids learn faster where nothing else tells items apart.

    Beside categories, which many items share, rows of ids are to say little until much is known of them.
    """
    if config.table_rate is not None:
        return config.table_rate
    return IDS_ALONE if spec.ids_alone else WITH_FEATURES


def later_share(steps: int, config: LearnConfig) -> float:
    """What is left of the rates after so many steps: rate_steps / steps, between later_rate and 1.

    A model that has seen little is far from where it is going and needs whole steps; to one that has seen
    much they are noise (Robbins & Monro 1951). later_rate: tastes never stop moving.
    """
    return max(config.later_rate, min(1.0, config.rate_steps / max(steps, 1)))


def tiny_day(rows: int, batch_rows: int) -> float:
    """What is left of the rates where the rows do not fill a step: sqrt(rows / batch_rows), at most 1.

    Adagrad and Adam divide by the gradient's size and take a whole step from however few rows; the square
    root is how rates follow the batch's size there (Malladi et al., NeurIPS 2022).
    """
    return min(1.0, (rows / batch_rows) ** 0.5)
