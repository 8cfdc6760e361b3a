"""The protocol: learn period t, answer every case of period t + 1, for t from 0 on."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.ader.lines import Line
from benchmarks.ader.metrics import mrr, recall
from benchmarks.ader.sessions import Sessions

UPDATES = 16


@dataclass(frozen=True)
class Update:
    """What a line reached at one update: it has learned periods 0 to `update`, and answered the next."""

    update: int
    cases: int
    recall: float
    mrr: float
    row_passes: float
    seconds_learning: float
    seconds_asking: float


def walk(line: Line, periods: Sequence[Sessions], updates: int, work: Path) -> Iterator[Update]:
    """Each update as it is done. Those that lie in `work` are not done again; the line goes on after them."""
    journal, state = work / "updates.json", work / "state"
    done = [Update(**one) for one in json.loads(journal.read_text())] if journal.exists() else []
    yield from done[:updates]
    if 0 < len(done) < updates:
        line.restore(state, periods[: len(done)])
    for update in range(len(done), updates):
        started = time.perf_counter()
        row_passes = line.learn(periods[: update + 1])
        learned = time.perf_counter()
        ranks = line.ranks(asked_sessions(periods, update))
        seconds = learned - started, time.perf_counter() - learned
        done.append(Update(update, len(ranks), recall(ranks), mrr(ranks), row_passes, *seconds))
        work.mkdir(parents=True, exist_ok=True)
        line.save(state)
        journal.write_text(json.dumps([asdict(one) for one in done]))
        yield done[-1]


def asked_sessions(periods: Sequence[Sessions], update: int) -> Sessions:
    """Sessions of the next period without items that no learned period holds."""
    seen = np.unique(np.concatenate([one.items for one in periods[: update + 1]]))
    return periods[update + 1].known(seen)
