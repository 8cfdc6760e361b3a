"""What a champion's line learned, held against the accepted events; files in, the first broken rule out."""
# ruff: noqa: S608 - of what goes into queries only places of files are texts, and those are quoted

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from components.audit.rules import RULES, Rule
from schemas.spans import date_of, held_out

NEW, REPLAY, BUFFER = "new", "replay", "buffer"

MEMORY_LIMIT = "2GB"
"""What is more goes to disk: histories of a long line are many times its events."""
SHARE_ROWS = 20_000
"""Training rows whose histories are laid side by side with all takes at a time."""


@dataclass(frozen=True)
class Learned:
    """A version that learned: folders of its training rows by split, and the hold-out share in force."""

    version: int
    new: Path
    replay: Path
    share: float


@dataclass(frozen=True)
class Evidence:
    """Everything that an audit looks at."""

    line: Sequence[Learned]
    """Oldest first, each on top of the one before."""
    buffer: Path
    """The reservoir of the last one, a Parquet file."""
    spans_learned: frozenset[int]
    events: dict[int, Path]
    """Accepted events as they are now, a Parquet file a span."""
    given: dict[int, Path]
    """The same as they were when the last one of the line learned: what came since could not be learned."""
    ever: Sequence[Path]
    """Parquet files of all events that were ever accepted: a day that was delivered anew is here twice."""
    behaviors: Sequence[str]
    """Those whose events count: the others are read and never learned."""


@dataclass(frozen=True)
class Audit:
    """accepted = learned + held_out + weightless + not_yet_learned; withdrawn ones were learned before."""

    accepted: int
    learned: int
    held_out: int
    weightless: int
    not_yet_learned: int
    withdrawn: int
    rows: int
    broken: tuple[str, ...]
    """A sentence for each rule that is broken, naming the first event that breaks it; none where all hold."""


def audit(evidence: Evidence) -> Audit:
    """Counts what became of the accepted events, and looks for the first event that breaks each rule."""
    with _on_disk() as connection:
        _load(connection, evidence)
        shares = _count(connection, "FROM training_rows") // SHARE_ROWS + 1
        broken = [sentence for rule in RULES if (sentence := _first(connection, rule, shares))]
        counts = {
            name: _count(connection, query)
            for name, query in (
                ("accepted", "FROM events"),
                ("learned", "FROM events SEMI JOIN learned_events USING (event_id)"),
                ("held_out", "FROM counted JOIN aside USING (user_id, span)"),
                ("weightless", "FROM events WHERE due AND behavior NOT IN (FROM behaviors)"),
                ("not_yet_learned", "FROM events ANTI JOIN learned_events USING (event_id) WHERE NOT due"),
                ("withdrawn", "FROM learned_events ANTI JOIN events USING (event_id)"),
                ("rows", "FROM training_rows WHERE split = 'new'"),
            )
        }
    return Audit(**counts, broken=tuple(broken))


@contextmanager
def _on_disk() -> Iterator[duckdb.DuckDBPyConnection]:
    with tempfile.TemporaryDirectory() as folder, duckdb.connect(str(Path(folder) / "audit")) as connection:
        connection.execute(f"SET memory_limit = '{MEMORY_LIMIT}'; SET preserve_insertion_order = false")
        yield connection


def _load(connection: duckdb.DuckDBPyConnection, evidence: Evidence) -> None:
    """The tables that the rules speak of."""
    connection.execute("CREATE TABLE behaviors (name VARCHAR)")
    connection.executemany("INSERT INTO behaviors VALUES (?)", [[one] for one in evidence.behaviors])
    of_event = "event_id, user_id, item_id, epoch_us(timestamp) AS moment, behavior"
    _union(
        connection,
        "events",
        (
            (f"SELECT {of_event}, {span} AS span, {_due(evidence, span)} AS due", path)
            for span, path in sorted(evidence.events.items())
        ),
    )
    connection.execute("CREATE VIEW counted AS FROM events WHERE due AND behavior IN (FROM behaviors)")
    _union(connection, "ever", ((f"SELECT {of_event}", path) for path in evidence.ever))
    of_row = (
        "user_id[1] AS user_id, span[1] AS span, timestamp[1] AS moment, file_row_number AS place,"
        " event_id, history_item, history_times, history_last"
    )
    last = evidence.line[-1].version
    parts = [
        (one.version, split, folder / "*.parquet")
        for one in evidence.line
        for split, folder in ((NEW, one.new), (REPLAY, one.replay))
    ]
    _union(
        connection,
        "training_rows",
        (
            (f"SELECT {version} AS version, '{split}' AS split, {of_row}", path)
            for version, split, path in [*parts, (last, BUFFER, evidence.buffer)]
        ),
    )
    connection.execute(
        "CREATE TABLE row_events AS"
        " SELECT version, split, place, user_id, span, moment, unnest(event_id) AS event_id"
        " FROM training_rows;"
        "CREATE TABLE learned_events AS"
        " SELECT event_id, min(version) AS version FROM row_events WHERE split = 'new' GROUP BY event_id"
    )
    _put_aside(connection, evidence.line)


