"""Files as they come, and what an import keeps, puts aside, leaves out or refuses of them."""

from __future__ import annotations

import datetime as dt
import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.events import store
from components.events.read import day_files, read_stretch
from components.events.source import FileFormat
from components.importer.log import import_events, workspace
from components.importer.mapping import ColumnMapping, from_settings, read_settings
from components.importer.tables import TableSummary, import_items
from schemas.home import Home
from schemas.spans import date_of, span_of

DAY = dt.date(2024, 3, 4)
SPAN = span_of(DAY)
MAPPING = ColumnMapping("u", "i", "t", as_behavior="click")
ROWS = [("a", "1", "2024-03-04T10:00:00Z"), ("é b", "007", "2024-03-04T11:00:00Z")]
NAMED = {"user": "u", "item": "i", "timestamp": "t"}
JSON_LINES = "".join(json.dumps(dict(zip("uit", row, strict=True))) + "\n" for row in ROWS)
HEADER = "u,i,t\n"
GOOD = "a,1,2024-03-04T10:00:00Z\n"


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "home")


@pytest.fixture
def put(tmp_path):
    """Writes a file and returns its path."""

    def write(content, name="log.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.fixture
def read(home, tmp_path):
    """The events and the account of a day, as the events step reads them."""

    def run(span=SPAN):
        read_stretch(home.events, span, span, tmp_path / "out")
        return store.read_events(tmp_path / "out", span), store.read_account(tmp_path / "out", span)

    return run


def csv_text(delimiter=","):
    return "\n".join(delimiter.join(row) for row in [("u", "i", "t"), *ROWS]) + "\n"


@pytest.mark.parametrize(
    ("content", "name", "written"),
    [
        (csv_text(";"), "log.csv", FileFormat()),
        (csv_text("\t"), "log.tsv", FileFormat()),
        (csv_text("|"), "log.txt", FileFormat()),
        (csv_text("::"), "log.dat", FileFormat()),
        (csv_text("~"), "log.csv", FileFormat(delimiter="~")),
        (csv_text().replace("\n", "\r\n"), "log.csv", FileFormat()),
        (csv_text().replace("\n", "\r\n", 1), "log.csv", FileFormat()),
        (csv_text().partition("\n")[2], "log.csv", FileFormat(columns=("u", "i", "t"))),
        (b"\xef\xbb\xbf" + csv_text().encode(), "log.csv", FileFormat()),
        (csv_text().encode("utf-16"), "log.csv", FileFormat()),
        (csv_text().encode("latin-1"), "log.csv", FileFormat(encoding="latin-1")),
        (gzip.compress(csv_text().encode(), mtime=0), "log.csv.gz", FileFormat()),
        (JSON_LINES, "log.jsonl", FileFormat()),
        (csv_text(), "log[1] *?'.csv", FileFormat()),
    ],
    ids=["semicolons", "tabs", "bars", "two colons", "tildes", "crlf", "crlf once", "no header",
         "byte order mark", "utf-16", "latin-1", "gzip", "json lines", "name of a pattern"],
)  # fmt: skip
def test_text_files_of_many_kinds_hold_the_same_events(put, home, read, content, name, written):
    assert import_events(put(content, name), MAPPING, home, written=written).events == 2
    events, account = read()
    assert events["user_id"].to_pylist() == ["a", "é b"]
    assert events["item_id"].to_pylist() == ["1", "007"]
    assert account["received"] == account["accepted"] == 2


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        ("", "log.csv", "log.csv is empty"),
        ("no Parquet", "log.parquet", "log.parquet cannot be read as Parquet"),
        (b"PK\x03\x04rest", "log.xlsx", "is a ZIP archive or a spreadsheet: unpack it"),
        (b"BZh91AY&SY", "log.csv.bz2", "is packed with bzip2: unpack it"),
        (gzip.compress(csv_text().encode() * 1000, mtime=0)[:-9], "log.csv.gz", "is a damaged gzip file"),
        ('[{"u": 1}]', "log.json", "is one JSON array: write one object a line"),
        (b"u,i,t\n\x00\x01", "log.csv", "is no text file"),
        ("u,i,t,u\n", "log.csv", "has two columns 'u'"),
        ("u,i,Time\na,1,2\n", "log.csv", "has no column 't': it has u, i, Time"),
        (b"PAR1 and no more", "log.parquet", "cannot be read as Parquet, write it again"),
        (b"(\xb5/\xfdrest", "log.csv.zst", "is packed with zstd: unpack it"),
        ('[1, 2]\n"text"\n', "log.txt.jsonl", "is one JSON array"),
        ('1\n"text"\n', "log.jsonl", "holds no JSON objects: write one object a line"),
    ],
)
def test_a_file_that_is_not_what_it_claims_is_refused_in_a_sentence(put, home, content, name, words):
    with pytest.raises(ValueError, match=words):
        import_events(put(content, name), MAPPING, home)
    assert not list(home.events.glob("*"))


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ({"encoding": "latin-99"}, "'latin-99' is no encoding: name one such as latin-1"),
        ({"encoding": "ascii"}, "log.csv is not written in ascii, name another encoding"),
        ({"delimiter": ";"}, "has no ';' in its first line, but ',': name that delimiter, or none"),
        ({"decimal": ":"}, "decimal ':' is neither '.' nor ',': take one of them"),
    ],
)
def test_a_file_that_is_not_written_as_it_is_told_is_refused_in_a_sentence(put, home, written, words):
    path = put(csv_text())
    with pytest.raises(ValueError, match=words):
        import_events(path, MAPPING, home, written=FileFormat(**written))
    assert not list(home.events.glob("*"))


