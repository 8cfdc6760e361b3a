"""From a day's artifacts to MLflow's params, metrics and tags: plain numbers under readable names."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

MAX_PARAM = 6000
"""MLflow's limit for the length of a param's value."""
_TASKS = ("old", "new", "own")
_FORBIDDEN = re.compile(r"[^\w\-. :/]")


@dataclass(frozen=True)
class DayCounts:
    """The day's identity: events = learned + held out + quarantined + capped, duplicates being no events."""

    received: int
    duplicates: int
    quarantined: int
    capped: int
    learned: int
    held_out: int

    @property
    def events(self) -> int:
        return self.received - self.duplicates

    @property
    def unaccounted(self) -> int:
        """0 where the identity holds."""
        return self.events - self.learned - self.held_out - self.quarantined - self.capped


def flatten(config: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """`{"gate": {"seed": 0}}` as `{"gate.seed": "0"}`."""
    flat: dict[str, str] = {}
    for key, value in config.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = str(value)[:MAX_PARAM]
    return flat


def count(accounts: Iterable[Mapping[str, Any]], learned: pa.Table, held_out: pa.Table) -> DayCounts:
    """Counts of the days learned: their accounts (components/events) and the rows made of them."""
    days = list(accounts)
    return DayCounts(
        received=sum(day["received"] for day in days),
        duplicates=sum(day["duplicates"] for day in days),
        quarantined=sum(sum(day["quarantined"].values()) for day in days),
        capped=sum(day.get("capped", 0) for day in days),
        learned=len(pc.list_flatten(learned["event_id"])),
        held_out=len(pc.list_flatten(held_out["event_id"])),
    )


def metrics(
    summary: Mapping[str, Any], verdict: Mapping[str, Any], report: Mapping[str, float]
) -> dict[str, float | None]:
    """Everything measured of the candidate, and of the models that it was held against."""
    named: dict[str, float | None] = {name: summary[name] for name in ("performance", "forgetting")}
    for model, tasks in summary["models"].items():
        prefix = "" if model == "candidate" else f"{model}/"
        named |= {f"{prefix}{task}/{name}": value for task in _TASKS for name, value in tasks[task].items()}
    headline = summary["headline"]
    named |= {f"week/{week}/{headline}": one["candidate"] for week, one in summary["weeks"].items()}
    # Of the days that it learns next, the champion has learned nothing: its value is the next-day one.
    if champion := summary["models"].get("champion"):
        named |= {f"next_day/{name}": value for name, value in champion["own"].items()}
        named["forward_transfer"] = forward_transfer(champion["own"], summary["at_random"], headline)
    named["overlap_at_20/champion"] = summary.get("overlap")
    for part, size in summary["rows"].items():
        named[f"rows/evaluated_{part}"] = size
    for one in summary["slices"]:
        named[f"slice/{one['slice']}/{summary['headline']}"] = one["candidate"]
    for finding in verdict["findings"]:
        rule = f"gate/{finding['rule']}"
        if finding["interval"] is not None:
            named |= {f"{rule}/{bound}": finding["interval"][bound] for bound in ("estimate", "low", "high")}
            named[f"{rule}/detectable"] = finding["detectable"]
    named["gate/blessed"] = float(verdict["blessed"])
    named |= {f"train/{name}": value for name, value in report.items()}
    named["cost/row_epochs"] = report.get("rows_trained")
    return named


def forward_transfer(
    own: Mapping[str, float | None], at_random: Mapping[str, float | None], headline: str
) -> float | None:
    """A model's headline on days before it learns them, less what a random order reaches there.

    After Lopez-Paz & Ranzato (NeurIPS 2017), of one task. None where nothing was measured, or where the
    headline is no recall.
    """
    value, chance = own[headline], at_random.get(headline)
    return None if value is None or chance is None else value - chance


def loggable(named: Mapping[str, float | None]) -> dict[str, float]:
    """What MLflow takes: names without characters that it refuses, finite numbers alone."""
    readable = {_FORBIDDEN.sub("_", name): value for name, value in named.items()}
    finite = {name: value for name, value in readable.items() if value is not None and math.isfinite(value)}
    return {name: float(value) for name, value in finite.items()}


def count_metrics(counts: DayCounts, rows: Mapping[str, int]) -> dict[str, float]:
    """`events/…` of the days learned and `rows/…` of the training set."""
    named = {
        "events/all": counts.events,
        "events/learned": counts.learned,
        "events/held_out": counts.held_out,
        "events/quarantined": counts.quarantined,
        "events/capped": counts.capped,
        "events/duplicates": counts.duplicates,
        "events/unaccounted": counts.unaccounted,
    }
    named |= {f"rows/{split}": number for split, number in rows.items()}
    return {name: float(value) for name, value in named.items()}
