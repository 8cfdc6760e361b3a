"""Day files of every kind: what is accepted, repeated, put into quarantine, missing or unreadable."""

from __future__ import annotations

import datetime as dt
import gzip
import time

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.events import sql, store
from components.events.config import EventsConfig
from components.events.read import available_spans, fingerprint, read_stretch
from schemas.events import EVENTS
from schemas.spans import span_of

DAY = dt.date(2024, 3, 4)
SPAN = span_of(DAY)
HEADER = "user_id,item_id,timestamp,behavior,price\n"
GOOD = "1,2,2024-03-04T10:00:00Z,click,\n"


@pytest.fixture
def put(tmp_path):
    """Writes a day file: put("a.csv", text, day=DAY, version=1)."""

    def write(name, content, day=DAY, version=1):
        folder = tmp_path / "events" / day.isoformat() / f"ver-{version}"
        folder.mkdir(parents=True, exist_ok=True)
        if isinstance(content, pa.Table):
            pq.write_table(content, folder / name)
        else:
            (folder / name).write_text(content)

    return write


@pytest.fixture
def read(tmp_path):
    """Reads the stretch first..SPAN and returns (events, quarantine, account) of its last day."""

    def run(first=SPAN):
        out = tmp_path / "out"
        read_stretch(tmp_path / "events", first, SPAN, out)
        return store.read_events(out, SPAN), store.read_quarantine(out, SPAN), store.read_account(out, SPAN)

    return run


def test_exact_repeats_in_a_file_are_events_of_their_own_and_across_files_they_are_duplicates(put, read):
    put("a.csv", HEADER + GOOD * 2)
    put("b.csv", HEADER + GOOD * 3)
    events, _, account = read()
    assert events.num_rows == 3
    assert account["received"] == 5
    assert account["duplicates"] == 2
    assert len(set(events["event_id"].to_pylist())) == 3


def test_rows_with_an_event_id_are_unique_by_it(put, read):
    put(
        "a.csv", "event_id,user_id,item_id,timestamp,behavior\nx,1,2,1709546400,cart\nx,1,3,1709546400,cart\n"
    )
    events, _, account = read()
    assert events["item_id"].to_pylist() == ["2"]
    assert account["duplicates"] == 1


def test_identities_do_not_depend_on_the_file_format(put, read, tmp_path):
    put("a.csv", HEADER + GOOD * 2 + "1,2,2024-03-04 11:00:00,purchase,3.50\n")
    from_csv, _, _ = read()
    typed = from_csv.drop(["event_id"])
    put("a.parquet", typed, version=2)
    from_parquet, _, account = read()
    assert from_parquet.equals(from_csv)
    assert account["version"] == 2


@pytest.mark.parametrize(
    ("row", "field", "reason"),
    [
        (",2,2024-03-04,cart,1", "user_id", "missing"),
        ("1, ,2024-03-04,cart,1", "item_id", "missing"),
        ("1,2,,cart,1", "timestamp", "missing"),
        ("1,2,yesterday,cart,1", "timestamp", "not a time"),
        ("1,2,inf,cart,1", "timestamp", "not a time"),
        ("1,2,2024-03-05T00:00:00Z,cart,1", "timestamp", "of another day"),
        ("1,2,2024-03-04T23:30:00-02:00,cart,1", "timestamp", "of another day"),
        ("1,2,2024-03-04,,1", "behavior", "missing"),
        ("1,2,2024-03-04,look,1", "behavior", "unknown"),
        ("1,2,2024-03-04,cart,cheap", "price", "not a number"),
        ("1,2,2024-03-04,cart,-1", "price", "negative"),
    ],
)
def test_what_cannot_be_used_goes_to_quarantine_and_the_account_adds_up(put, read, row, field, reason):
    put("a.csv", HEADER + GOOD + row + "\n" + GOOD)
    events, quarantine, account = read()
    assert events.num_rows == 2
    (found,) = quarantine.to_pylist()
    assert (found["file"], found["row"], found["field"], found["reason"]) == ("a.csv", 2, field, reason)
    assert account["quarantined"] == {f"{field} {reason}": 1}
    assert account["received"] == account["accepted"] + account["duplicates"] + 1


