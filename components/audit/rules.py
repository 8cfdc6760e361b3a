"""What must never be: each rule as a sentence and as a query of the rows that break it.

A query gives version, event_id, user_id, span, detail and moment of every breach; the first is told.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """`sentence` goes on after "event … of user … on …"; {version} and {detail} are the query's."""

    sentence: str
    query: str
    of_histories: bool = False
    """It reads the views histories and takes, which hold a share of the users."""


RULES = (
    Rule(
        "was learned first by version {detail} and again by version {version}",
        """
        SELECT b.version, b.event_id, b.user_id, b.span, a.version AS detail, b.moment
        FROM row_events a JOIN row_events b USING (event_id)
        WHERE a.split = 'new' AND b.split = 'new'
          AND (a.version < b.version OR a.version = b.version AND a.place < b.place)
        """,
    ),
    Rule(
        "is held out for ever, yet it is in the {detail} rows of version {version}",
        """
        SELECT r.version, r.event_id, r.user_id, r.span, r.split AS detail, r.moment
        FROM row_events r JOIN aside USING (user_id, span) WHERE r.split = 'new' OR aside.always
        """,
    ),
    Rule(
        "was accepted and its day was learned, but no version learned it",
        """
        SELECT NULL AS version, e.event_id, e.user_id, e.span, NULL AS detail, e.moment
        FROM counted e ANTI JOIN learned_events USING (event_id) ANTI JOIN aside USING (user_id, span)
        """,
    ),
    Rule(
        "is in the {detail} rows of version {version}, but was learned by none before",
        """
        SELECT r.version, r.event_id, r.user_id, r.span, r.split AS detail, r.moment
        FROM row_events r LEFT JOIN learned_events l USING (event_id)
        WHERE r.split != 'new' AND (l.version IS NULL OR r.split = 'replay' AND l.version >= r.version)
        """,
    ),
    Rule(
        "stands behind a row of version {version}, but no such event was accepted",
        """
        SELECT r.version, r.event_id, r.user_id, r.span, NULL AS detail, r.moment
        FROM row_events r ANTI JOIN ever USING (event_id, user_id, moment)
        """,
    ),
    Rule(
        "has a row, learned by version {version}, that knows item {detail} from its own future",
        """
        WITH counted_takes AS (
            SELECT *, row_number() OVER (PARTITION BY user_id, item_id ORDER BY moment) AS times_so_far
            FROM takes
        )
        SELECT h.version, h.event_id, h.user_id, h.span, h.item_id AS detail, h.moment
        FROM histories h ASOF LEFT JOIN counted_takes t
          ON h.user_id = t.user_id AND h.item_id = t.item_id AND h.moment > t.moment
        WHERE NOT (h.last > 0) OR h.times > coalesce(t.times_so_far, 0)
        """,
        of_histories=True,
    ),
)
