"""Posted events reach their day folders exactly once."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pyarrow as pa
import pytest

from components.events.read import read_stretch
from components.events.store import read_events
from components.importer.log import workspace
from pipelines import inbox as folding
from pipelines.inbox import fold_inbox
from schemas.events import EVENTS
from schemas.home import Home
from schemas.spans import span_of
from serving.gateway.event import Event
from serving.gateway.inbox import Inbox, path_of

DAY = dt.date(2024, 3, 4)
OLD = "user_id,item_id,timestamp,behavior\nu,old,2024-03-04 08:00:00,purchase\n"


def event(number: int, hour: int, day: dt.date = DAY) -> Event:
    moment = dt.datetime(day.year, day.month, day.day, hour, number, tzinfo=dt.timezone.utc)
    return Event(
        event_id=f"e{number}", user_id="u", item_id=f"i{number}", behavior="click", timestamp=moment,
        price=1.5 if number % 2 else None,
    )  # fmt: skip


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path)
    day = home.events / DAY.isoformat() / "ver-1"
    day.mkdir(parents=True)
    (day / "events.csv").write_text(OLD)
    return home


def post(home: Home, *events: Event) -> None:
    inbox = Inbox(path_of(home))
    inbox.add(events)
    inbox.close()


def day_events(home: Home, day: dt.date = DAY) -> pa.Table:
    """What the pipeline reads of the day."""
    read_stretch(home.events, span_of(day), span_of(day), home.root / "read")
    return read_events(home.root / "read", span_of(day))


def accepted(home: Home, day: dt.date = DAY) -> list[str]:
    return sorted(day_events(home, day).column("item_id").to_pylist())


def test_each_event_once_whatever_is_repeated(home: Home) -> None:
    post(home, event(1, 9), event(2, 10))
    (summary,) = fold_inbox(home)
    assert (summary.events, summary.days_written) == (2, 1)
    assert accepted(home) == ["i1", "i2", "old"]
    assert fold_inbox(home) == []
    post(home, event(2, 10), event(3, 11), event(4, 1, DAY + dt.timedelta(days=1)))
    (summary,) = fold_inbox(home)
    assert (summary.events, summary.days_written) == (2, 2)
    assert accepted(home) == ["i1", "i2", "i3", "old"]
    assert accepted(home, DAY + dt.timedelta(days=1)) == ["i4"]
    assert not list(home.events.parent.glob(".inbox-*"))


def test_killed_between_the_day_folder_and_the_mark(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    post(home, event(1, 9))

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(folding.Inbox, "fold", killed)
        with pytest.raises(KeyboardInterrupt):
            fold_inbox(home)
    assert accepted(home) == ["i1", "old"]
    post(home, event(2, 9))
    fold_inbox(home)
    assert accepted(home) == ["i1", "i2", "old"]
    assert fold_inbox(home) == []


def test_what_is_learned_is_what_was_posted(home: Home) -> None:
    post(home, event(1, 23))
    fold_inbox(home)
    table = day_events(home)
    assert table.schema.equals(EVENTS)
    (row,) = (one for one in table.to_pylist() if one["item_id"] == "i1")
    assert row == event(1, 23).model_dump()


def test_events_that_cannot_be_used_stop_nothing(home: Home) -> None:
    """As a gateway of before, which looked less closely, has left them."""
    blank = event(1, 9).model_copy(update={"user_id": " "})
    old = event(2, 9).model_copy(update={"timestamp": dt.datetime(1980, 1, 1, tzinfo=dt.timezone.utc)})
    post(home, blank, old)
    (summary,) = fold_inbox(home)
    assert (summary.events, sum(summary.quarantined.values())) == (0, 2)
    assert summary.quarantine.is_file()
    assert accepted(home) == ["old"]
    assert fold_inbox(home) == []


def test_another_import_is_waited_for(home: Home) -> None:
    post(home, event(1, 9))
    with ThreadPoolExecutor(1) as pool:
        with workspace(home):
            folded = pool.submit(fold_inbox, home)
            assert not wait([folded], timeout=1).done
        assert folded.result()[0].events == 1
    assert accepted(home) == ["i1", "old"]


def test_no_gateway_no_inbox(home: Home) -> None:
    assert fold_inbox(home) == []
    assert not path_of(home).exists()
