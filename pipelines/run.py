"""A day, or a bootstrap, in one process: the same pipelines and results as under Airflow."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pipelines.anatomy import STEPS, Step
from pipelines.config import Config
from pipelines.launch import Outcome, run_node
from pipelines.plan import Plan, PlanError
from schemas.home import Home

OnStep = Callable[[Step], None]
OnDone = Callable[[Step, Outcome], None]


def run(home: Home, config: Config, plan: Plan, on_step: OnStep, on_done: OnDone) -> list[Outcome]:
    """Runs every step of the plan in order; StepError stops it, and the champion keeps serving."""
    outcomes = []
    with alone(home):
        for step in STEPS:
            on_step(step)
            outcome = run_node(home, config, plan, step.node)
            on_done(step, outcome)
            outcomes.append(outcome)
    return outcomes


@contextmanager
def alone(home: Home) -> Iterator[None]:
    """Holds the deployment's run lock; PlanError where another run holds it."""
    home.run.mkdir(parents=True, exist_ok=True)
    with (home.run / "run.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PlanError(f"another run is using {home.root}: wait for it to end") from None
        yield