@pytest.mark.parametrize(
    "text",
    [
        "2024-03-04T10:00:00Z", "2024-03-04 10:00:00", "2024-03-04T12:00:00+02:00",
        "2024-03-04T10:00:00.000000",
        "1709546400", "1709546400.0", "1709546400000", "1709546400000000", "1709546400000000000",
    ],
)  # fmt: skip
def test_times_in_many_spellings_are_the_same_moment(put, read, text):
    put("a.csv", HEADER + f"1,2,{text},cart,\n")
    events, _, _ = read()
    assert events["timestamp"].to_pylist() == [dt.datetime(2024, 3, 4, 10, tzinfo=dt.timezone.utc)]


def test_dates_are_midnight_and_integer_ids_with_gaps_keep_their_spelling(put, read):
    table = pa.table(
        {
            "user_id": [1.0, None],
            "item_id": ["007", "8"],
            "timestamp": [DAY, DAY],
            "behavior": ["cart", "cart"],
        }
    )
    put("a.parquet", table)
    events, quarantine, _ = read()
    assert events.to_pylist()[0] | {"event_id": ""} == {
        "event_id": "", "user_id": "1", "item_id": "007", "behavior": "cart", "price": None,
        "timestamp": dt.datetime(2024, 3, 4, tzinfo=dt.timezone.utc),
    }  # fmt: skip
    assert quarantine["field"].to_pylist() == ["user_id"]


def test_only_the_highest_version_counts(put, read):
    put("a.csv", HEADER + GOOD * 5, version=2)
    put("a.csv", HEADER + GOOD, version=10)
    assert read()[0].num_rows == 1


def test_a_missing_day_within_the_stretch_is_recorded(put, read, tmp_path):
    put("a.csv", HEADER + GOOD)
    read(first=SPAN - 1)
    account = store.read_account(tmp_path / "out", SPAN - 1)
    assert account["missing"] is True
    assert account["received"] == 0
    assert store.read_events(tmp_path / "out", SPAN - 1).schema == EVENTS
    assert list(store.accounts(tmp_path / "out")) == ["2024-03-03", "2024-03-04"]


def test_an_empty_day_is_not_a_missing_one(put, read):
    put("a.csv", HEADER)
    events, _, account = read()
    assert events.num_rows == 0
    assert account["missing"] is False


def test_a_missing_last_day_is_told_in_a_sentence(read):
    with pytest.raises(
        FileNotFoundError, match=r"no events of 2024-03-04: put its files into .*2024-03-04/ver-1/"
    ):
        read()


def test_an_unreadable_file_is_named(put, read):
    put("a.parquet", "this is no Parquet")
    with pytest.raises(ValueError, match=r"a\.parquet cannot be read"):
        read()


def test_a_file_without_a_needed_column_is_named(put, read):
    put("a.csv", "user_id,item_id,timestamp\n1,2,2024-03-04\n")
    with pytest.raises(ValueError, match=r"a\.csv has no column behavior: it needs user_id"):
        read()


def test_the_fingerprint_sees_contents_names_and_versions(put, tmp_path):
    folder = tmp_path / "events"
    seen = {fingerprint(folder, SPAN, SPAN)}
    for name, text, version in (
        ("a.csv", HEADER, 1),
        ("a.csv", HEADER + GOOD, 1),
        ("a.csv", HEADER + GOOD, 2),
    ):
        put(name, text, version=version)
        seen.add(fingerprint(folder, SPAN, SPAN))
    assert len(seen) == 4
    assert fingerprint(folder, SPAN, SPAN) in seen


