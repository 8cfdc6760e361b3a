"""Distances between days, the schema that fits any features, and the report."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

import schemas
from components.drift.config import DriftConfig
from components.drift.measure import finding, load_schema, measure, sentences, write_report
from components.drift.schema import fitted, unknown
from components.features.advance import DEFAULT_WEIGHTS
from components.features.config import FeaturesConfig
from components.features.rows import empty_rows
from components.features.stretch import advance_stretch
from tests.factories import FIRST_SPAN, make_events, make_items, make_users

CURATED = Path(schemas.__file__).parent / "rows.pbtxt"
SPAN = FIRST_SPAN + 7


def learn_rows(events):
    return advance_stretch(None, events, make_items(), make_users(), FeaturesConfig(), DEFAULT_WEIGHTS)[0]


def statistics(table):
    from tensorflow_data_validation.statistics import stats_impl, stats_options

    batches = table.combine_chunks().to_batches() or [
        pa.RecordBatch.from_arrays([pa.array([], field.type) for field in table.schema], schema=table.schema)
    ]
    return stats_impl.generate_statistics_in_memory(batches[0], stats_options.StatsOptions())


@pytest.fixture(scope="module")
def usual():
    return statistics(learn_rows(make_events(1, per_day=300)))


@pytest.fixture(scope="module")
def schema(usual):
    return fitted(load_schema(CURATED), usual)


def test_a_day_lies_at_no_distance_from_itself(usual, schema):
    distances = measure(SPAN, usual, {SPAN - 1: usual, SPAN - 7: usual}, schema)
    assert {one["kind"] for one in distances} == {"window", "weekday"}
    assert {one["feature"] for one in distances} >= {
        "item_id",
        "behavior",
        "user_age",
        "user_income",
        "item_category",
    }
    assert all(one["value"] == 0 and not one["over"] for one in distances)
    assert {(one["kind"], one["against"]) for one in distances} == {
        ("window", "2024-03-04 to 2024-03-10"),
        ("weekday", "2024-03-04"),
    }


@pytest.fixture(scope="module")
def odd():
    """The same day, but all of it clicks."""
    events = make_events(1, per_day=300)[FIRST_SPAN]
    clicks = events.set_column(4, "behavior", pa.array(["click"] * events.num_rows))
    return statistics(learn_rows({FIRST_SPAN: clicks}))


def test_a_planted_change_is_over_its_threshold_and_comes_first(usual, odd, schema):
    distances = measure(SPAN, odd, {SPAN - 1: usual}, schema)
    assert distances[0]["feature"] == "behavior"
    assert distances[0]["measure"] == "l_infinity"
    assert distances[0]["value"] > distances[0]["threshold"] == pytest.approx(0.2)


def test_a_number_without_any_value_is_not_compared_and_not_complained_of(usual, schema, capfd):
    events = make_events(1, per_day=300)[FIRST_SPAN]
    place = events.column_names.index("price")
    events = events.set_column(place, events.schema.field("price"), pa.nulls(events.num_rows, pa.float64()))
    items = make_items().drop(["price"])
    rows = advance_stretch(
        None, {FIRST_SPAN: events}, items, make_users(), FeaturesConfig(), DEFAULT_WEIGHTS
    )[0]
    bare = statistics(rows)
    compared = {one["feature"] for one in measure(SPAN, bare, {SPAN - 1: bare, SPAN - 7: usual}, schema)}
    assert "item_price" not in compared
    assert {"behavior", "item_id"} <= compared
    assert "histogram" not in capfd.readouterr().err


def test_later_days_and_days_before_the_window_do_not_count(usual, schema):
    earlier = dict.fromkeys((SPAN - 9, SPAN - 3, SPAN - 2, SPAN + 1), usual)
    distances = measure(SPAN, usual, earlier, schema, window=2)
    assert {(one["kind"], one["against"]) for one in distances} == {("window", "2024-03-08 to 2024-03-09")}


def test_one_odd_day_in_the_window_moves_no_distance(usual, odd, schema):
    def behaviour(*window):
        earlier = {SPAN - 1 - back: one for back, one in enumerate(window)}
        return next(one for one in measure(SPAN, usual, earlier, schema) if one["feature"] == "behavior")

    assert behaviour(usual, odd, usual)["value"] == 0
    assert behaviour(odd, odd, usual)["value"] == behaviour(odd)["value"] > 0.2
    assert behaviour(odd, odd, usual)["over"]


def test_numbers_that_may_be_missing_are_compared_by_what_is_there(usual, schema):
    compared = fitted(schema, usual, DriftConfig(thresholds={"days_since": 0.1}))
    found = {one["feature"]: one["value"] for one in measure(SPAN, usual, {SPAN - 1: usual}, compared)}
    assert found["days_since"] == 0
    assert found["item_weight"] == 0


def test_thresholds_of_the_configuration_come_before_the_curated_ones(usual):
    config = DriftConfig(l_infinity=0.4, jensen_shannon=0.3, thresholds={"behavior": 0.9, "gone": 0.5})
    made = fitted(load_schema(CURATED), usual, config)
    found = {one["feature"]: one["threshold"] for one in measure(SPAN, usual, {SPAN - 1: usual}, made)}
    assert found["behavior"] == pytest.approx(0.9)
    assert found["item_id"] == pytest.approx(0.05), "curated"
    assert found["user_age"] == pytest.approx(0.3), "a number here, text in the curated schema"
    assert unknown(made, config) == ["drift.thresholds names gone, which is no column of the rows."]


def test_without_rows_on_both_sides_nothing_is_compared(usual, schema):
    nothing = statistics(empty_rows(learn_rows(make_events(1)).schema))
    assert measure(SPAN, usual, {}, schema) == []
    assert measure(SPAN, nothing, {SPAN - 1: usual}, schema) == []
    assert measure(SPAN, usual, {SPAN - 1: nothing}, schema) == []


def test_the_fitted_schema_finds_no_fault_with_ordinary_rows(usual, schema):
    import tensorflow_data_validation as tfdv

    assert not tfdv.validate_statistics(usual, schema).anomaly_info
    assert tfdv.validate_statistics(usual, load_schema(CURATED)).anomaly_info, "an age in years is no bracket"
    assert fitted(schema, usual) == schema


def test_a_finding_names_what_is_over_and_says_so_where_nothing_is(usual, odd, schema):
    said = finding(measure(SPAN, odd, {SPAN - 1: usual}, schema))
    assert "behavior l_infinity" in said
    assert "> 0.2 against 2024-03-10" in said
    assert "none of" in finding(measure(SPAN, usual, {SPAN - 1: usual}, schema))
    assert "nothing to hold the day against" in finding([])


def test_the_report_counts_what_is_over(tmp_path):
    write_report(tmp_path, SPAN, [{"over": True}, {"over": False}], "two of them")
    report = json.loads((tmp_path / "report.json").read_text())
    assert sentences([tmp_path]) == ["two of them"]
    assert (report["date"], report["over"], len(report["distances"])) == ("2024-03-11", 1, 2)
