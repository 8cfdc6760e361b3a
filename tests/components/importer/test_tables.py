"""Logs, item tables and user tables of many spellings, and what is said of those that cannot be read."""

from __future__ import annotations

import csv
import datetime as dt
import gzip

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.events import store
from components.events.read import day_files, read_stretch
from components.events.source import FileFormat
from components.importer.log import import_events
from components.importer.mapping import ColumnMapping
from components.importer.tables import TableSummary, import_items, import_users
from schemas.home import Home
from schemas.spans import span_of

LOG = """who;what;when;did;price
007;a;2024-03-04T10:00:00Z;view;1.5
8;b;2024-03-05T10:00:00Z;AddToCart;
8;b;1709632800;purchase;2
8;;2024-03-05;purchase;2
8;c;some day;purchase;2
"""
MAPPING = ColumnMapping("who", "what", "when", "did")


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "home")


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(LOG)
    return path


def test_a_log_becomes_day_folders_that_the_events_step_reads(home, log, tmp_path):
    seen = []
    summary = import_events(log, MAPPING, home, lambda day, number, days: seen.append((number, days)))
    assert (summary.first_day, summary.last_day) == (dt.date(2024, 3, 4), dt.date(2024, 3, 5))
    assert (summary.days, summary.users, summary.items, summary.events) == (2, 2, 2, 3)
    assert summary.behaviors == {"cart": 1, "click": 1, "purchase": 1}
    assert summary.quarantined == {"item_id missing": 1, "timestamp not a time": 1}
    assert seen == [(1, 2), (2, 2)]
    first = span_of(dt.date(2024, 3, 4))
    read_stretch(home.events, first, first + 1, tmp_path / "out")
    assert store.read_events(tmp_path / "out", first)["user_id"].to_pylist() == ["007"]
    assert store.read_events(tmp_path / "out", first)["price"].to_pylist() == [1.5]
    assert store.read_account(tmp_path / "out", first + 1)["quarantined"] == {"item_id missing": 1}
    with summary.quarantine.open(newline="") as file:
        lost = [(row["row"], row["field"], row["reason"], row["timestamp"]) for row in csv.DictReader(file)]
    assert lost == [
        ("4", "item_id", "missing", "2024-03-05"),
        ("5", "timestamp", "not a time", "some day"),
    ]


def test_the_same_log_again_changes_nothing_and_another_makes_a_version(home, log):
    import_events(log, MAPPING, home)
    assert import_events(log, MAPPING, home).days_written == 0
    log.write_text(LOG.replace(";b;1709632800", ";z;1709632800"))
    assert import_events(log, MAPPING, home).days_written == 1
    versions = [day_files(home.events, span_of(dt.date(2024, 3, day))).version for day in (4, 5)]
    assert versions == [1, 2]


def test_parquet_and_one_behaviour_for_all_rows(home, tmp_path):
    days = pa.array([10_000 * 86_400_000, 10_001 * 86_400_000], pa.timestamp("ms"))
    table = pa.table({"u": [1, 2], "i": [3, 4], "t": days, "event_id": ["x", "y"]})
    pq.write_table(table, tmp_path / "log.parquet")
    summary = import_events(
        tmp_path / "log.parquet", ColumnMapping("u", "i", "t", as_behavior="purchase"), home
    )
    assert summary.behaviors == {"purchase": 2}
    (file,) = day_files(home.events, 10_001).files
    assert pq.read_table(file).to_pylist() == [
        {"user_id": "2", "item_id": "4", "behavior": "purchase", "event_id": "y",
         "timestamp": dt.datetime(1997, 5, 20, tzinfo=dt.timezone.utc)}
    ]  # fmt: skip


def test_unreadable_prices_reach_quarantine(home, tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("u,i,t,price\n1,2,2024-03-04,3\n1,2,2024-03-04,three\n")
    summary = import_events(path, ColumnMapping("u", "i", "t", as_behavior="click"), home)
    assert summary.quarantined == {"price not a number": 1}
    span = span_of(dt.date(2024, 3, 4))
    read_stretch(home.events, span, span, tmp_path / "out")
    assert store.read_quarantine(tmp_path / "out", span)["price"].to_pylist() == ["three"]


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        (
            ("user", "what", "when", "did"),
            r"log\.csv has no column 'user': it has who, what, when, did, price",
        ),
        (("who", "what", "did", "did"), r"no row of .*log\.csv can be used \(.*timestamp not a time: 4"),
    ],
)
def test_a_wrong_mapping_is_told_in_a_sentence(home, log, mapping, words):
    with pytest.raises(ValueError, match=words):
        import_events(log, ColumnMapping(*mapping), home)


