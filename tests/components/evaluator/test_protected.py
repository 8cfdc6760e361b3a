"""Slices whose loss counts on its own: which items and users are in them, and what they are measured by."""

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

from components.evaluator.config import EvaluatorConfig
from components.evaluator.evaluate import evaluate
from components.evaluator.slices import protected
from tests.components.evaluator.rows_for_tests import CATALOGUE, FixedRanker, rows

DAY = 17_347
FORWARDS, BACKWARDS = FixedRanker(CATALOGUE), FixedRanker(CATALOGUE[::-1])
ROWS = rows(
    ("ann", DAY, ["i1", "i50"]), ("bob", DAY - 30, ["i2", "i98"]), department={"i1": "bakery", "i2": "bakery"}
)
ROWS = ROWS.append_column("user_region", pa.array([["north"], []], pa.list_(pa.string())))
ROWS = ROWS.append_column("days_since", pa.array([[np.nan, 90.0], [89.0, 400.0]], pa.list_(pa.float32())))


def chosen(name: str) -> list[bool]:
    ((found, inside),) = protected(ROWS, EvaluatorConfig(protected=(name,)))
    assert found == name
    return inside.tolist()


def test_items_and_users_by_value_and_interests_by_their_silence() -> None:
    assert chosen("item_department/bakery") == [True, False, True, False]
    assert chosen("item_department/") == [False, True, False, True]
    assert chosen("user_region/north") == [True, True, False, False]
    assert chosen("silent/90") == [False, True, False, True]
    assert not any(chosen("item_department/nothing like it"))


def test_a_column_that_is_none_and_a_name_of_another_form_are_refused() -> None:
    with pytest.raises(ValueError, match=r"'item_colour/red'.*item_department, user_region"):
        chosen("item_colour/red")
    with pytest.raises(ValidationError):
        EvaluatorConfig(protected=("bakery",))


def test_rows_count_by_their_items_inside_alone() -> None:
    config = EvaluatorConfig(protected=("item_department/bakery", "user_region/south"))
    table, summary = evaluate(FORWARDS, BACKWARDS, None, ROWS, DAY, {DAY}, config)
    column = table["candidate/recall_at_20@item_department/bakery"].to_pylist()
    assert column == [1.0, 1.0]
    assert table["champion/recall_at_20@item_department/bakery"].to_pylist() == [0.0, 0.0]
    assert np.isnan(table["candidate/recall_at_20@user_region/south"].to_numpy()).all()
    shown = {one["slice"]: one["rows"] for one in summary["slices"]}
    assert shown["item_department/bakery"] == 2
    assert "user_region/south" not in shown
