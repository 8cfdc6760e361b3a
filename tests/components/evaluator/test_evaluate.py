import json

import numpy as np
import pytest

from components.evaluator.config import EvaluatorConfig
from components.evaluator.evaluate import evaluate
from tests.components.evaluator.rows_for_tests import CATALOGUE, FixedRanker, rows

CONFIG = EvaluatorConfig()
DAY = 17_347
FORWARDS, BACKWARDS = FixedRanker(CATALOGUE), FixedRanker(CATALOGUE[::-1])
DEPARTMENTS = {"i1": "bakery", "i2": "bakery", "i50": "garden", "i98": "garden"}
ROWS = rows(
    ("ann", DAY, ["i1", "i50"]),
    ("bob", DAY - 3, ["i2"]),
    ("ann", DAY - 30, ["i1", "i98"]),
    ("eve", DAY - 60, ["i98", "not in the catalogue"]),
    department=DEPARTMENTS,
)


def of(slices: list[dict], name: str) -> dict:
    (found,) = [one for one in slices if one["slice"] == name]
    return found


def test_old_new_and_own_by_hand():
    _, summary = evaluate(FORWARDS, BACKWARDS, None, ROWS, DAY, {DAY}, CONFIG)
    assert summary["rows"] == {"old": 2, "new": 2, "own": 1}
    assert summary["users"] == {"old": 2, "new": 2, "own": 1}
    ours, theirs = summary["models"]["candidate"], summary["models"]["champion"]
    assert ours["own"]["recall_at_20"] == 0.5
    assert ours["new"]["recall_at_20"] == 0.75
    assert ours["old"]["recall_at_20"] == 0.25
    assert theirs["old"]["recall_at_20"] == 0.5
    assert theirs["new"]["recall_at_50"] == 0.25  # i50 is the 50th from behind
    assert summary["performance"] == 1.0
    json.dumps(summary)


def test_what_a_random_order_reaches_on_the_days_own_rows():
    """Ann's two relevant items of that day among a hundred: 20 of 100 are shown, and both could be hit."""
    items = {f"i{number}": DAY for number in range(100)}
    _, summary = evaluate(FORWARDS, BACKWARDS, None, ROWS, DAY, {DAY}, CONFIG, item_first_span=items)
    assert summary["at_random"]["recall_at_20"] == pytest.approx(0.2)
    assert "mrr" not in summary["at_random"]
    _, nothing = evaluate(FORWARDS, BACKWARDS, None, ROWS, DAY, {DAY}, CONFIG)
    assert nothing["at_random"]["recall_at_20"] is None


def test_per_row_table_keeps_the_order_of_the_rows():
    table, _ = evaluate(FORWARDS, BACKWARDS, None, ROWS, DAY, {DAY}, CONFIG)
    assert table["user_id"].to_pylist() == ["ann", "bob", "ann", "eve"]
    assert table["task"].to_pylist() == ["new", "new", "old", "old"]
    assert table["candidate/recall_at_20"].to_pylist() == [0.5, 1.0, 0.5, 0.0]
    assert table["champion/recall_at_20"].to_pylist() == [0.0, 0.0, 0.5, 0.5]


def test_slices_count_only_the_items_inside():
    _, summary = evaluate(
        FORWARDS, BACKWARDS, None, ROWS, DAY, {DAY}, CONFIG, item_first_span={"i1": DAY - 2}
    )
    slices = summary["slices"]
    garden = of(slices, "department/garden")
    assert (garden["rows"], garden["candidate"], garden["champion"]) == (3, 0.0, pytest.approx(2 / 3))
    assert of(slices, "item/new")["rows"] == 2  # i1 on both days: the older one lies before its first day
    assert of(slices, "age/29-91 days")["candidate"] == 0.25
    assert "user/new" not in {one["slice"] for one in slices}


def test_an_unknown_slice_feature_is_refused():
    with pytest.raises(ValueError, match=r"slice_by = 'colour'.*department"):
        evaluate(FORWARDS, None, None, ROWS, DAY, {DAY}, EvaluatorConfig(slice_by="colour"))


def test_a_model_under_two_names_is_asked_once():
    champion = FixedRanker(CATALOGUE)
    table, _ = evaluate(FORWARDS, champion, champion, ROWS, DAY, {DAY}, CONFIG)
    assert champion.asked == 1
    assert table["month_ago/mrr"] == table["champion/mrr"]


def test_best_ever_is_carried_by_week():
    first = evaluate(FORWARDS, BACKWARDS, None, ROWS, DAY, {DAY}, CONFIG).summary
    assert sorted(first["best_ever"].values()) == [0.5, 0.5]
    assert first["forgetting"] == pytest.approx(0.25)
    table, second = evaluate(FORWARDS, FORWARDS, None, ROWS, DAY, {DAY}, CONFIG, best_ever=first["best_ever"])
    assert second["best_ever"] == first["best_ever"]
    np.testing.assert_array_equal(table["best_ever/recall_at_20"].to_numpy(), [np.nan, np.nan, 0.5, 0.5])


def test_a_week_under_way_has_no_best_value_yet():
    one_week = ("ann", DAY - 8, ["i1"]), ("bob", DAY - 6, ["i2"])
    half_old = rows(*one_week, department=DEPARTMENTS)
    table, summary = evaluate(FORWARDS, FORWARDS, None, half_old, DAY, {DAY}, CONFIG)
    assert table["task"].to_pylist() == ["old", "new"]
    assert summary["best_ever"] == {}
    assert summary["forgetting"] is None
    over = evaluate(FORWARDS, FORWARDS, None, half_old, DAY + 1, {DAY + 1}, CONFIG).summary
    assert list(over["best_ever"].values()) == [1.0]


def test_without_rows_and_without_champion():
    table, summary = evaluate(FORWARDS, None, None, rows(), DAY, (), CONFIG)
    assert table.num_rows == 0
    assert summary["models"]["candidate"]["new"]["mrr"] is None
    assert summary["performance"] is None
    json.dumps(summary)


def test_a_ranker_that_forgets_items_is_refused():
    class Short(FixedRanker):
        def ranks(self, table):
            return super().ranks(table)[1:]

    with pytest.raises(ValueError, match="candidate ranked 6 items, but the rows hold 7"):
        evaluate(Short(CATALOGUE), None, None, ROWS, DAY, (), CONFIG)


def test_the_headline_must_be_measured():
    with pytest.raises(ValueError, match="recall_at_5"):
        EvaluatorConfig(headline="recall_at_5")
