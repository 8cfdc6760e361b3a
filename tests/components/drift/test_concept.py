"""The champion's next-day metric, a day once, and Page-Hinkley's alarm on it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from components.drift import concept
from components.drift.config import ConceptDriftConfig

CONFIG = ConceptDriftConfig()
FIRST = 19_000


def line(values, rows: int = 100) -> concept.Days:
    return {FIRST + day: {"value": float(value), "rows": rows} for day, value in enumerate(values)}


def noisy(days: int, mean: float = 0.2, deviation: float = 0.016, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, deviation, days)


def alarms(values) -> list[int]:
    return [day["span"] - FIRST for day in concept.watch(line(values), CONFIG) if day["alarm"]]


def test_a_fall_is_alarmed_soon_and_once():
    fallen = np.concatenate([noisy(30), noisy(30, mean=0.14, seed=1)])
    (alarm,) = alarms(fallen)
    assert 30 <= alarm <= 34


def test_neither_usual_days_nor_a_rise_are_alarmed():
    assert alarms(noisy(90)) == []
    assert alarms(np.concatenate([noisy(30), noisy(30, mean=0.3, seed=1)])) == []
    assert alarms([0.2] * 60) == []


def test_the_alarm_is_where_the_statistic_passes_the_threshold():
    watched = concept.watch(line(np.linspace(0.2, 0.1, 60)), CONFIG)
    assert all(day["statistic"] is None for day in watched[: CONFIG.reference_days])
    told = [day for day in watched if day["statistic"] is not None]
    assert any(day["alarm"] for day in told)
    assert all(day["alarm"] == (day["statistic"] > CONFIG.threshold) for day in told)


def test_the_statistic_is_page_hinkleys_by_hand():
    days = concept.watch(line([1.0, 3.0, 1.0, 3.0, 0.0, -1.0]), ConceptDriftConfig(reference_days=4))
    usual = np.array([1.0, 3.0, 1.0, 3.0])
    first = (0.0 - usual.mean()) / usual.std(ddof=1)
    second = (-1.0 - usual.mean()) / usual.std(ddof=1)
    # cumulated z - mean(z) + tolerance; the statistic is how far it lies below its highest value
    sums = np.cumsum([0.5, second - (first + second) / 2 + 0.5])
    assert days[4]["statistic"] == pytest.approx(0.0)
    assert days[5]["statistic"] == pytest.approx(max(sums) - sums[1])


def test_days_of_few_rows_say_nothing():
    few = line([0.0] * 60, rows=CONFIG.min_rows - 1)
    assert concept.watch(few, CONFIG) == []


def per_row(**columns) -> pa.Table:
    return pa.table({"span": [7, 8, 8, 9], "own": [False, True, True, True], **columns})


def test_the_next_day_metric_is_the_champions_on_the_days_being_learned():
    rows = per_row(**{"champion/recall_at_20": [0.9, 0.2, 0.4, float("nan")]})
    assert concept.next_day(rows, "recall_at_20") == {8: {"value": pytest.approx(0.3), "rows": 2}}
    assert concept.next_day(per_row(), "recall_at_20") == {}


def test_a_day_that_is_run_again_counts_once_and_is_not_lost(tmp_path):
    monday, tuesday, again = line([0.1]), {FIRST + 1: {"value": 0.2, "rows": 9}}, line([0.1, 0.3])
    state = concept.merged(concept.merged({}, monday, FIRST), tuesday, FIRST + 1)
    concept.save(tmp_path / "state.json", "recall_at_20", state)
    carried = concept.load([tmp_path / "state.json"], "recall_at_20")
    assert carried == state
    assert concept.merged(carried, {}, FIRST + 1) == state, "the champion had learned it: nothing measured"
    assert concept.merged(carried, again, FIRST + 1)[FIRST + 1]["value"] == 0.3
    assert list(concept.merged(carried, {}, FIRST)) == [FIRST], "an earlier day knows no later one"
    assert concept.load([tmp_path / "state.json"], "ndcg_at_10") == {}
    assert concept.load([], "recall_at_20") == {}


def test_the_report_tells_the_day_in_a_sentence():
    watched = concept.watch(line([0.2] * 20 + [0.1] * 2), CONFIG)
    told = concept.report(FIRST + 20, "recall_at_20", watched[:21], CONFIG)
    assert "is 0.1000; Page-Hinkley's statistic is" in told["sentence"]
    assert "what is usual is being learned" in concept.report(FIRST + 3, "m", watched, CONFIG)["sentence"]
    silent = concept.report(FIRST + 99, "recall_at_20", watched, CONFIG)
    assert (silent["alarm"], silent["value"]) == (False, None)
    assert "says nothing, no champion was measured on it" in silent["sentence"]
    few = concept.report(FIRST + 99, "recall_at_20", watched, CONFIG, rows=7)
    assert "it has 7 held-out rows and 30 are needed" in few["sentence"]
