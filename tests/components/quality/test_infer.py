"""Suites proposed from good days: these days pass them, and days that are far worse do not."""

from __future__ import annotations

import pytest

from components.events import store
from components.quality import validate as quality
from components.quality.infer import measure, propose, write
from tests.factories import FIRST_SPAN, make_events


def days(folder, per_day):
    for span, events in make_events(3, per_day=per_day).items():
        account = {"date": f"day {span}", "missing": False, "received": per_day, "duplicates": 0}
        store.write_day(folder, span, events, store.QUARANTINE.empty_table(), account)
    return folder


def test_the_proposed_limits_fit_the_days_they_are_from(tmp_path, monkeypatch):
    raw = store.read_raw(days(tmp_path / "events", per_day=200))
    facts = measure(
        raw.filter([one == span for one in raw["span"].to_pylist()])
        for span in sorted(set(raw["span"].to_pylist()))
    )
    assert [one.rows for one in facts] == [200] * 3
    assert facts[0].null_shares["user_id"] == facts[0].faulty_share == 0
    suites = propose(facts)
    limits = {one["meta"]["name"]: one["kwargs"] for one in suites["events"]["expectations"]}
    assert limits["events_present"]["min_value"] == 20
    assert limits["prices_plausible"]["max_value"] == 1000
    assert limits["users_present"]["mostly"] == 0.95
    write(suites, tmp_path / "proposal")
    monkeypatch.setattr(quality, "SUITES", tmp_path / "proposal")
    (tmp_path / "good").mkdir()
    assert quality.validate(tmp_path / "events", tmp_path / "good")["warnings"] == []
    (tmp_path / "small").mkdir()
    small = quality.validate(days(tmp_path / "few", per_day=5), tmp_path / "small")
    assert "events_present" in small["warnings"]


def test_no_day_is_told_in_a_sentence():
    with pytest.raises(ValueError, match="there is no day with rows"):
        propose([])
    assert FIRST_SPAN
