"""A day, or a bootstrap, in one process: the same pipelines and results as under Airflow."""

from __future__ import annotations

from collections.abc import Callable

from pipelines.anatomy import STEPS, Step
from pipelines.config import Config
from pipelines.launch import Outcome, run_node
from pipelines.plan import Plan
from schemas.home import Home

OnStep = Callable[[Step], None]
OnDone = Callable[[Step, Outcome], None]


def run(home: Home, config: Config, plan: Plan, on_step: OnStep, on_done: OnDone) -> list[Outcome]:
    """Runs every step of the plan in order; StepError stops it, and the champion keeps serving.

    Who calls this holds the lease (`pipelines.lease`) since before the plan was made.
    """
    outcomes = []
    for step in STEPS:
        on_step(step)
        outcome = run_node(home, config, plan, step.node)
        on_done(step, outcome)
        outcomes.append(outcome)
    return outcomes
