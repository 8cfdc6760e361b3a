"""The steps of a day, in order: what the Airflow grid shows. Standard library only: DAG files read it."""

from __future__ import annotations

from dataclasses import dataclass

INGEST, LEARN = "ingest", "learn"
PIPELINES = (INGEST, LEARN)


@dataclass(frozen=True)
class Step:
    """One TFX node as a task: its id, the pipeline and task group it belongs to, what it waits for."""

    node: str
    pipeline: str
    group: str
    after: tuple[str, ...]
    title: str


STEPS: tuple[Step, ...] = (
    Step("DayEvents", INGEST, "ingest", (), "Day files become unique typed events"),
    Step("DataBefore", INGEST, "ingest", ("DayEvents",), "The data state of the span before"),
    Step("Quality", INGEST, "ingest", ("DataBefore",), "Great Expectations on the raw day"),
    Step("Features", INGEST, "ingest", ("Quality",), "Rows as of the moment; histories move on"),
    Step("Statistics", INGEST, "ingest", ("Features",), "TFDV statistics of the rows"),
    Step("Schema", INGEST, "ingest", ("Statistics",), "The curated schema, fitted to the columns there are"),
    Step("Validation", INGEST, "ingest", ("Schema",), "Rows against the schema"),
    Step("StatisticsBefore", INGEST, "ingest", ("Quality",), "Statistics of earlier spans"),
    Step("Drift", INGEST, "ingest", ("Schema", "StatisticsBefore"), "Drift and skew"),
    Step("Base", LEARN, "prepare", ("Validation", "Drift"), "Base, champion and what is unlearned"),
    Step("Replay", LEARN, "prepare", ("Base",), "New rows and the replay slice"),
    Step("Trainer", LEARN, "train", ("Replay",), "Warm start, learn, export"),
    Step("Evaluator", LEARN, "judge", ("Trainer",), "Old task and new task, candidate and champion"),
    Step(
        "ConceptDrift", LEARN, "judge", ("Evaluator",), "Does the champion fall on days it has not learned?"
    ),
    Step("Gate", LEARN, "judge", ("ConceptDrift",), "Blessing or proven harm"),
    Step("Release", LEARN, "judge", ("Gate",), "The SavedModel that will be served"),
    Step("Smoke", LEARN, "judge", ("Release",), "Real requests to a real model server"),
    Step("Record", LEARN, "record", ("Smoke",), "The day in MLflow"),
    Step("Pusher", LEARN, "push", ("Record",), "The rename that promotes"),
)
GROUPS = tuple(dict.fromkeys(step.group for step in STEPS))
PUSH = STEPS[-1].node