def test_no_file_is_told_from_a_folder(home, tmp_path):
    with pytest.raises(FileNotFoundError, match="is a folder: name a file in it"):
        import_events(tmp_path, MAPPING, home)
    with pytest.raises(
        FileNotFoundError, match=r"gone\.csv does not exist: name a CSV, Parquet or JSON lines"
    ):
        import_events(tmp_path / "gone.csv", MAPPING, home)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({**NAMED, "timestamp": None}, "does not say which column is timestamp: name it"),
        (NAMED, "name either a behaviour column or one behaviour for all rows"),
        ({**NAMED, "behavior": "b", "as_behavior": "click"}, "name either a behaviour column or one"),
    ],
)
def test_half_a_mapping_is_refused_in_a_sentence(settings, words):
    with pytest.raises(ValueError, match=words):
        from_settings(settings)


def test_a_mapping_file_holds_a_mapping(put):
    with pytest.raises(ValueError, match="is no mapping: write lines such as `user: customer_id`"):
        read_settings(put("- user\n- item\n", "mapping.yaml"))
    with pytest.raises(ValueError, match=r"mapping.yaml is no YAML"):
        read_settings(put("user: [", "mapping.yaml"))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("a,1\n", "row too few values"),
        ("a,1,2024-03-04,x,y\n", "row too many values"),
        ('a,"1,2024-03-04T10:00:00Z\n', "row a quote that is not closed"),
        (",1,2024-03-04\n", "user_id missing"),
        ('a,"1\n2",2024-03-04\n', "item_id with a line break or control character"),
        ("a,x\ty,2024-03-04\n", "item_id with a line break or control character"),
        (f"{'x' * 10_000},1,2024-03-04\n", "user_id longer than 1024 bytes"),
        ("a,1,2924-03-04\n", "timestamp in the future"),
        ("a,1,never\n", "timestamp not a time"),
    ],
)
def test_a_broken_row_costs_itself_only(put, home, read, row, reason):
    summary = import_events(put(HEADER + GOOD + row + GOOD.replace("a", "b")), MAPPING, home)
    assert summary.events == 2
    assert reason in summary.quarantined
    assert read()[0]["user_id"].to_pylist() == ["a", "b"]
    assert reason.partition(" ")[2] in summary.quarantine.read_text()


