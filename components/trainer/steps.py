"""Training steps as arrays: which rows, which candidates, what was unknown. No Python loop over rows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from components.features import rows as layout
from components.features.data_state import DataState
from components.trainer.config import LearnConfig
from components.trainer.inputs import Catalogue, Histories, Lookups, Users, entries
from components.trainer.part import SEED
from components.trainer.state import ModelState
from components.trainer.vocabulary import UNKNOWN, look_up

UNKNOWN_HOURS = 0.25
"""Share of rows whose hour a step hides: a served list does not know when it will be read."""

Arrays = dict[str, np.ndarray]


class Steps:
    """Rows encoded once, then cut into steps by index."""

    def __init__(
        self,
        state: ModelState,
        rows: pa.Table,
        data: DataState,
        config: LearnConfig,
        of_rows: np.ndarray | None = None,
    ) -> None:
        """`state` must know the ids that are to be learned; `rows` are not empty and sorted canonically.

        of_rows: float32 [rows], the rows' weights; None: all 1.
        """
        lookups = Lookups(state)
        self.config = config
        self.rows = rows.num_rows
        self.catalogue = Catalogue.encode(state, lookups, data.catalogue, price="price_before")
        self.users = Users.encode(state, lookups, rows)
        self.histories = Histories.encode(self.catalogue, rows)
        self.spans = layout.scalar(rows, "span")
        self.bounds = layout.offsets(rows, "item_id")
        self.positions = look_up(self.catalogue.positions, layout.flat(rows, "item_id"))
        texts: pa.Array = layout.flat(rows, "behavior")
        behaviors = texts.dictionary_encode()
        weights = config.behavior_weights.model_dump()
        of_behavior = np.array([weights[name] for name in behaviors.dictionary.to_pylist()], np.float32)
        self.weights = of_behavior[behaviors.indices.to_numpy()]
        # Metrics are means over rows: the many positives of a large basket must not drown small ones.
        counts = np.diff(self.bounds)
        self.weights *= np.repeat(counts, counts).astype(np.float32) ** np.float32(-config.row_power)
        if of_rows is not None:
            self.weights *= np.repeat(of_rows, counts)
        self.takers = np.bincount(self.positions, minlength=len(self.catalogue.ids))

    def epoch(self, rng: np.random.Generator) -> Iterator[Arrays]:
        """Every row once, in a seeded order, `batch_rows` at a time; the last step may be smaller."""
        order = rng.permutation(self.rows)
        for start in range(0, self.rows, self.config.batch_rows):
            yield self.step(order[start : start + self.config.batch_rows], rng)

    def step(self, rows: np.ndarray, rng: np.random.Generator) -> Arrays:
        """The inputs of `TwoTower.compute_loss`, with spans and catalogue positions in place of the trends.

        `item` holds the step's distinct items, the candidates first; `history` are places among them.
        """
        past = self.histories.of(rows)
        places, row = entries(self.bounds, rows)
        positive, weight = self.positions[places], self.weights[places]
        items = len(self.catalogue.ids) - 1
        uniform = rng.integers(1, items + 1, self.config.uniform_negatives, dtype=np.int32)
        candidates = np.unique(np.concatenate([positive, uniform]))
        distinct = np.concatenate([candidates, np.setdiff1d(past["history"], candidates)])
        place = np.empty(items + 1, np.int32)
        place[distinct] = np.arange(len(distinct), dtype=np.int32)
        history = place[past["history"]]
        # Nobody turned down what was not there on the day.
        absent = self.catalogue.absent(candidates, self.spans[rows])
        labels = _labels(absent, history, past["owner"], place[positive], row, weight)
        who = self.users.of(rows)
        # No draw where nothing drops, so that what is drawn after it stays as it was.
        seed = {SEED: rng.integers(0, 2**31, 2).astype(np.int32)} if self.config.dropout else {}
        return {
            **seed,
            **past,
            **labels,
            **who,
            "user": self._forget(who["user"], rng),
            "user_categories": self._forget(who["user_categories"], rng),
            "behavior": self._forget(past["behavior"], rng),
            "hour": np.where(rng.random(len(rows)) < UNKNOWN_HOURS, 0, who["hour"]),
            "item": self._forget(self.catalogue.ids[distinct], rng),
            "item_categories": self._forget(self.catalogue.categories[distinct], rng),
            "item_numbers": self.catalogue.numbers[distinct],
            "history": history,
            "inclusion": inclusion(self.takers[candidates], len(rows), self.rows, len(uniform), items),
            "span": self.spans[rows],
            "candidate_position": candidates,
            "history_position": past["history"],
        }

    def _forget(self, ids: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Some ids become unknown, so that the unknown rows are trained like any other."""
        return np.where(rng.random(ids.shape) < self.config.unknown_rate, UNKNOWN, ids).astype(np.int32)


def inclusion(takers: np.ndarray, rows: int, all_rows: int, uniform: int, items: int) -> np.ndarray:
    """float32 [candidates]: the probability that a candidate is in a step that is not about it.

    A candidate comes with any of the `takers` rows that took it, each of which is among the other
    `rows - 1` of the step with probability (rows - 1) / (all_rows - 1), or from `uniform` draws of `items`.
    """
    share = (rows - 1) / max(all_rows - 1, 1)
    absent = (1.0 - share) ** takers * (1.0 - 1.0 / items) ** uniform
    return (1.0 - absent).astype(np.float32)


def _labels(
    absent: np.ndarray,
    history: np.ndarray,
    owner: np.ndarray,
    positive: np.ndarray,
    row: np.ndarray,
    weight: np.ndarray,
) -> Arrays:
    """Positives with their weights, each at its entry of the row's history or, without one, as a candidate.

    absent: bool [rows, candidates], what the rows could not have. history, positive: places among the step's
    items; owner, row: whose they are.
    """
    shared = np.flatnonzero(history < absent.shape[1])
    entry = np.full(absent.shape, -1, np.int32)
    entry[owner[shared], history[shared]] = shared
    own = entry[row, positive]
    fresh = own < 0
    of_history = np.zeros(len(history), np.float32)
    of_history[own[~fresh]] = weight[~fresh]
    excluded = absent | (entry >= 0)
    excluded[row[fresh], positive[fresh]] = True
    return {
        "positive": np.stack([row[fresh], positive[fresh]], axis=1),
        "positive_weight": weight[fresh],
        "candidate_excluded": excluded,
        "history_weight": of_history,
    }
