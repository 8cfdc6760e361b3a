"""One contract, said in three ways: `schemas/`, the TFMD schema and the expectation suites agree."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

import schemas
from components.drift.measure import load_schema
from components.events import store
from schemas import rows
from schemas.events import BEHAVIORS, EVENTS, OPTIONAL_COLUMNS, REQUIRED_COLUMNS

FOLDER = Path(schemas.__file__).parent
CONTRACT = {**rows.SCALARS, **rows.ITEM_LISTS, **rows.HISTORY_LISTS, **rows.EVENT_LISTS}
CONTRACT |= dict.fromkeys(rows.TRENDS, pa.float32())
pytestmark = pytest.mark.contract


@pytest.fixture(scope="module")
def schema():
    return load_schema(FOLDER / "rows.pbtxt")


@pytest.fixture(scope="module")
def features(schema):
    return {feature.name: feature for feature in schema.feature}


def suite(name: str) -> list[dict]:
    return json.loads((FOLDER / "expectations" / f"{name}.json").read_text())["expectations"]


def test_every_column_of_the_row_contract_is_in_the_schema_with_its_type(features):
    from tensorflow_metadata.proto.v0 import schema_pb2

    types = {pa.string(): "BYTES", pa.int64(): "INT", pa.float32(): "FLOAT"}
    assert set(CONTRACT) <= set(features)
    for name, type_ in CONTRACT.items():
        assert schema_pb2.FeatureType.Name(features[name].type) == types[type_], name


def test_scalars_are_single_values_and_what_was_taken_is_never_empty(features):
    for name in rows.SCALARS:
        assert [dim.size for dim in features[name].shape.dim] == [1], name
    for name in (*rows.SCALARS, *rows.ITEM_LISTS):
        assert features[name].presence.min_fraction == 1.0, name


def test_whatever_else_is_in_the_schema_is_an_optional_feature(features):
    for name in set(features) - set(CONTRACT) - {"item_price"}:  # the catalogue always has a price
        assert rows.features_of([name], rows.ITEM_PREFIX) or rows.features_of([name], rows.USER_PREFIX), name
        assert features[name].presence.min_fraction == 0.0, name


def test_behaviours_are_the_same_everywhere(schema):
    (domain,) = [one for one in schema.string_domain if one.name == "behavior"]
    (expected,) = [one for one in suite("events") if one["meta"]["name"] == "behaviors_known"]
    assert set(domain.value) == set(expected["kwargs"]["value_set"]) == set(BEHAVIORS)


def test_suites_ask_for_columns_that_are_there(tmp_path):
    account = {"date": "2024-03-04", "missing": False, "received": 0, "duplicates": 0}
    store.write_day(tmp_path, 0, EVENTS.empty_table(), store.QUARANTINE.empty_table(), account)
    raw = set(store.read_raw(tmp_path).column_names)
    assert {one["kwargs"]["column"] for one in suite("events") if "column" in one["kwargs"]} <= raw
    assert {one["kwargs"]["column"] for one in suite("days")} == {"duplicate_share", "missing"}


def test_every_needed_column_of_an_event_has_a_critical_expectation():
    seen = {one["kwargs"].get("column") for one in suite("events") if one["severity"] == "critical"}
    assert {"user_id", "item_id", "time", "behavior"} <= seen
    assert {*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS} == set(EVENTS.names)