def test_a_missing_file_is_told_in_a_sentence(home, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"log\.csv does not exist"):
        import_events(tmp_path / "log.csv", MAPPING, home)


@pytest.mark.parametrize("kind", [{}, {"behavior": "did", "as_behavior": "click"}, {"as_behavior": "look"}])
def test_a_mapping_needs_one_known_behaviour(kind):
    with pytest.raises(ValueError, match="behaviour"):
        ColumnMapping("u", "i", "t", **kind)


def test_item_tables_keep_their_columns_types_and_first_rows(home, tmp_path):
    path = tmp_path / "items.csv"
    path.write_text(
        "sku,Title,Brand Name,price,available_from\n01,One,X,1.5,2024-03-04\n02,Two,,,\n01,Other,Y,9,\n"
    )
    assert import_items(path, home) == TableSummary(rows=2, left_out=1, emptied=0)
    table = pq.read_table(home.items)
    assert table.schema.names == ["item_id", "name", "brand_name", "price", "available_from"]
    assert table.schema.field("price").type == pa.float64()
    assert table["item_id"].to_pylist() == ["01", "02"]
    assert table["name"].to_pylist() == ["One", "Two"]


def test_a_table_of_another_country_is_read_as_it_is_written(home, tmp_path):
    content = "Nummer;Bezeichnung;Preis;Inhalt;price;available_until\n07;Käse;1.234,5;0,5;2,49;31.12.2024\n"
    content += "08;Öl;3;1,25;-1;2024-12-31\n"
    path = tmp_path / "items.csv.gz"
    path.write_bytes(gzip.compress(content.encode("latin-1")))
    written = FileFormat(";", "latin-1", decimal=",")
    assert import_items(path, home, written=written) == TableSummary(rows=2, left_out=0, emptied=2)
    assert pq.read_table(home.items).to_pydict() == {
        "item_id": ["07", "08"], "bezeichnung": ["Käse", "Öl"], "preis": [1234.5, 3.0], "inhalt": [0.5, 1.25],
        "price": [2.49, None], "available_until": [None, dt.date(2024, 12, 31)],
    }  # fmt: skip
    with pytest.raises(ValueError, match=r"has no '\|' in its first line, but ';'"):
        import_items(path, home, written=FileFormat("|", "latin-1"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("id,colour\n", "no row of .* has an id in 'id'"),
        ("sku,item_id\na,b\n", "columns 'sku' and 'item_id' of .* would both be 'item_id': rename one"),
        ("id,Brand Name,brand_name\na,x,y\n", "would both be 'brand_name'"),
    ],
)
def test_a_table_that_would_lose_a_column_or_all_rows_is_refused(home, tmp_path, text, words):
    (tmp_path / "items.csv").write_text(text)
    with pytest.raises(ValueError, match=words):
        import_items(tmp_path / "items.csv", home)
    assert not home.items.exists()


def test_a_quote_that_is_never_closed_swallows_no_row_of_a_table(home, tmp_path):
    (tmp_path / "items.csv").write_text('id,size\na,"5 inch\nb,1\nc,1\nd,"two\nlines"\ne,2\n')
    assert import_items(tmp_path / "items.csv", home).rows == 3
    assert pq.read_table(home.items)["item_id"].to_pylist() == ["b", "c", "e"]


def test_the_id_column_can_be_named(home, tmp_path):
    path = tmp_path / "users.csv"
    path.write_text("age,user\n30,a\n,b\n")
    assert import_users(path, home, key="user").rows == 2
    assert pq.read_table(home.users).to_pydict() == {"user_id": ["a", "b"], "age": [30, None]}


def test_item_columns_that_cannot_be_features_are_refused_at_once(home, tmp_path):
    pq.write_table(pa.table({"item_id": ["a"], "tags": [["x", "y"]]}), tmp_path / "items.parquet")
    with pytest.raises(ValueError, match="column 'tags' of the item table is of type list"):
        import_items(tmp_path / "items.parquet", home)
    assert not home.items.exists()
