"""When a server's answer is the trainer's."""

from __future__ import annotations

import math

import pytest

from components.smoke.compare import close, difference


def lists(items: list[str], scores: list[float]) -> dict:
    return {"item_id": [items], "score": [scores]}


EXPECTED = lists(["a", "b", "c", "d"], [3.0, 2.0, 2.0, 1.0])


@pytest.mark.parametrize(
    "answer",
    [
        EXPECTED,
        lists(["a", "c", "b", "d"], [3.0, 2.0, 2.0, 1.0]),  # a tie
        lists(["a", "b", "c", "d"], [3.00002, 2.00001, 2.0, 0.999995]),
        lists(["a", "b", "c", "e"], [3.0, 2.0, 2.0, 1.0]),  # what ties with the last may have been cut off
    ],
)
def test_equal(answer):
    assert difference(answer, EXPECTED) == ""


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lists(["b", "a", "c", "d"], [3.0, 2.0, 2.0, 1.0]), "row 0: items"),
        (lists(["a", "b", "e", "d"], [3.0, 2.0, 2.0, 1.0]), "row 0: items"),
        (lists(["a", "b", "c", "a"], [3.0, 2.0, 2.0, 1.0]), "an item comes twice"),
        (lists(["a", "b", "c", "d"], [3.0, 2.0, 2.0, 1.1]), "score 1.1 at place 3 instead of 1.0"),
        (lists(["a", "b", "c", "d"], [3.0, 2.0, 2.0, math.nan]), "score nan"),
        (lists(["a", "b", "c"], [3.0, 2.0, 2.0]), "3 scores instead of 4"),
        ({"item_id": [], "score": []}, "0 rows instead of 1"),
        ({"score": [[3.0, 2.0, 2.0, 1.0]]}, "instead of ['item_id', 'score']"),
    ],
)
def test_different(answer, words):
    assert words in difference(answer, EXPECTED)


def test_scores_alone():
    assert difference({"score": [1.0, -math.inf]}, {"score": [1.0, -math.inf]}) == ""
    assert difference({"score": [1.0, 0.0]}, {"score": [1.0, -math.inf]})


def test_closeness_is_relative_to_large_scores_only():
    assert close(1000.005, 1000.0)
    assert not close(0.0001, 0.0)
    assert not close(math.nan, math.nan)
    assert not close(1.0, math.inf)
