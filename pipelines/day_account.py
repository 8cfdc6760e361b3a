"""A day's account: what became of every row that was received of it, as of the champion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from components.events.read import day_files
from components.quality.handing_on import still_broken
from schemas import lineage
from schemas.home import Home
from schemas.rows import HELD_OUT, LEARN
from schemas.spans import date_of

if TYPE_CHECKING:
    import ml_metadata as mlmd
    from tfx.types.artifact import Artifact


@dataclass(frozen=True)
class DayAccount:
    """received = accepted + duplicates + quarantined + capped;
    accepted = learned + held_out + not_yet_learned + weightless."""

    date: str
    version: int
    """Of the day's files, as they were ingested."""
    newest_version: int
    """Of the day's files, as they lie there now."""
    received: int
    accepted: int
    duplicates: int
    quarantined: Mapping[str, int]
    capped: int
    learned: int
    held_out: int
    weightless: int
    """Events of behaviours that count nothing: read, never learned from."""
    champion: int | None
    learned_version: int | None
    """Of the day's files, as the champion has learned them; None if it has not."""
    broken: str = ""
    """Why quality left the newest version of the day out, in a sentence; empty where it did not."""

    @property
    def not_yet_learned(self) -> int:
        return self.accepted - self.learned - self.held_out - self.weightless


def day_account(home: Home, span: int) -> DayAccount | None:
    """From the events that were handed on of the day, its rows and the champion; None before its ingest."""
    from components.base import lookup
    from components.events import store
    from pipelines import metadata

    opened = metadata.store(home)
    events = _newest_events(opened, span)
    if events is None:
        return None
    account = store.read_account(events.uri, span)
    champion = lineage.champion(home.serving)
    has_learned = champion is not None and span in champion.spans_learned
    learned = held_out = weightless = 0
    if champion and has_learned:
        to_learn, put_aside = _events_in_rows(_rows(opened, span), span)
        weightless = account["accepted"] - len(to_learn) - len(put_aside)
        then = lookup.learned_with(opened, home.serving, champion.version)
        known = set().union(*_events_in_rows(_rows(opened, span, *then), span))
        learned, held_out = len(to_learn & known), len(put_aside & known)
    return DayAccount(
        date=account["date"],
        version=account["version"],
        newest_version=day_files(home.events, span).version,
        received=account["received"],
        accepted=account["accepted"],
        duplicates=account["duplicates"],
        quarantined=account["quarantined"],
        capped=account.get("capped", 0),
        learned=learned,
        held_out=held_out,
        weightless=weightless,
        champion=champion.version if champion else None,
        learned_version=champion.data_versions.get(account["date"]) if champion and has_learned else None,
        broken=still_broken(home.broken, home.events).get(account["date"], ""),
    )


def _newest_events(opened: mlmd.MetadataStore, span: int) -> Artifact | None:
    """What the newest rows of the span were made of; where there are none, what was read of it."""
    from components.artifacts import DayEventsArtifact
    from components.base import lookup

    if rows := _rows(opened, span):
        return lookup.handed_on(opened, rows[-1])
    read = [one for one in lookup.live(opened, DayEventsArtifact) if (Path(one.uri) / str(span)).is_dir()]
    return read[-1] if read else None


def _rows(opened: mlmd.MetadataStore, span: int, *before: Artifact) -> list[Artifact]:
    """The newest rows of the span, of those that were made before or with an artifact where one is given."""
    from tfx.types.standard_artifacts import Examples

    from components.base import lookup
    from components.base.training import last_made_with

    rows = lookup.feature_rows(lookup.live(opened, Examples))
    last = min((last_made_with(opened, one.id) for one in before), default=None)
    return lookup.covering((one for one in rows if last is None or one.id <= last), {span})


def _events_in_rows(rows: list[Artifact], span: int) -> tuple[set[str], set[str]]:
    """The events of the span that stand behind rows to learn, and behind rows held out."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    from components.features.stretch import ROWS_FILE

    found: dict[str, set[str]] = {LEARN: set(), HELD_OUT: set()}
    for split, events in found.items():
        for one in rows:
            table = pq.read_table(Path(one.uri) / f"Split-{split}" / ROWS_FILE, columns=["span", "event_id"])
            of_span = pc.equal(pc.list_flatten(table["span"]), span)
            events.update(pc.list_flatten(table["event_id"].filter(of_span)).to_pylist())
    return found[LEARN], found[HELD_OUT]


def told(account: DayAccount) -> list[str]:
    """The account, a line a fact."""
    quarantined = sum(account.quarantined.values())
    lines = [f"{account.date}, version {account.version} of its files"]
    lines.append(
        f"received {account.received:,} = accepted {account.accepted:,}"
        f" + duplicates {account.duplicates:,} + quarantined {quarantined:,} + capped {account.capped:,}"
    )
    lines += [f"  quarantined {reason}: {count:,}" for reason, count in account.quarantined.items()]
    lines.append(
        f"accepted {account.accepted:,} = learned {account.learned:,} + held out {account.held_out:,}"
        f" + not yet learned {account.not_yet_learned:,}"
        + (f" + of no weight {account.weightless:,}" if account.weightless else "")
    )
    champion = "no champion yet" if account.champion is None else f"champion: version {account.champion}"
    if account.learned_version is None:
        lines.append(f"{champion}; the day is not learned yet")
    elif account.learned_version != account.version:
        lines.append(f"{champion}, which has learned version {account.learned_version} of the day's files")
    else:
        lines.append(champion)
    if account.broken:
        lines.append(account.broken)
    elif account.newest_version != account.version:
        lines.append(
            f"version {account.newest_version} has been delivered since: the next ingest of the day reads it"
        )
    return lines


def absent(home: Home, span: int) -> str:
    """Why there is no account of a day."""
    if day_files(home.events, span).files:
        return f"{date_of(span)} is delivered and not ingested yet"
    return f"{date_of(span)} is not delivered: there is no folder {home.events / str(date_of(span))}"
