"""Rows in quarantine, mended: into their days, once, and out of what their days count as quarantined."""

from __future__ import annotations

import datetime as dt

import pytest

from components.events import store
from components.events.read import day_files, read_stretch
from components.events.source import FileFormat
from components.importer.log import import_events
from components.importer.mapping import ColumnMapping
from components.importer.mending import import_mended
from schemas.home import Home
from schemas.spans import span_of

SPAN = span_of(dt.date(2024, 3, 4))
LOG = """u,i,t,price
a,1,2024-03-05T02:00:00Z,2
,2,2024-03-05T02:00:00Z,2
b,3,2024-03-05T02:00:00Z,-4
c,4
"""


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "home")


@pytest.fixture
def quarantine(home, tmp_path):
    (tmp_path / "log.csv").write_text(LOG)
    mapping = ColumnMapping("u", "i", "t", as_behavior="purchase", time_zone="America/New_York")
    return import_events(tmp_path / "log.csv", mapping, home).quarantine


def account(home, tmp_path):
    read_stretch(home.events, SPAN, SPAN, tmp_path / "out")
    return store.read_account(tmp_path / "out", SPAN)


def test_a_day_names_the_source_of_what_it_cannot_use(home, quarantine, tmp_path):
    assert account(home, tmp_path)["quarantined"] == {"user_id missing": 1, "price negative": 1}
    found = store.read_quarantine(tmp_path / "out", SPAN).to_pylist()
    assert [(row["file"][:7], row["row"], row["price"]) for row in found] == [
        ("log.csv", 2, "2"),
        ("log.csv", 3, "-4"),
    ]


def test_mended_rows_join_their_day_once_and_lose_nothing(home, quarantine, tmp_path):
    text = quarantine.read_text().replace('"-4"', '"4"')
    mended = tmp_path / "mended.csv"
    mended.write_text(text.replace(',,"2",', ',"z","2",'))
    summary = import_mended(mended, home)
    assert (summary.mended, summary.still_faulty) == (2, {"timestamp missing": 1})
    after = account(home, tmp_path)
    assert (after["received"], after["accepted"], after["quarantined"]) == (3, 3, {})
    assert store.read_events(tmp_path / "out", SPAN)["user_id"].to_pylist() == ["a", "b", "z"]
    version = day_files(home.events, SPAN).version
    assert import_mended(mended, home).days_written == 0
    assert day_files(home.events, SPAN).version == version


def test_numbers_with_a_decimal_comma_are_mended_as_they_were_imported(home, tmp_path):
    (tmp_path / "log.csv").write_text(
        "u;i;t;p;q\na;1;2024-03-04;2,50;1,0\nb;2;2024-03-04;2.50;1\nc;3;2024-03-04;1;-1,0\n"
    )
    mapping = ColumnMapping("u", "i", "t", as_behavior="purchase", price="p", quantity="q")
    summary = import_events(tmp_path / "log.csv", mapping, home, written=FileFormat(decimal=","))
    assert (summary.events, summary.quarantined) == (1, {"price not a number": 1})
    assert summary.skipped == {"a return": 1}
    summary.quarantine.write_text(summary.quarantine.read_text().replace('"2.50"', '"1.002,50"'))
    assert import_mended(summary.quarantine, home).mended == 1
    assert account(home, tmp_path)["accepted"] == 2
    assert store.read_events(tmp_path / "out", SPAN)["price"].to_pylist() == [2.5, 1002.5]


def test_only_quarantine_files_can_be_brought_back(home, quarantine, tmp_path):
    with pytest.raises(ValueError, match="has no column 'file'"):
        import_mended(tmp_path / "log.csv", home)
    other = tmp_path / "other.csv"
    other.write_text(quarantine.read_text().replace("log.csv#", "gone.csv#"))
    with pytest.raises(ValueError, match=r"no import of 'gone\.csv#.*' is remembered"):
        import_mended(other, home)


@pytest.mark.parametrize(
    ("source_files", "words"),
    [
        (("log.csv", "other.csv"), "holds rows of 2 imports: keep those of one import in a file"),
        (("other.csv",), "no import of 'other.csv' is remembered in .*: import its file itself"),
    ],
)
def test_a_file_that_is_no_quarantine_of_one_remembered_import_is_refused(
    home, tmp_path, source_files, words
):
    (tmp_path / "mended.csv").write_text(
        "file,row,user_id,item_id,timestamp\n"
        + "".join(f"{name},2,a,2,2024-03-05T02:00:00Z\n" for name in source_files)
    )
    with pytest.raises(ValueError, match=words):
        import_mended(tmp_path / "mended.csv", home)
