"""Where an ingest begins: at the first day that came, or came anew, since the days before were ingested.

Histories go from day to day, so a late day's are of its own day and all later ones have to follow it: they
are ingested again with it, in one stretch. That begins where an earlier ingest began: only there is a data
state to begin from.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import ml_metadata as mlmd
from tfx.types.standard_artifacts import Examples

from components.artifacts import DataStateArtifact
from components.base import lookup
from components.base.training import inputs_of, maker_of
from components.events.read import day_files, fingerprint
from components.events.store import read_account
from pipelines import metadata
from schemas.home import Home
from schemas.spans import date_of


@dataclass(frozen=True)
class Ingest:
    """An ingest that was done: its stretch, the digest of the day files then, when (ms), and its events."""

    first_span: int
    last_span: int
    fingerprint: str
    started: int
    events: str
    """Place of the events that were handed on, with an account a day."""


def first_to_ingest(home: Home, span: int) -> int:
    """The first span to ingest in a run of `span`; `span` itself where nothing changed before it."""
    store = metadata.store(home)
    done = list(_ingests_before(store, span))
    if not done:
        return span
    for one, following in zip(done, [*(later.first_span for later in done[1:]), span + 1], strict=True):
        if _has_changed(home.events, one):
            return one.first_span
        for gap in range(one.last_span + 1, min(following, span)):
            if day_files(home.events, gap).files:
                return gap
    return span


def vanished(home: Home, first_span: int, span: int) -> list[str]:
    """Days of a stretch that were ingested before and whose files are gone since, as dates."""
    delivered = {
        one
        for rows in lookup.feature_rows(lookup.live(metadata.store(home), Examples))
        for one in lookup.spans_of(rows)
    }
    gone = [
        one for one in range(first_span, span) if one in delivered and not day_files(home.events, one).files
    ]
    return [str(date_of(one)) for one in gone]


def _ingests_before(store: mlmd.MetadataStore, span: int) -> Iterator[Ingest]:
    """The ingests that the newest data state before `span` came from, oldest first."""
    found = lookup.before_span(lookup.live(store, DataStateArtifact), span)
    line = []
    state = found[0].id if found else None
    while state is not None:
        inputs = inputs_of(store, maker_of(store, state))
        line.append(_ingest(store, inputs["events"]))
        state = inputs.get("before")
    return reversed(line)


def _ingest(store: mlmd.MetadataStore, events: int) -> Ingest:
    """Of the events that were handed on; quality, which hands them on, has them from the step that reads."""
    maker = maker_of(store, events)
    read = inputs_of(store, maker).get("events")
    (execution,) = store.get_executions_by_id([maker if read is None else maker_of(store, read)])
    told = execution.custom_properties
    return Ingest(
        told["first_span"].int_value,
        told["last_span"].int_value,
        told["fingerprint"].string_value,
        execution.create_time_since_epoch,
        store.get_artifacts_by_id([events])[0].uri,
    )


def _has_changed(events: Path, one: Ingest) -> bool:
    """Whether the day files are others than then; those that nobody touched since are not read again."""
    spans = range(one.first_span, one.last_span + 1)
    # A new version counts whatever the clock said when it came.
    touched = any(_version_then(one, span) not in (None, day_files(events, span).version) for span in spans)
    touched = touched or any(
        path.stat().st_ctime_ns // 10**6 >= one.started
        for span in spans
        for path in _files_and_folders(events / date_of(span).isoformat())
    )
    return touched and fingerprint(events, one.first_span, one.last_span) != one.fingerprint


def _version_then(one: Ingest, span: int) -> int | None:
    """None where the account was tidied away."""
    try:
        return read_account(one.events, span)["version"]
    except FileNotFoundError:
        return None


def _files_and_folders(day: Path) -> Iterator[Path]:
    for folder, _, files in os.walk(day):
        yield Path(folder)
        yield from (Path(folder) / file for file in files)
