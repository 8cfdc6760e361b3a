"""Distances between days, the schema that fits any features, and the report."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

import schemas
from components.drift.measure import load_schema, measure, write_report
from components.drift.schema import fitted
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
    assert {one["kind"] for one in distances} == {"drift", "skew"}
    assert {one["feature"] for one in distances} >= {
        "item_id",
        "behavior",
        "user_age",
        "user_income",
        "item_category",
    }
    assert all(one["value"] == 0 and not one["over"] for one in distances)
    assert {one["against"] for one in distances} == {"2024-03-10", "2024-03-04"}


def test_a_planted_change_is_over_its_threshold_and_comes_first(usual, schema):
    events = make_events(1, per_day=300)[FIRST_SPAN]
    clicks = events.set_column(4, "behavior", pa.array(["click"] * events.num_rows))
    distances = measure(SPAN, statistics(learn_rows({FIRST_SPAN: clicks})), {SPAN - 1: usual}, schema)
    assert distances[0]["feature"] == "behavior"
    assert distances[0]["measure"] == "l_infinity"
    assert distances[0]["value"] > distances[0]["threshold"] == pytest.approx(0.2)


def test_only_the_newest_earlier_span_and_the_same_weekday_count(usual, schema):
    distances = measure(SPAN, usual, {SPAN - 3: usual, SPAN - 2: usual, SPAN + 1: usual}, schema)
    assert {(one["kind"], one["against"]) for one in distances} == {("drift", "2024-03-09")}


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


def test_the_report_counts_what_is_over(tmp_path):
    write_report(tmp_path, SPAN, [{"over": True}, {"over": False}])
    report = json.loads((tmp_path / "report.json").read_text())
    assert (report["date"], report["over"], len(report["distances"])) == ("2024-03-11", 1, 2)