def _due(evidence: Evidence, span: int) -> str:
    """A condition: the event was there when the line learned its day, so it must be learned or held out."""
    given = evidence.given.get(span)
    if span not in evidence.spans_learned or given in (None, evidence.events[span]):
        return str(span in evidence.spans_learned)
    return f"event_id IN (SELECT event_id FROM read_parquet({_quoted(given)}))"


def _put_aside(connection: duckdb.DuckDBPyConnection, line: Sequence[Learned]) -> None:
    """Table aside: user-days that are held out; `always` where every share in force held them out."""
    pairs = connection.execute(
        "SELECT DISTINCT user_id, span FROM events UNION SELECT DISTINCT user_id, span FROM training_rows"
    ).fetchall()
    by_span: dict[int, list[str]] = {}
    for user, span in pairs:
        by_span.setdefault(span, []).append(user)
    smallest = min(one.share for one in line)
    learned_with = {
        span: one.share
        for one in reversed(line)
        for (span,) in connection.execute(
            "SELECT DISTINCT span FROM training_rows WHERE version = ? AND split = 'new'", [one.version]
        ).fetchall()
    }
    rows = []
    for span, users in by_span.items():
        now = held_out(users, span, learned_with.get(span, line[-1].share))
        always = held_out(users, span, smallest)
        rows += [(user, span, bool(a)) for user, n, a in zip(users, now, always, strict=True) if n]
    connection.execute(
        "CREATE TABLE aside AS SELECT unnest(CAST(? AS VARCHAR[])) AS user_id,"
        " unnest(CAST(? AS BIGINT[])) AS span, unnest(CAST(? AS BOOLEAN[])) AS always",
        [[row[place] for row in rows] for place in range(3)],
    )


def _union(connection: duckdb.DuckDBPyConnection, name: str, parts: Iterable[tuple[str, Path]]) -> None:
    """A table of what each query gives of its Parquet file."""
    for number, (query, path) in enumerate(parts):
        head = f"CREATE TABLE {name} AS" if number == 0 else f"INSERT INTO {name} BY NAME"
        connection.execute(f"{head} {query} FROM read_parquet({_quoted(path)}, file_row_number = true)")


def _quoted(path: Path | None) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _first(connection: duckdb.DuckDBPyConnection, rule: Rule, shares: int) -> str:
    """The first breach as a sentence; a rule about histories looks at a share of the users at a time."""
    breaches = []
    for share in range(shares if rule.of_histories else 1):
        _of_users(connection, shares, share)
        first = connection.execute(f"FROM ({rule.query}) ORDER BY moment, event_id LIMIT 1").fetchone()
        breaches += [first] if first else []
    found = min(breaches, key=lambda one: (one[-1], one[1]), default=None)
    if found is None:
        return ""
    version, event, user, span, detail, _ = found
    what = rule.sentence.format(version=version, detail=detail)
    return f"event {event} of user {user} on {date_of(span)} {what}"


def _of_users(connection: duckdb.DuckDBPyConnection, shares: int, share: int) -> None:
    """Views histories and takes: those of every so manieth user."""
    mine = f"WHERE hash(user_id) % {shares} = {share}"
    connection.execute(
        "CREATE OR REPLACE TEMP VIEW histories AS SELECT version, user_id, span, moment,"
        " event_id[1] AS event_id, unnest(history_item) AS item_id, unnest(history_times) AS times,"
        f" unnest(history_last) AS last FROM training_rows {mine}"
    )
    connection.execute(
        f"CREATE OR REPLACE TEMP VIEW takes AS SELECT DISTINCT user_id, item_id, moment FROM ever {mine}"
    )


def _count(connection: duckdb.DuckDBPyConnection, source: str) -> int:
    found = connection.execute(f"SELECT count(*) {source}").fetchone()
    return found[0] if found else 0
