"""Whether days changed since they were ingested, whatever the clock said then."""

import time

import pytest

from components.events import store
from components.events.read import fingerprint
from pipelines.earlier import Ingest, _has_changed
from schemas.events import EVENTS
from schemas.home import Home
from tests.e2e.deployment import write_day
from tests.factories import FIRST_SPAN, make_events

AN_HOUR = 3600 * 1000


@pytest.mark.parametrize("ahead", [0, AN_HOUR])
def test_a_new_version_of_a_day_is_a_change(tmp_path, ahead):
    home = Home(tmp_path)
    write_day(home, FIRST_SPAN, make_events(1, per_day=10)[FIRST_SPAN])
    account = {"date": "2024-03-04", "version": 1, "missing": False}
    nothing = EVENTS.empty_table(), store.QUARANTINE.empty_table()
    store.write_day(tmp_path / "read", FIRST_SPAN, *nothing, account)
    then = fingerprint(home.events, FIRST_SPAN, FIRST_SPAN)
    started = time.time_ns() // 10**6 + ahead + 1000
    done = Ingest(FIRST_SPAN, FIRST_SPAN, then, started, str(tmp_path / "read"))
    assert not _has_changed(home.events, done)
    write_day(home, FIRST_SPAN, make_events(1, per_day=11)[FIRST_SPAN], version=2)
    assert _has_changed(home.events, done)
