"""The session kNN against its formula, session by session and item by item."""

from __future__ import annotations

import math

import numpy as np

from benchmarks.ader.knn import SessionKnn, Settings
from benchmarks.ader.sessions import Cases, Sessions
from tests.benchmarks.ader.test_sessions import cases, sessions

SETTINGS = Settings(neighbours=3, back=2.0, age=4.0, apart=1.5)


def by_hand(given: list[int], periods: list[list[list[int]]]) -> dict[int, float]:
    """Scores of items by the formula in the module's docstring."""
    back = {item: len(given) - 1 - place for place, item in enumerate(given)}
    found = []
    for number, period in enumerate(periods):
        for session in period:
            common = sorted((back[item], item) for item in set(session) if item in back)
            if common:
                likeness = sum(math.exp(-events / 2.0) for events, _ in common) / math.sqrt(len(session))
                worth = math.exp(-(len(periods) - number) / 4.0)
                anchor = len(session) - 1 - session[::-1].index(common[0][1])
                found.append((likeness * worth, anchor, session))
    scores: dict[int, float] = {}
    for weight, anchor, session in sorted(found, key=lambda one: -one[0])[:3]:
        for place, item in enumerate(session):
            scores[item] = scores.get(item, 0.0) + weight * math.exp(-abs(place - anchor) / 1.5)
    return scores


def test_ranks_are_those_of_the_formula() -> None:
    rng = np.random.default_rng(5)
    periods = [
        [rng.integers(1, 13, rng.integers(2, 6)).tolist() for _ in range(count)] for count in (12, 7, 9)
    ]
    knn = SessionKnn(SETTINGS)
    for period in periods:
        knn.learn(sessions(*period))
    asked = Cases.of(sessions(*[rng.integers(1, 13, 4).tolist() for _ in range(15)]))
    expected = []
    for given, answer in cases(asked):
        scores = by_hand(given, periods)
        own = scores.get(answer, 0.0)
        expected.append(sum(scores.get(item, 0.0) >= own - 1e-7 for item in range(1, knn.items + 1)))
    assert knn.ranks(asked).tolist() == expected
    assert len(set(expected)) > 5


def test_an_item_that_no_neighbour_holds_is_last() -> None:
    knn = SessionKnn(SETTINGS)
    knn.learn(sessions([1, 2], [3, 4]))
    asked = Sessions.of(np.array([0, 0]), np.array([1, 4]))
    assert knn.ranks(Cases.of(asked)).tolist() == [4]