def test_a_row_that_is_no_utf_8_costs_itself_only(put, home):
    summary = import_events(put(HEADER.encode() + b"caf\xe9,1,2024-03-04\n" + GOOD.encode()), MAPPING, home)
    assert (summary.events, summary.quarantined) == (1, {"row not in UTF-8": 1})


def test_a_time_zone_decides_what_a_day_is(put, home, read):
    log = put(HEADER + "a,1,2024-03-05T02:00:00Z\nb,1,1709604000\nc,1,2024-03-04 23:59:00\n")
    mapping = ColumnMapping("u", "i", "t", as_behavior="click", time_zone="America/New_York")
    summary = import_events(log, mapping, home)
    assert (summary.first_day, summary.last_day) == (DAY, DAY)
    times = [time.strftime("%H:%M") for time in read()[0]["timestamp"].to_pylist()]
    assert times == ["21:00", "21:00", "23:59"]


def test_times_without_a_zone_can_be_those_of_another(put, home):
    log = put(HEADER + "a,1,2024-03-05 02:00:00\n")
    mapping = ColumnMapping("u", "i", "t", as_behavior="click", time_zone="America/New_York", times_in="UTC")
    assert import_events(log, mapping, home).first_day == DAY


def test_days_of_two_time_zones_are_not_mixed(put, home):
    log = put(HEADER + GOOD)
    import_events(log, MAPPING, home)
    other = ColumnMapping("u", "i", "t", as_behavior="click", time_zone="Asia/Tokyo")
    with pytest.raises(ValueError, match=r"are those of UTC .*, not of Asia/Tokyo"):
        import_events(log, other, home)
    with pytest.raises(ValueError, match="'Mars' is no time zone"):
        import_events(
            log, ColumnMapping("u", "i", "t", as_behavior="click", time_zone="Mars"), Home(home.root / "x")
        )


def test_the_second_half_of_a_day_comes_beside_the_first(put, home, read):
    import_events(put(HEADER + GOOD * 2), MAPPING, home)
    second = put(HEADER + GOOD + GOOD.replace("a", "b"), "second.csv")
    summary = import_events(second, MAPPING, home)
    assert (summary.days_written, summary.days_merged) == (1, 1)
    events, account = read()
    assert events["user_id"].to_pylist() == ["a", "a", "b"]
    assert account["duplicates"] == 1
    assert import_events(second, MAPPING, home).days_written == 0
    assert day_files(home.events, SPAN).version == 2


def test_a_later_delivery_of_an_event_with_an_id_counts(put, home, read):
    for item in ("1", "2"):
        import_events(put(f"event_id,u,i,t\nx,a,{item},2024-03-04\n"), MAPPING, home)
    assert read()[0]["item_id"].to_pylist() == ["2"]


def test_replace_makes_a_file_all_there_is_of_its_days(put, home, read):
    import_events(put(HEADER + GOOD * 2), MAPPING, home)
    only = put(HEADER + GOOD, "only.csv")
    assert import_events(only, MAPPING, home, replace=True).days_written == 1
    assert read()[0].num_rows == 1
    assert import_events(only, MAPPING, home, replace=True).days_written == 0


def test_returns_guests_and_words_to_skip_are_left_out_and_counted(put, home):
    text = (
        "u,i,t,b,q\na,1,2024-03-04,pv,1\na,1,2024-03-04,buy,-1\n,1,2024-03-04,buy,1\na,1,2024-03-04,test,1\n"
    )
    mapping = ColumnMapping(
        "u", "i", "t", behavior="b", quantity="q", skip_guests=True, behavior_map={"test": "skip"}
    )
    summary = import_events(put(text), mapping, home)
    assert (summary.events, summary.quarantined) == (1, {})
    assert summary.skipped == {"a return": 1, "behaviour test": 1, "no user": 1}


