"""What one run will do: minted once an attempt, then handed to every step as JSON."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import secrets
from dataclasses import dataclass

from components.events.read import available_spans, fingerprint
from pipelines.inbox import fold_inbox
from schemas import lineage
from schemas.home import Home
from schemas.spans import date_of

WEEK = 7
DAYS_AT_ONCE = 28
"""A first model of fewer days knows too few users for daily steps."""


class PlanError(ValueError):
    """A run that cannot be planned; the sentence says why and what to do."""


@dataclass(frozen=True)
class Plan:
    """One attempt at a span.

    Two runs that shared a pipeline name and a run id would mix their artifacts, and a node that is done
    under a run id is skipped: so every attempt has an id of its own.
    """

    run_id: str
    first_span: int
    """First span to ingest: more than one day in a bootstrap, or where days were missed."""
    span: int
    fingerprint: str
    """Digest of the day files: other files, other data."""
    superseded: bool
    """Later days are served already: train and record, never push."""
    champion: int = 0
    """The version that is served: what is learned starts from it, is compared with it and comes after it,
    or is not pushed. 0: none."""
    settings: str = ""
    """Those in force, as JSON, where the steps are processes of their own: one run, one set of settings."""
    bootstrap: bool = False
    """The stretch has no day of its own: broken days in it are left out, whichever they are."""
    rebuild: bool = False
    """Learn all days anew, from nothing, as another line than the champion's."""
    days_at_once: int = 0
    """Of a rebuild: days that are learned at once before the others follow one by one; 0: all at once."""
    airflow_run_id: str = ""
    skip: str = ""
    """Why there is nothing to do; empty where there is."""

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Plan:
        return cls(**json.loads(text))


def plan(
    home: Home,
    span: int,
    *,
    first_span: int | None = None,
    force: bool = False,
    airflow_run_id: str = "",
) -> Plan:
    """Plans the run of `span`; with `first_span` a bootstrap of the stretch up to it.

    First posted events come into their day folders, and MLflow's alias is set from what is served, whatever
    a crash after an earlier push left.
    """
    from components.pusher.repair import repair

    if first_span is not None and first_span > span:
        raise PlanError(f"the stretch ends on {date_of(span)}, before it begins on {date_of(first_span)}")
    fold_inbox(home)
    repair(home.serving, home.mlflow_uri)
    served = lineage.champion(home.serving)
    available = available_spans(home.events)
    if not available:
        raise PlanError(f"no day folders under {home.events}: bring data in with `everlearn import` first")
    if span not in available:
        raise PlanError(
            f"{date_of(span)} has no day folder under {home.events}: import it, or run another date "
            f"({date_of(min(available))} to {date_of(max(available))} are there)"
        )
    learned = set(served.spans_learned) if served else set()
    first = first_span if first_span is not None else _first_to_ingest(home, span)
    skip = ""
    if served is None and first_span is None:
        raise PlanError("there is no champion yet: run `everlearn bootstrap --from DATE --to DATE` first")
    if served is not None and first_span is not None and not force:
        skip = f"there is a champion already (version {served.version}): bootstrap has nothing to do"
    elif span in learned and not force:
        skip = f"{date_of(span)} is learned already: use --force to run it again"
        if first < span:
            skip += f", or let the next day's run learn {date_of(first)}, which came or changed since"
    stamp = dt.datetime.now(dt.timezone.utc).strftime("%Y%m%dT%H%M%S")
    return Plan(
        run_id=f"{date_of(span)}.{stamp}.{secrets.token_hex(3)}",
        first_span=first,
        span=span,
        fingerprint=fingerprint(home.events, first, span),
        superseded=served is not None and served.span > span,
        champion=served.version if served else 0,
        bootstrap=first_span is not None,
        airflow_run_id=airflow_run_id,
        skip=skip,
    )


def plan_rebuild(home: Home, days_at_once: int = DAYS_AT_ONCE) -> Plan:
    """Plans to learn every day up to the champion's from nothing; the gate decides what is served.

    days_at_once: the first days, which are learned together; the others follow one by one. 0: all together.
    """
    champion = lineage.champion(home.serving)
    if champion is None:
        raise PlanError("there is no champion to rebuild: run `everlearn bootstrap --from DATE --to DATE`")
    planned = plan(home, champion.span, force=True)
    return dataclasses.replace(planned, rebuild=True, days_at_once=days_at_once, superseded=False)


def plan_challenger(home: Home, weeks: int | None, airflow_run_id: str = "") -> Plan:
    """Plans a rebuild, of all days at once, in the weeks that `weeks` divides; in others a skip.

    Weeks are counted since the epoch. weeks: `challenger.weeks`, None for never. Asked once a week.
    """
    champion = lineage.champion(home.serving)
    if champion is None:
        skip = "there is no champion to challenge yet"
    elif weeks is None:
        skip = "no challenger is wanted: set challenger.weeks for one every so many weeks"
    elif wait := -(champion.span // WEEK) % weeks:
        skip = f"the next challenger is due in {wait} week{'s' if wait > 1 else ''}"
    else:
        return dataclasses.replace(plan_rebuild(home, days_at_once=0), airflow_run_id=airflow_run_id)
    span = champion.span if champion else 0
    return Plan("", span, span, fingerprint="", superseded=False, airflow_run_id=airflow_run_id, skip=skip)


def _first_to_ingest(home: Home, span: int) -> int:
    """The span itself, or an earlier one that came, or came anew, since the days before were ingested."""
    from pipelines.earlier import first_to_ingest, vanished

    first = first_to_ingest(home, span)
    if gone := vanished(home, first, span):
        raise PlanError(
            f"{date_of(first)} came or changed after later days were ingested, so these are ingested again,"
            f" but the files of {', '.join(gone)} are gone: put them back below {home.events}"
        )
    return first
