import numpy as np

from components.evaluator.health import health
from tests.components.evaluator.rows_for_tests import rows

ROWS = rows(*((f"user {number % 30}", 17_347, ["i1"]) for number in range(60)))


class Lists:
    def __init__(self, distinct: bool, score: float = 1.0):
        self._distinct, self._score = distinct, score

    def top_k(self, table, k):
        start = np.arange(table.num_rows) if self._distinct else np.zeros(table.num_rows, int)
        items = np.array([[f"i{one + place}" for place in range(k)] for one in start], dtype=object)
        return items, np.full((table.num_rows, k), self._score, np.float32)


def test_each_known_user_is_asked_once():
    found = health({"loss": 0.5}, Lists(distinct=True), ROWS)
    assert (found["users_asked"], found["distinct_lists"]) == (30, 30)
    assert found["finite_scores"]
    assert found["finite_report"]
    assert not found["diverged"]


def test_constant_lists_nan_scores_and_divergence_are_seen():
    assert health({}, Lists(distinct=False), ROWS)["distinct_lists"] == 1
    assert not health({}, Lists(True, float("nan")), ROWS)["finite_scores"]
    assert not health({"loss": float("inf")}, Lists(True), ROWS)["finite_report"]
    assert health({"diverged": True}, Lists(True), ROWS)["diverged"]


def test_users_without_a_history_may_share_a_list():
    assert health({}, Lists(distinct=False), rows(("a", 1, ["i1"]), known=False))["users_asked"] == 0