def test_the_summary_says_whether_repeats_matter_and_what_the_item_table_knows(put, home):
    import_items(put("id,colour\n1,red\n", "items.csv"), home)
    log = put(HEADER + GOOD + GOOD.replace("10", "12") + "b,2,2024-03-04\nb,1,2024-03-04\n")
    summary = import_events(log, MAPPING, home)
    assert (summary.repeats, summary.described) == (0.25, 0.5)


def test_one_import_at_a_time_and_what_a_killed_one_left_goes(put, home):
    log = put(HEADER + GOOD)
    left_over = home.events.parent / ".import-killed"
    left_over.mkdir(parents=True)
    with workspace(home), pytest.raises(RuntimeError, match="another import into this deployment is running"):
        import_events(log, MAPPING, home)
    assert import_events(log, MAPPING, home).events == 1
    assert not left_over.exists()


def test_unknown_behaviours_are_named(put, home):
    log = put("u,i,t,b\na,1,2024-03-04,look\na,1,2024-03-04,buy\na,1,2024-03-04,\n")
    summary = import_events(log, ColumnMapping("u", "i", "t", behavior="b"), home)
    assert (summary.unknown_behaviors, summary.behaviors) == ({"look": 1}, {"purchase": 1})


def test_a_mapping_in_yaml_and_a_format_of_ones_own(put, home, read):
    path = put(
        "user: who\nitem: what\ntimestamp: when\nbehavior: did\nbehavior_map: {5: purchase, 1: skip}\n"
        'time_format: "%m/%d/%Y %H:%M"\ndelimiter: ";"\n',
        "map.yaml",
    )
    log = put("who;what;when;did\na;1;3/4/2024 9:05;5\na;1;3/4/2024 9:06;1\n")
    mapping, written = from_settings(read_settings(path))
    assert import_events(log, mapping, home, written=written).behaviors == {"purchase": 1}
    assert read()[0]["timestamp"].to_pylist() == [dt.datetime(2024, 3, 4, 9, 5, tzinfo=dt.timezone.utc)]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"user": "u", "item": "i"}, "which column is timestamp"),
        (NAMED | {"when": "x"}, "'when' is no part of a mapping"),
        (NAMED | {"behavior": "b", "behavior_map": {"x": "y"}}, "'y' is no behaviour"),
    ],
)  # fmt: skip
def test_a_mapping_that_says_too_little_or_too_much_is_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        from_settings(settings)


def test_typed_parquet_columns_and_dates(home, tmp_path, read):
    table = pa.table(
        {
            "u": pa.array(["a", "b"]).dictionary_encode(),
            "i": pa.array([1.0, 2.5]),
            "t": pa.array([DAY, DAY]),
            "price": [float("nan"), -1.0],
        }
    )
    pq.write_table(table, tmp_path / "log.parquet")
    with pytest.raises(ValueError, match="price negative: 1, price not a number: 1"):
        import_events(tmp_path / "log.parquet", MAPPING, home)
    pq.write_table(table.drop(["price"]), tmp_path / "log.parquet")
    import_events(tmp_path / "log.parquet", MAPPING, home)
    assert read()[0]["item_id"].to_pylist() == ["1", "2.5"]


def test_item_tables_lose_prices_that_are_none_and_keep_leading_zeros(put, home):
    path = put(
        "id,price,shelf,available_from\n1,-2,01,2024-03-04\n2,NaN,02,soon\n3,4.5,10,1709546400\n4,1\n",
        "i.csv",
    )
    assert import_items(path, home) == TableSummary(rows=3, left_out=1, emptied=3)
    table = pq.read_table(home.items)
    assert table["price"].to_pylist() == [None, None, 4.5]
    assert table["shelf"].to_pylist() == ["01", "02", "10"]
    assert table["available_from"].to_pylist() == [DAY, None, date_of(SPAN)]


def test_what_was_imported_how_is_remembered(put, home):
    import_events(put(HEADER + GOOD), MAPPING, home)
    (path,) = (home.events.parent / "imports").iterdir()
    record = json.loads(path.read_text())
    assert (record["mapping"]["time_zone"], record["summary"]["events"]) == ("UTC", 1)
    assert not list(home.events.parent.glob(".import-*"))