def test_available_spans_are_days_with_files(put, tmp_path):
    put("a.csv", HEADER)
    (tmp_path / "events" / "2024-03-06" / "ver-1").mkdir(parents=True)
    (tmp_path / "events" / "not-a-date").mkdir()
    assert available_spans(tmp_path / "events") == [SPAN]


def test_the_raw_view_holds_what_is_quarantined(put, read, tmp_path):
    put("a.csv", HEADER + GOOD + ",2,2024-03-04,cart,1\n1,2,soon,cart,1\n")
    read()
    raw = store.read_raw(tmp_path / "out").to_pylist()
    assert [row["fault"] for row in raw] == [None, "user_id missing", "timestamp not a time"]
    assert [row["time"] is None for row in raw] == [False, False, True]


def test_quoting_keeps_any_name_whole():
    strange = 'a"; DROP TABLE x; --'
    with sql.connect() as connection:
        connection.execute(f"CREATE TABLE t ({sql.quoted(strange)} INTEGER)")
        assert connection.execute("DESCRIBE t").fetchone()[0] == strange
        assert isinstance(connection, duckdb.DuckDBPyConnection)
        assert connection.execute(f"SELECT {sql.literal(chr(39) + strange)}").fetchone() == (
            chr(39) + strange,
        )


def test_a_robot_keeps_its_earliest_events_and_the_rest_is_capped(put, tmp_path):
    rows = [f"robot,{n},2024-03-04T{n // 60:02d}:{n % 60:02d}:00Z,click,\n" for n in reversed(range(50))]
    put("a.csv", HEADER + GOOD + "".join(rows))
    config = EventsConfig(max_events_per_user_day=7)
    read_stretch(tmp_path / "events", SPAN, SPAN, tmp_path / "out", config)
    events, account = store.read_events(tmp_path / "out", SPAN), store.read_account(tmp_path / "out", SPAN)
    kept = sorted(int(row["item_id"]) for row in events.to_pylist() if row["user_id"] == "robot")
    assert kept == list(range(7))
    assert (account["received"], account["accepted"], account["capped"]) == (51, 8, 43)


@pytest.mark.slow
def test_a_million_clicks_of_a_robot_are_read_in_seconds(put, tmp_path):
    clicks = 1_000_000
    table = pa.table(
        {
            "user_id": ["robot"] * clicks,
            "item_id": pa.array(range(clicks), pa.int64()).cast(pa.string()),
            "timestamp": pa.array(range(clicks), pa.int64()).cast(pa.timestamp("us")),
            "behavior": ["click"] * clicks,
        }
    )
    put("a.parquet", table, day=dt.date(1970, 1, 1))
    started = time.monotonic()
    read_stretch(tmp_path / "events", 0, 0, tmp_path / "out")
    assert (
        store.read_account(tmp_path / "out", 0)["capped"] == clicks - EventsConfig().max_events_per_user_day
    )
    assert time.monotonic() - started < 60


@pytest.mark.parametrize(
    ("row", "reason"),
    [("1,2\n", "row too few values"), ('1,"2,2024-03-04,click,\n', "row a quote that is not closed")],
)
def test_a_broken_row_of_a_day_file_costs_itself_only(put, read, row, reason):
    put("a.csv", HEADER + GOOD + row + GOOD)
    events, quarantine, account = read()
    assert events.num_rows == 2
    assert account["quarantined"] == {reason: 1}
    assert quarantine["raw"].to_pylist() == [row.strip()]


def test_day_files_may_be_json_lines_and_packed(put, read, tmp_path):
    put("a.jsonl", '{"user_id": 1, "item_id": "2", "timestamp": 1709546400, "behavior": "click"}\n')
    packed = tmp_path / "events" / DAY.isoformat() / "ver-1" / "b.csv.gz"
    packed.write_bytes(gzip.compress((HEADER + GOOD.replace("1,2", "3,4")).encode()))
    assert read()[0]["user_id"].to_pylist() == ["1", "3"]
