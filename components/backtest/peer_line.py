"""A line that is a peer: tuned once before the window, then refitted on every day."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from components.backtest.asked import ALL, TAKEN, VIEWS, Asked
from components.backtest.config import BacktestConfig
from components.backtest.journal import Journal, Record
from components.backtest.peers.past import Past
from components.backtest.peers.ranker import PeerRanker
from components.backtest.peers.registry import Peer
from components.backtest.walk import Day, Prepared
from components.features.catalogue import as_of, withdrawn


class PeerLine:
    """Each view has its own choice of hyper-parameters: the peer's best is what is reported in both."""

    kind = "peer"

    def __init__(
        self, name: str, peer: Peer, config: BacktestConfig, journal: Journal, prepared: Prepared
    ) -> None:
        self.name, self.peer, self.config, self.journal = name, peer, config, journal
        self._prepared = prepared
        journal.belongs_to(list(peer.GRID))

    def chosen(self) -> dict[str, dict[str, Any]]:
        """Settings by view, by mean recall@k of the tuning days, all before the window."""
        if len(self.peer.GRID) == 1 or not self._prepared.tuning:
            return {view: dict(self.peer.GRID[0]) for view in VIEWS}
        return self.journal.note("settings", self._tune)

    def day(self, day: Day, past: Past) -> Record:
        started = time.perf_counter()
        settings = self.chosen()
        started = time.perf_counter()
        record: Record = {"span": day.span, "rows_trained": len(past.user)}
        metrics = metric_names(self.config.k)
        for view in VIEWS:
            if view == ALL or settings[view] != settings[ALL]:
                values = self._measured(past, settings[view], day.asked, metrics)
            endings = (f"_{ALL}", f"_{TAKEN}") if view == ALL else f"_{view}"
            record |= {name: value for name, value in values.items() if name.endswith(endings)}
        record["seconds_learning"] = time.perf_counter() - started
        self.journal.append(record)
        return record

    def _measured(
        self, past: Past, settings: Mapping[str, Any], asked: Asked, metrics: tuple[str, ...]
    ) -> dict[str, float]:
        return asked.measure(PeerRanker(past, self.peer.fit(past, **settings)), metrics)

    def _tune(self) -> dict[str, dict[str, Any]]:
        recall = f"recall_at_{self.config.k}"
        sums = {view: np.zeros(len(self.peer.GRID)) for view in VIEWS}
        for span, asked in self._prepared.tuning.items():
            past = past_before(self._prepared.takes, self._prepared.data.catalogue, span, self.config.seed)
            for place, settings in enumerate(self.peer.GRID):
                values = self._measured(past, settings, asked, (recall,))
                for view in VIEWS:
                    sums[view][place] += np.nan_to_num(values[f"{recall}_{view}"]) * values[f"rows_{view}"]
        return {view: dict(self.peer.GRID[int(np.argmax(sums[view]))]) for view in VIEWS}


def metric_names(k: int) -> tuple[str, ...]:
    return f"recall_at_{k}", f"ndcg_at_{k}", "mrr"


def past_before(takes: pa.Table, catalogue: pa.Table, span: int, seed: int) -> Past:
    """All takes before the span, over the items that the evening before knew of."""
    known = as_of(catalogue, span - 1)
    return Past(takes, known.column("item_id").combine_chunks(), span, seed, withdrawn(known, span))