def test_a_note_of_two_lines_stays_one_row_whatever_breaks_beside_it(put, home, read):
    """An id with a line break is one broken row; what is well quoted in other rows is not torn apart."""
    notes = "".join(f'a,{n},2024-03-04,"two\nlines"\n' for n in range(5))
    text = "u,i,t,note\n" + '"b\nc",1,2024-03-04,x\n' + notes
    summary = import_events(put(text), MAPPING, home)
    assert summary.quarantined == {"user_id with a line break or control character": 1}
    assert summary.events == 5
    day = home.events / str(DAY) / "ver-9"
    day.mkdir()
    (day / "e.csv").write_text(
        text.replace("u,i,t,note", "user_id,item_id,timestamp,note")
        .replace("note\n", "note,behavior\n", 1)
        .replace("x\n", "x,click\n")
        .replace('lines"', 'lines",click')
    )
    events, account = read()
    assert (events.num_rows, account["received"]) == (5, 6)


@pytest.mark.parametrize("closes", ["", 'c,3,2024-03-04,"z\n'])
def test_a_quote_in_a_column_that_nobody_asks_for_swallows_no_row(put, home, read, closes):
    rows = 'a,1,2024-03-04,"x\n' + "b,2,2024-03-04,y\n" * 9 + closes
    summary = import_events(put("u,i,t,note\n" + rows), MAPPING, home)
    assert summary.events == 9
    assert set(summary.quarantined) == {"row a quote that is not closed"}
    day = home.events / str(DAY) / "ver-9"
    day.mkdir()
    of_day = rows.replace(",2024-03-04,", ",2024-03-04,click,")
    (day / "e.csv").write_text("user_id,item_id,timestamp,behavior,note\n" + of_day)
    assert read()[0].num_rows == 9


def test_times_long_ago_are_broken_epochs(put, home):
    summary = import_events(put(HEADER + GOOD + "a,1,0\na,1,-1001\na,1,1899-12-30\n"), MAPPING, home)
    assert (summary.events, summary.days) == (1, 1)
    assert summary.quarantined == {"timestamp before 1990": 3}


def test_ids_of_a_float_column_are_whole_numbers_and_others_stay(put, home, read, tmp_path):
    import_items(put("id,x\n1.0,2\n7.0,3\n", "items.csv"), home)
    assert pq.read_table(home.items)["item_id"].to_pylist() == ["1", "7"]
    import_events(put("u,i,t\n1.0,1.0,2024-03-04\n2,7.0,2024-03-04\n"), MAPPING, home)
    assert sorted(read()[0]["user_id"].to_pylist()) == ["1.0", "2"]
    assert sorted(read()[0]["item_id"].to_pylist()) == ["1", "7"]
    lines = '{"u": 5.0, "i": {"id": 1}, "t": "2024-03-04"}\n{"u": 6.0, "i": 1.5, "t": "2024-03-04"}\n[1]\n'
    summary = import_events(put(lines, "log.jsonl"), MAPPING, Home(tmp_path / "json"))
    assert summary.quarantined == {"item_id missing": 1, "row not a JSON object": 1}
    read_stretch(Home(tmp_path / "json").events, SPAN, SPAN, tmp_path / "out")
    found = store.read_events(tmp_path / "out", SPAN)
    assert (found["user_id"].to_pylist(), found["item_id"].to_pylist()) == (["6"], ["1.5"])


def test_a_nested_id_column_is_refused(home, tmp_path):
    pq.write_table(pa.table({"u": ["a"], "i": [{"id": 1}], "t": ["2024-03-04"]}), tmp_path / "log.parquet")
    with pytest.raises(ValueError, match="holds lists or structs in column 'i': name one of plain values"):
        import_events(tmp_path / "log.parquet", MAPPING, home)
