"""What became of served lists: the gateway's log joined with the events after it."""

from __future__ import annotations

import datetime as dt
import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from components.events import sql
from components.events.config import EventsConfig
from components.events.read import day_files, read_day
from schemas import lineage
from schemas.home import Home
from schemas.spans import span_of
from serving.gateway.served import folder

MICROS_PER_HOUR = 3_600_000_000


@dataclass(frozen=True)
class Outcome:
    """Lists of one version from one source (`model` or `popular`)."""

    version: int
    source: str
    lists: int
    hits: int
    """Lists of which the user took an item within the window."""
    mean_position: float | None
    """Of the first item taken, from 1; None without a hit."""

    @property
    def hit_rate(self) -> float:
        return self.hits / self.lists


def outcomes(home: Home, config: EventsConfig, hours: float = 24.0) -> list[Outcome]:
    """By version and source; lists whose window has not ended by the last day with events are left out.

    A list hits when its user has a positive event (behaviour of weight > 0) with one of its items, later
    than the list and within `hours`. FileNotFoundError where nothing was served.
    """
    served = list(_served(home))
    if not served:
        raise FileNotFoundError(f"nothing was served: {folder(home)} holds no log of the gateway")
    window = round(hours * MICROS_PER_HOUR)
    first, last = (
        span_of(dt.datetime.fromtimestamp(at / 1e6, dt.timezone.utc).date())
        for at in (min(one["time"] for one in served), max(one["time"] for one in served) + window)
    )
    taken, end = _taken(home, config, first, last)
    found: dict[tuple[int, str], list[int | None]] = {}
    for one in served:
        if one["time"] + window <= end:
            found.setdefault((one["version"], one["source"]), []).append(_position(one, taken, window))
    return [_outcome(version, source, places) for (version, source), places in sorted(found.items())]


def _served(home: Home) -> Iterator[dict]:
    """The lines of the gateway's log but those that a full disk tore."""
    for path in sorted(folder(home).glob("*.jsonl")):
        for number, line in enumerate(path.open(), start=1):
            if (one := _whole(line)) is not None:
                yield one
            else:
                logging.getLogger(__name__).warning("%s, line %d is torn and left out", path, number)


def _whole(line: str) -> dict | None:
    try:
        return json.loads(line)
    except ValueError:
        return None


def log_to_mlflow(home: Home, found: list[Outcome]) -> None:
    """Writes the model's hit rate into the run that pushed each version."""
    from mlflow.tracking import MlflowClient

    client = MlflowClient(home.mlflow_uri)
    for one in found:
        if one.source == "model":
            run = lineage.read(home.serving, one.version).mlflow_run_id
            client.log_metric(run, "outcome.hit_rate", one.hit_rate)
            client.log_metric(run, "outcome.lists", one.lists)


def _taken(
    home: Home, config: EventsConfig, first: int, last: int
) -> tuple[dict[tuple[str, str], list[int]], int]:
    """Times of the positive events by (user, item), and the end of the last day that there is."""
    weights = config.behavior_weights.model_dump()
    taken: dict[tuple[str, str], list[int]] = {}
    end = 0
    with sql.connect() as connection:
        for span in range(first, last + 1):
            day = day_files(home.events, span)
            if not day.files:
                continue
            end = (span + 1) * 24 * MICROS_PER_HOUR
            for row in read_day(day, connection, config)[0].to_pylist():
                if weights[row["behavior"]] > 0:
                    at = round(row["timestamp"].timestamp() * 1e6)
                    taken.setdefault((row["user_id"], row["item_id"]), []).append(at)
    return taken, end


def _position(one: Mapping, taken: Mapping[tuple[str, str], list[int]], window: int) -> int | None:
    """The first position whose item was taken in time."""
    for item, position in zip(one["items"], one["positions"], strict=True):
        times = taken.get((one["user_id"], item), ())
        if any(one["time"] < at <= one["time"] + window for at in times):
            return position
    return None


def _outcome(version: int, source: str, places: list[int | None]) -> Outcome:
    hits = [place for place in places if place is not None]
    return Outcome(version, source, len(places), len(hits), sum(hits) / len(hits) if hits else None)
