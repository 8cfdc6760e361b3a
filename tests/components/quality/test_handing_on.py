"""The sound days of a stretch are handed on; in place of a broken one what was sound before, or nothing."""

from __future__ import annotations

import json

from components.events import store
from components.quality.handing_on import hand_on, keep, still_broken, told
from schemas.spans import date_of
from tests.factories import FIRST_SPAN, make_events

BROKEN = FIRST_SPAN + 1
NAMES = ["users_present"]


def write(folder, spans, version=1, seed=0):
    for span in spans:
        events = make_events(1, first_span=span, seed=seed)[span]
        account = {
            "date": str(date_of(span)),
            "missing": False,
            "version": version,
            "accepted": events.num_rows,
        }
        store.write_day(folder, span, events, store.QUARANTINE.empty_table(), account)
    return folder


def test_a_broken_day_is_left_out_and_named_and_the_others_are_handed_on(tmp_path):
    events = write(tmp_path / "read", (FIRST_SPAN, BROKEN, BROKEN + 1))
    hand_on(events, {str(date_of(BROKEN)): NAMES}, [], tmp_path / "out")
    for span in (FIRST_SPAN, BROKEN + 1):
        assert store.read_events(tmp_path / "out", span).equals(store.read_events(events, span))
        assert store.is_handed_on(store.read_account(tmp_path / "out", span))
    account = store.read_account(tmp_path / "out", BROKEN)
    assert store.read_events(tmp_path / "out", BROKEN).num_rows == 0
    assert account["left_out"] == NAMES
    assert not store.is_handed_on(account)


def test_in_place_of_a_broken_version_stands_the_newest_that_was_sound(tmp_path):
    events = write(tmp_path / "read", (BROKEN,), version=4)
    first = write(tmp_path / "first", (BROKEN,), version=1, seed=1)
    second = write(tmp_path / "second", (BROKEN,), version=2, seed=2)
    left_out = tmp_path / "left out"
    hand_on(write(tmp_path / "third", (BROKEN,), version=3), {str(date_of(BROKEN)): NAMES}, [], left_out)
    hand_on(events, {str(date_of(BROKEN)): NAMES}, [first, second, left_out], tmp_path / "out")
    assert store.read_account(tmp_path / "out", BROKEN)["version"] == 2
    assert store.read_events(tmp_path / "out", BROKEN).equals(store.read_events(second, BROKEN))


def test_a_report_is_told_until_another_version_is_there(tmp_path):
    report, kept, days = (tmp_path / name for name in ("report", "kept", "days"))
    report.mkdir()
    date = str(date_of(BROKEN))
    (days / date / "ver-2").mkdir(parents=True)
    (report / "result.json").write_text(json.dumps({"broken": {date: NAMES}, "versions": {date: 2}}))
    keep(report, kept / "2024-03-09")
    (line,) = told(kept / "2024-03-09")
    assert line.startswith(f"{date} is left out, quality failed (users_present): see {kept}")
    assert still_broken(kept, days) == {date: line}
    (days / date / "ver-3").mkdir()
    assert still_broken(kept, days) == {}
    (days / date / "ver-3").rmdir()
    (report / "result.json").write_text(json.dumps({"broken": {}, "versions": {}}))
    keep(report, kept / "2024-03-09")
    assert still_broken(kept, days) == {}
