"""Session kNN that knows order and age: the peer (STAN: Garg et al., SIGIR 2019).

score(i | s) = Σ_n sim(s, n) · exp(-age(n) / λ2) · exp(-|place_n(i) - place_n(i*)| / λ3)
sim(s, n) = Σ over items in both of exp(-(events since) / λ1) / sqrt(|n|)

over the `neighbours` most like sessions n that hold item i; i* is the newest event of s that is in n. Nothing
is fitted: learning a session means to keep it. Each case costs the sessions of its items, and theirs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.ader.sessions import Cases, Sessions

BATCH_SCORES = 2**23
"""Scores that are held at a time."""


@dataclass(frozen=True)
class Settings:
    """Chosen on the first four updates."""

    neighbours: int = 500
    back: float = 2.0
    """λ1: events of the session at hand."""
    age: float = 8.0
    """λ2: periods."""
    apart: float = 2.0
    """λ3: places in the neighbour."""


class SessionKnn:
    """All sessions so far, by the items that they hold."""

    def __init__(self, settings: Settings = Settings()) -> None:
        self.settings = settings
        self._periods: list[Sessions] = []

    def learn(self, sessions: Sessions) -> None:
        """Adds the next period."""
        self._periods.append(sessions)
        lengths = np.concatenate([one.lengths for one in self._periods])
        self._items = np.concatenate([one.items for one in self._periods])
        self._bounds = np.concatenate([[0], np.cumsum(lengths)])
        number = np.concatenate([np.full(len(one.ids), n) for n, one in enumerate(self._periods)])
        self._worth = np.exp((number - len(self._periods)) / self.settings.age) / np.sqrt(lengths)
        session = np.repeat(np.arange(len(lengths)), lengths)
        # Postings: of each item the sessions that hold it, each once, with its last place there.
        order = np.lexsort((np.arange(len(session)), session, self._items))
        item, of = self._items[order], session[order]
        last = np.ones(len(order), bool)
        last[:-1] = (item[1:] != item[:-1]) | (of[1:] != of[:-1])
        self._session, self._place = of[last], (order - self._bounds[of])[last]
        self.items = int(self._items.max())
        counts = np.bincount(item[last], minlength=self.items + 1)
        self._postings = np.concatenate([[0], np.cumsum(counts)])

    def ranks(self, cases: Cases) -> np.ndarray:
        """int64 [cases]: the 1-based rank of each answer among items 1 to the largest seen.

        Of equal scores the worse rank counts.
        """
        found = np.empty(len(cases.answer), np.int64)
        size = max(1, BATCH_SCORES // (self.items + 1))
        for start in range(0, len(found), size):
            chunk = np.arange(start, min(start + size, len(found)))
            scores = self._scores(cases, chunk)
            own = scores[np.arange(len(chunk)), cases.answer[chunk]]
            found[chunk] = (scores[:, 1:] >= own[:, None]).sum(axis=1)
        return found

    def _scores(self, cases: Cases, chunk: np.ndarray) -> np.ndarray:
        """float32 [chunk, items + 1]."""
        case, session, likeness, common = self._neighbours(cases, chunk)
        row, event = spread(self._bounds[session], self._bounds[session + 1])
        apart = np.abs(event - self._bounds[session][row] - common[row])
        weight = (likeness * self._worth[session])[row] * np.exp(-apart / self.settings.apart)
        cells = case[row] * (self.items + 1) + self._items[event]
        scores = np.bincount(cells, weight, minlength=len(chunk) * (self.items + 1))
        return scores.astype(np.float32).reshape(len(chunk), -1)

    def _neighbours(
        self, cases: Cases, chunk: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Pairs of a case (its place in the chunk) and a session: likeness, and the place of i* there."""
        case, event = spread(cases.bounds[chunk], cases.bounds[chunk + 1])
        back = (cases.bounds[chunk + 1] - 1)[case] - event
        item = cases.given[event]
        order = np.lexsort((back, item, case))  # of an item that was given twice the newest event counts
        newest = np.ones(len(order), bool)
        newest[1:] = (np.diff(case[order]) != 0) | (np.diff(item[order]) != 0)
        case, item, back = (one[order][newest] for one in (case, item, back))

        row, posting = spread(self._postings[item], self._postings[item + 1])
        session, place = self._session[posting], self._place[posting]
        case, back = case[row], back[row]
        order = np.lexsort((back, session, case))
        first = np.ones(len(order), bool)
        first[1:] = (np.diff(case[order]) != 0) | (np.diff(session[order]) != 0)
        starts = np.flatnonzero(first)
        likeness = (
            np.add.reduceat(np.exp(-back[order] / self.settings.back), starts) if len(starts) else starts
        )
        pairs = order[starts]
        case, session, place = case[pairs], session[pairs], place[pairs]
        best = np.lexsort((-likeness * self._worth[session], case))
        turn = np.arange(len(best)) - np.searchsorted(case[best], case[best])
        kept = best[turn < self.settings.neighbours]
        return case[kept], session[kept], likeness[kept], place[kept]


def spread(starts: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All places from starts[n] to ends[n], one n after another: the n of each, and the places."""
    counts = ends - starts
    row = np.repeat(np.arange(len(counts)), counts)
    return row, starts[row] + np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
