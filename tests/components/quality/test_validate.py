"""Good days pass, broken days stop, odd days are recorded; the report is kept."""

from __future__ import annotations

import json

import pytest

from components.events.store import QUARANTINE, write_day
from components.quality.validate import SUITES, BrokenDayError, require, validate
from schemas.spans import date_of
from tests.factories import FIRST_SPAN, make_events


def write(folder, broken=0, duplicates=0, missing=False, span=FIRST_SPAN, version=1):
    """A day of a DayEvents folder, generated, with rows that lack their user."""
    events = make_events(1, first_span=span)[span]
    faulty = [
        {"file": "a.csv", "row": n, "field": "user_id", "reason": "missing", "item_id": "i1",
         "behavior": "click", "timestamp": "2024-03-04"}
        for n in range(broken)
    ]  # fmt: skip
    received = events.num_rows + broken + duplicates
    account = {
        "date": str(date_of(span)), "missing": missing, "received": received, "duplicates": duplicates,
        "version": version,
    }  # fmt: skip
    quarantine = QUARANTINE.empty_table() if not faulty else _table(faulty)
    write_day(folder, span, events, quarantine, account)


def _table(rows):
    import pyarrow as pa

    return pa.Table.from_pylist(
        [{name: row.get(name) for name in QUARANTINE.names} for row in rows], QUARANTINE
    )


def test_a_good_day_passes_and_leaves_its_report(tmp_path):
    write(tmp_path / "events")
    result = validate(tmp_path / "events", tmp_path)
    assert result["success"]
    assert result["critical_failed"] == result["warnings"] == []
    assert json.loads((tmp_path / "result.json").read_text()) == result
    assert (tmp_path / "data_docs" / "index.html").is_file()
    size = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
    assert size < 2**20, "a report a day is kept"
    require(result, ["2024-03-04"], tmp_path)


def test_a_day_that_lacks_its_users_is_stopped_with_the_expectations_named(tmp_path):
    write(tmp_path / "events", broken=30)
    result = validate(tmp_path / "events", tmp_path)
    assert set(result["critical_failed"]) == {"users_present", "rows_usable"}
    with pytest.raises(
        BrokenDayError, match=r"nothing is learned from 2024-03-04, which failed in quality \(users_present"
    ):
        require(result, ["2024-03-04"], tmp_path)


def test_a_stretch_stops_where_its_own_day_is_broken_and_a_bootstrap_where_all_are(tmp_path):
    sound, broken = FIRST_SPAN, FIRST_SPAN + 1
    write(tmp_path / "events", span=sound)
    write(tmp_path / "events", span=broken, broken=30, version=3)
    result = validate(tmp_path / "events", tmp_path, own=broken)
    assert not result["success"]
    assert result["broken"] == {"2024-03-05": ["users_present", "rows_usable"]}
    assert result["versions"] == {"2024-03-05": 3}
    with pytest.raises(BrokenDayError, match="nothing is learned from 2024-03-05, which"):
        require(result, ["2024-03-04", "2024-03-05"], tmp_path, own=broken)
    assert validate(tmp_path / "events", tmp_path, own=sound)["success"]
    assert validate(tmp_path / "events", tmp_path)["success"]
    write(tmp_path / "events", span=sound, broken=30)
    with pytest.raises(BrokenDayError, match="2024-03-04 to 2024-03-05, each day of which failed"):
        require(validate(tmp_path / "events", tmp_path), ["2024-03-04", "2024-03-05"], tmp_path)
    assert (tmp_path / "data_docs" / "index.html").read_text().count("2024-03-05") >= 2  # a page a suite


def test_an_odd_day_goes_on_and_its_warnings_are_recorded(tmp_path):
    write(tmp_path / "events", broken=1, duplicates=200, missing=True)
    result = validate(tmp_path / "events", tmp_path)
    assert result["success"]
    assert set(result["warnings"]) == {"every_row_usable", "repeats_few", "days_delivered"}


def test_every_expectation_has_a_name_and_a_severity():
    for path in SUITES.glob("*.json"):
        suite = json.loads(path.read_text())
        assert suite["name"] == path.stem
        names = [one["meta"]["name"] for one in suite["expectations"]]
        assert len(names) == len(set(names))
        assert {one["severity"] for one in suite["expectations"]} <= {"critical", "warning"}
