"""Proposes expectation suites from good days: GX measures them, the suites in force say what to ask."""

from __future__ import annotations

import contextlib
import io
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from components.quality.validate import SUITES

SLACK = 10
"""How much smaller than the smallest day, or dearer than the dearest price, is not odd yet."""
_TIGHTEST = 0.95
"""No share is proposed above this: one bad hour must not stop a day."""


@dataclass(frozen=True)
class DayFacts:
    """What GX measured of one day as it was found."""

    rows: int
    users: int
    null_shares: dict[str, float]
    faulty_share: float
    dearest: float | None


def measure(raw: Iterable[pa.Table]) -> list[DayFacts]:
    """Facts of days (`components.events.store.read_raw` of one day each); days without rows have none."""
    import great_expectations as gx
    from great_expectations import metrics as gxm
    from great_expectations.metrics.metric_results import MetricErrorResult

    context = gx.get_context(mode="ephemeral")
    context.enable_analytics(False)
    asset = context.data_sources.add_pandas("raw").add_dataframe_asset("day")
    whole = asset.add_batch_definition_whole_dataframe("day")
    columns = ("user_id", "item_id", "time", "behavior")
    facts = []
    for day in raw:
        if not day.num_rows:
            continue
        batch = whole.get_batch({"dataframe": day.to_pandas()})

        def value(metric: Any, batch: Any = batch) -> Any:
            with contextlib.redirect_stderr(io.StringIO()):  # GX draws a progress bar a metric
                result = batch.compute_metrics(metric)
            if isinstance(result, MetricErrorResult):
                raise RuntimeError(f"Great Expectations could not measure {metric.name}: {result}")
            return result.value

        rows = value(gxm.BatchRowCount())
        priced = rows - value(gxm.ColumnNullCount(column="money"))
        facts.append(
            DayFacts(
                rows=rows,
                users=value(gxm.ColumnDistinctValuesCount(column="user_id")),
                null_shares={name: value(gxm.ColumnNullCount(column=name)) / rows for name in columns},
                faulty_share=1 - value(gxm.ColumnNullCount(column="fault")) / rows,
                dearest=value(gxm.ColumnDescriptiveStats(column="money")).max if priced else None,
            )
        )
    return facts


def propose(facts: list[DayFacts]) -> dict[str, dict[str, Any]]:
    """The suites in force, by name, with limits as those days suggest them. ValueError without any day."""
    if not facts:
        raise ValueError("there is no day with rows to learn from: name days that were imported")
    suites = {path.stem: json.loads(path.read_text()) for path in sorted(SUITES.glob("*.json"))}
    prices = [one.dearest for one in facts if one.dearest is not None and one.dearest > 0]
    limits: dict[str, dict[str, Any]] = {
        "events_present": {"min_value": max(1, min(one.rows for one in facts) // SLACK)},
        "users_several": {"min_value": max(2, min(one.users for one in facts) // SLACK)},
        "rows_usable": {"mostly": _share(max(one.faulty_share for one in facts), 0.9)},
    }
    for name, column in _PRESENT.items():
        limits[name] = {"mostly": _share(max(one.null_shares[column] for one in facts), _TIGHTEST)}
    if prices:
        limits["prices_plausible"] = {"max_value": SLACK ** math.ceil(math.log10(SLACK * max(prices)))}
    for suite in suites.values():
        for expectation in suite["expectations"]:
            expectation["kwargs"] |= limits.get(expectation["meta"]["name"], {})
    return suites


def write(suites: dict[str, dict[str, Any]], folder: Path) -> list[Path]:
    """`<name>.json` each, to be edited and put into `schemas/expectations/`."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, suite in suites.items():
        paths.append(folder / f"{name}.json")
        paths[-1].write_text(json.dumps(suite, indent=2) + "\n")
    return paths


_PRESENT = {"users_present": "user_id", "items_present": "item_id", "times_of_the_day": "time"}


def _share(worst: float, tightest: float) -> float:
    """The share that must be good where `worst` was the largest bad one: twice as bad is bearable."""
    return round(min(tightest, max(0.5, 1 - 2 * worst)), 2)
