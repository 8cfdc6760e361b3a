"""A bootstrap over broken days: they are left out, whichever they are; only where all are it fails."""

from __future__ import annotations

import pytest
from tfx.types.standard_artifacts import Examples

from components.base import lookup
from components.features.data_state import DataState
from pipelines import metadata
from pipelines.anatomy import INGEST, STEPS
from pipelines.launch import StepError, run_node
from pipelines.plan import plan
from schemas.spans import MICROS_PER_DAY, date_of
from tests.e2e.deployment import Deployment, Run, broken, write_day
from tests.factories import FIRST_SPAN, make_events

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

BROKEN, SOUND, BROKEN_TOO = SPANS = tuple(FIRST_SPAN + n for n in (1, 2, 3))
DAYS = make_events(4, users=120, items=60, per_day=200)


@pytest.fixture
def deployment(tmp_path):
    made = Deployment.create(tmp_path, days=1)
    for span in (BROKEN, BROKEN_TOO):
        write_day(made.home, span, broken(DAYS[span]))
    return made


def ingest(deployment: Deployment) -> Run:
    planned = plan(deployment.home, BROKEN_TOO, first_span=BROKEN)
    nodes = [step.node for step in STEPS if step.pipeline == INGEST]
    return Run(
        planned.run_id,
        {node: run_node(deployment.home, deployment.config, planned, node) for node in nodes},
    )


def test_broken_days_of_a_bootstrap_are_left_out_the_last_one_too(deployment):
    write_day(deployment.home, SOUND, DAYS[SOUND])
    state = DataState.load(ingest(deployment).folder("Features", "data_state"))
    assert state.span == BROKEN_TOO
    assert {at // MICROS_PER_DAY for at in state.history["last_timestamp"].to_pylist()} == {SOUND}
    (rows,) = lookup.feature_rows(lookup.live(metadata.store(deployment.home), Examples))
    assert lookup.spans_of(rows) == [SOUND]


def test_a_bootstrap_of_broken_days_only_fails_in_a_sentence(deployment):
    stretch = f"{date_of(BROKEN)} to {date_of(BROKEN_TOO)}"
    with pytest.raises(StepError, match=f"nothing is learned from {stretch}, each day of which failed"):
        ingest(deployment)
