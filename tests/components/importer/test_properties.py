"""Whatever stands in a file, no row of it is lost: it is an event, in quarantine, or the file is refused."""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from components.events import store
from components.events.read import available_spans, read_stretch
from components.importer.log import import_events
from components.importer.mapping import ColumnMapping
from schemas.home import Home

text = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
ids = st.one_of(text, st.sampled_from(["a", "b", "007", " c ", "d\ne", "x" * 2000, '"', "'", ";"]))
times = st.sampled_from(["2024-03-04T10:00:00Z", "2024-03-05", "1709546400", "1709546400000", "never", ""])
behaviors = st.sampled_from(["click", "pv", "BUY", "look", ""])
prices = st.sampled_from(["", "1.5", "-1", "NaN", "free", "0"])
rows = st.lists(st.tuples(ids, ids, times, behaviors, prices), min_size=1, max_size=25)
MAPPING = ColumnMapping("u", "i", "t", behavior="b", price="p")


def write(path: Path, table: list, delimiter: str, ragged: str = "") -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(["u", "i", "t", "b", "p"])
        writer.writerow(["good", "1", "2024-03-04T09:00:00Z", "click", ""])
        writer.writerows(table)
        file.write(ragged)
    return path


def accounts(home: Home, out: Path) -> list[dict]:
    spans = available_spans(home.events)
    read_stretch(home.events, spans[0], spans[-1], out)
    return list(store.accounts(out).values())


@settings(max_examples=25, deadline=None)
@given(rows, st.sampled_from([",", ";", "\t", "|"]), st.booleans())
def test_every_row_of_a_generated_file_is_an_event_or_in_quarantine(table, delimiter, ragged):
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder) / "home")
        path = write(Path(folder) / "log.csv", table, delimiter, "broken\n" if ragged else "")
        summary = import_events(path, MAPPING, home)
        received = len(table) + 1 + ragged
        if "row a quote that is not closed" not in summary.quarantined:  # then lines are rows
            assert summary.events + sum(summary.quarantined.values()) == received
        days = accounts(home, Path(folder) / "out")
        assert sum(day["accepted"] + day["duplicates"] for day in days) == summary.events
        for day in days:
            parts = day["accepted"] + day["duplicates"] + day["capped"] + sum(day["quarantined"].values())
            assert day["received"] == parts


@settings(max_examples=15, deadline=None)
@given(rows, st.integers(0, 25))
def test_a_file_in_two_parts_gives_the_events_of_the_whole(table, cut):
    table = list(dict.fromkeys(table))  # equal rows of two parts are one event, of one file they are several
    with tempfile.TemporaryDirectory() as folder:
        found = []
        for name, parts in (("whole", [table]), ("parts", [table[:cut], table[cut:]])):
            home = Home(Path(folder) / name)
            for number, part in enumerate(parts):
                import_events(write(Path(folder) / f"{name}{number}.csv", part, ","), MAPPING, home)
            days = accounts(home, Path(folder) / f"{name}-out")
            ids = [
                store.read_events(Path(folder) / f"{name}-out", span)["event_id"].to_pylist()
                for span in available_spans(home.events)
            ]
            found.append((ids, [day["accepted"] for day in days]))
        assert found[0] == found[1]
