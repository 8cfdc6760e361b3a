"""What the Airflow grid shows is what TFX runs."""

import pytest

from pipelines.anatomy import GROUPS, PIPELINES, PUSH, STEPS
from pipelines.config import Config
from pipelines.plan import Plan
from schemas.home import Home

PLAN = Plan(run_id="r", first_span=17_000, span=17_000, fingerprint="f", superseded=False)


def compiled(tmp_path, pipeline):
    from pipelines.launch import compiled_pipeline

    return compiled_pipeline(Home(tmp_path), Config.compose({}), PLAN, pipeline)


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_every_tfx_node_is_a_step_and_every_step_a_node(tmp_path, pipeline):
    nodes = {node.pipeline_node.node_info.id for node in compiled(tmp_path, pipeline).nodes}
    assert nodes == {step.node for step in STEPS if step.pipeline == pipeline}


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_a_step_waits_for_everything_that_its_node_reads(tmp_path, pipeline):
    before: dict[str, set[str]] = {}
    for step in STEPS:
        before[step.node] = set(step.after).union(*(before[node] for node in step.after))
    for node in compiled(tmp_path, pipeline).nodes:
        one = node.pipeline_node
        assert set(one.upstream_nodes) <= before[one.node_info.id], one.node_info.id


def test_learning_waits_for_the_whole_of_ingest():
    ends = {step.node for step in STEPS if step.pipeline == PIPELINES[0]}
    waited = {node for step in STEPS for node in step.after}
    base = next(step for step in STEPS if step.node == "Base")
    assert ends - (waited - set(base.after)) == set(base.after)


def test_groups_stand_in_the_order_of_the_day():
    assert GROUPS == ("ingest", "prepare", "train", "judge", "record", "push")
    assert STEPS[-1].node == PUSH
