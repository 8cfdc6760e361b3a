"""Adaptive reaction: a day that makes the model forget is learned again from the same base, more carefully.

After a learn the candidate is measured on the probe half of the old rows (`probe.py`), week by week, against
the best that any model of its line reached there. Where it lost more than the threshold, the day is learned
again with a larger slice of the reservoir and a stronger pull toward the base, at most twice. The attempt
that forgot least is the candidate, and the gate judges it alone, on the other half; its margin against the
best ever is the alarm, this threshold comes earlier. The best values are part of the model state, so that
they advance by a blessing only.

Costs on an ordinary day: scoring the probe half once, and the gate's sight, which has half of the old rows
(`components.gate.power` says what that can see). An attempt costs a learn of the day and its larger slice.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import numpy as np
import pyarrow as pa

from components.replay.slice import draw
from components.trainer.config import LearnConfig
from components.trainer.learn import Candidate, TrainingRows, learn
from components.trainer.probe import loss, measure, probe_rows, raised, weeks_of
from components.trainer.state import ModelState

Attempt = TypeVar("Attempt")


def react(base: ModelState | None, rows: TrainingRows, config: LearnConfig) -> Candidate:
    """`learn`, and again where the probe half shows forgetting; where no reaction is configured, `learn`.

    The report also has attempts, pull, probe_rows and probe_loss (relative, against the best ever);
    rows_trained and seconds are those of all attempts and their measuring.
    """
    started = time.perf_counter()
    candidate = learn(base, rows, config)
    wanted = config.reaction
    if not wanted.attempts:
        return candidate
    probe = probe_rows(candidate.state, rows.learned_spans(), config)
    best = _best(base, probe, rows)

    def measured(attempt: Candidate, tried: LearnConfig) -> Candidate:
        now = measure(attempt.state, probe, rows.data)
        told = {"probe_loss": loss(best, now), "probe_rows": float(probe.num_rows), "pull": tried.pull}
        # The state tells the settings in force, from which its attempts follow.
        state = replace(attempt.state, config=config, probe_best=raised(best, now))
        return replace(attempt, state=state, report=attempt.report | told)

    tried = [measured(candidate, config)]
    if base is not None and probe.num_rows >= wanted.min_rows:
        buffer = base.buffer

        def again(careful: LearnConfig) -> Candidate:
            replay = draw(buffer, rows.new, careful.replay, seed=config.seed, span=rows.data.span)
            settings = careful.model_copy(update={"replay": config.replay})
            return measured(learn(base, replace(rows, replay=replay), settings), careful)

        tried = until_kept(tried[0], again, forgotten, config)
    chosen = min(tried, key=forgotten)
    trained = sum(one.report["rows_trained"] for one in tried)
    total = {"attempts": float(len(tried)), "rows_trained": trained, "seconds": time.perf_counter() - started}
    reports = tuple(one.report | {"chosen": float(one is chosen)} for one in tried)
    return replace(chosen, report=chosen.report | total, attempts=reports if len(tried) > 1 else ())


def forgotten(attempt: Candidate) -> float:
    """The relative loss that its report tells."""
    return attempt.report["probe_loss"]


def until_kept(
    first: Attempt,
    again: Callable[[LearnConfig], Attempt],
    lost: Callable[[Attempt], float],
    config: LearnConfig,
) -> list[Attempt]:
    """Attempts in their order, each from more careful settings, until one lost no more than the threshold.

    again: makes another attempt with these settings; lost: an attempt's relative loss on the probe.
    """
    tried = [first]
    while lost(tried[-1]) > config.reaction.threshold and len(tried) <= config.reaction.attempts:
        tried.append(again(_more_careful(config, len(tried))))
    return tried


def _best(base: ModelState | None, probe: pa.Table, rows: TrainingRows) -> dict[str, float]:
    """The best values so far; of weeks that have just become old, what the base reaches."""
    if base is None:
        return {}
    missing = ~np.isin(weeks_of(probe).astype(str), list(base.probe_best))
    return base.probe_best | raised({}, measure(base, probe.filter(pa.array(missing)), rows.data))


def _more_careful(config: LearnConfig, attempt: int) -> LearnConfig:
    """The settings of the attempt after so many."""
    wanted, replay = config.reaction, config.replay
    share = max(replay.share * wanted.share_factor, wanted.share) * wanted.share_factor ** (attempt - 1)
    more = {"share": min(1.0, share), "cap": replay.cap * wanted.share_factor**attempt}
    pull = max(config.pull * wanted.pull_factor, wanted.pull) * wanted.pull_factor ** (attempt - 1)
    return config.model_copy(update={"replay": replay.model_copy(update=more), "pull": pull})
