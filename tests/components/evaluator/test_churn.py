import numpy as np

from components.evaluator.churn import LENGTH, overlap_with_champion
from tests.components.evaluator.rows_for_tests import rows

ROWS = rows(("ann", 17_347, ["i1"]), ("bob", 17_347, ["i1"]))


class From:
    """Lists items from a first one on, for everybody."""

    def __init__(self, first: int):
        self._items = [f"i{first + place}" for place in range(LENGTH)]

    def top_k(self, table, k):
        return np.array([self._items[:k]] * table.num_rows, object), np.ones((table.num_rows, k), np.float32)


def test_overlap_is_the_share_of_the_list_that_stays():
    assert overlap_with_champion(From(0), From(0), ROWS) == 1.0
    assert overlap_with_champion(From(5), From(0), ROWS) == (LENGTH - 5) / LENGTH
    assert overlap_with_champion(From(LENGTH), From(0), ROWS) == 0.0


def test_there_is_no_churn_without_a_champion_or_without_a_known_user():
    assert overlap_with_champion(From(0), None, ROWS) is None
    assert overlap_with_champion(From(0), From(0), rows(("ann", 1, ["i1"]), known=False)) is None
