"""How a value of a source column becomes text, a time, a behaviour or a price: DuckDB expressions.

Each function takes an SQL expression and, where it matters, its DuckDB type; connections must run with
`TimeZone = 'UTC'` (`connect`). What cannot be read becomes NULL.
"""

from __future__ import annotations

import duckdb

from schemas.events import BEHAVIORS, LONGEST_ID

_BLANK = " \t\r\n\u00a0\ufeff"


def connect(database: str = ":memory:") -> duckdb.DuckDBPyConnection:
    """A DuckDB connection that reads times without a zone as UTC and keeps the order of rows."""
    connection = duckdb.connect(database)
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET preserve_insertion_order = true")
    return connection


def single(connection: duckdb.DuckDBPyConnection, query: str) -> tuple:
    """The one row of an aggregate's answer."""
    (row,) = connection.execute(query).fetchall()
    return row


def without_fractions(connection: duckdb.DuckDBPyConnection, table: str, name: str) -> None:
    """Takes `.0` off a text column of a table where every value has it: a column that was float once."""
    every = single(connection, f"SELECT bool_and(ends_with({name}, '.0')) FROM {table}")[0]  # noqa: S608
    number = f"bool_and(regexp_full_match({name}, '[0-9]+[.]0'))"
    if every and single(connection, f"SELECT {number} FROM {table}")[0]:  # noqa: S608
        connection.execute(f"UPDATE {table} SET {name} = left({name}, length({name}) - 2)")  # noqa: S608


def quoted(name: str) -> str:
    """An SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """An SQL string."""
    return "'" + text.replace("'", "''") + "'"


def text(column: str, type_: str) -> str:
    """Trimmed text, empty = NULL; whole floats (as pandas writes integers with gaps) lose their '.0'."""
    plain = f"CAST({column} AS VARCHAR)"
    if type_ in ("DOUBLE", "FLOAT"):
        whole = f"{column} = round({column}) AND abs({column}) < 1e15"
        plain = f"CASE WHEN {whole} THEN CAST(CAST({column} AS BIGINT) AS VARCHAR) ELSE {plain} END"
    return f"nullif(trim({plain}, {literal(_BLANK)}), '')"


def timestamp(column: str, type_: str, zone: str = "UTC", naive: str = "UTC", form: str | None = None) -> str:
    """TIMESTAMP of ISO 8601, a date, epoch seconds to nanoseconds (told apart by their size), or text in the
    strptime format `form`: what the clock on the wall shows in the time zone `zone`.

    Times without a zone are those of `naive`, which must be the connection's time zone.
    """
    in_zone = f"timezone({literal(zone)}, {{}})".format

    def local(plain: str) -> str:
        return plain if naive == zone else in_zone(f"timezone({literal(naive)}, {plain})")

    if type_.startswith("TIMESTAMP WITH TIME ZONE"):
        return in_zone(column)
    if type_.startswith("TIMESTAMP") or type_ == "DATE":
        return local(f"CAST({column} AS TIMESTAMP)")
    word = text(column, type_)
    if form is not None:
        read = f"try_strptime({word}, {literal(form)})"
        return in_zone(read) if "%z" in form else local(read)
    compact = local(f"try_strptime({word}, '%Y%m%d')")
    written = in_zone(f"TRY_CAST({word} AS TIMESTAMPTZ)")
    counted = _epoch(word)
    counted = counted if zone == "UTC" else in_zone(f"timezone('UTC', {counted})")
    return (
        f"CASE WHEN regexp_full_match({word}, '(19|20)[0-9]{{6}}') THEN {compact}"
        f" WHEN TRY_CAST({word} AS DOUBLE) IS NULL THEN {written} ELSE {counted} END"
    )


def _epoch(word: str) -> str:
    number = f"TRY_CAST({word} AS DOUBLE)"
    exact = f"TRY_CAST({word} AS HUGEINT)"
    return (
        f"CASE WHEN NOT isfinite({number}) OR abs({number}) >= 1e20 THEN NULL"
        f" WHEN abs({number}) < 1e11 THEN make_timestamp(CAST(round({number} * 1000000) AS BIGINT))"
        f" WHEN abs({number}) < 1e14 THEN make_timestamp(CAST(round({number} * 1000) AS BIGINT))"
        f" WHEN abs({number}) < 1e17 THEN make_timestamp(CAST({exact} AS BIGINT))"
        f" ELSE make_timestamp(CAST({exact} // 1000 AS BIGINT)) END"
    )


def number(word: str, decimal: str = ".") -> str:
    """DOUBLE of a text; with `,` as decimal sign a `.` may group thousands, and stands for nothing else."""
    if decimal == ".":
        return f"TRY_CAST({word} AS DOUBLE)"
    written = f"regexp_full_match({word}, '[+-]?([0-9]+|[0-9]{{1,3}}([.][0-9]{{3}})+)(,[0-9]*)?')"
    return f"CASE WHEN {written} THEN CAST(replace(replace({word}, '.', ''), ',', '.') AS DOUBLE) END"


def complaint(
    user: str, item: str, stamp: str, time: str, behavior: str, raw_price: str, money: str, day: str
) -> str:
    """`STRUCT(field, reason)` for the first thing that makes a row unusable; NULL for a good row.

    The arguments are expressions: the texts as found, and `time` and `money` as read; `day` is a DATE
    that the time must fall on, or NULL.
    """
    known = ", ".join(literal(name) for name in BEHAVIORS)
    cases = [
        (f"{user} IS NULL", "user_id", "missing"),
        (f"{item} IS NULL", "item_id", "missing"),
        *[
            case
            for id_, field in ((user, "user_id"), (item, "item_id"))
            for case in (
                (f"strlen({id_}) > {LONGEST_ID}", field, f"longer than {LONGEST_ID} bytes"),
                (f"regexp_matches({id_}, '[[:cntrl:]]')", field, "with a line break or control character"),
            )
        ],
        (f"{stamp} IS NULL", "timestamp", "missing"),
        (f"{time} IS NULL", "timestamp", "not a time"),
        (f"CAST({time} AS DATE) != {day}", "timestamp", "of another day"),
        (f"{behavior} IS NULL", "behavior", "missing"),
        (f"{behavior} NOT IN ({known})", "behavior", "unknown"),
        (f"{raw_price} IS NOT NULL AND ({money} IS NULL OR NOT isfinite({money}))", "price", "not a number"),
        (f"{money} < 0", "price", "negative"),
    ]
    whens = " ".join(
        f"WHEN {test} THEN {{'field': {literal(field)}, 'reason': {literal(reason)}}}"
        for test, field, reason in cases
    )
    return f"CASE {whens} END"
