"""What is served, taken back, traced and made again: a bootstrap, a day, a rollback, the next day."""

import os
import re
import subprocess
import sys

import pytest

from pipelines.audit import of_champion
from pipelines.launch import StepError
from pipelines.plan import plan, plan_rebuild
from pipelines.processes import REPOSITORY
from pipelines.rollback import rollback
from pipelines.run import run
from schemas import lineage
from schemas.home import MODEL_NAME
from schemas.signatures import SMOKE_FILE, WARM_UP_FILE
from tests.e2e.deployment import FIRST_SPAN, LAST_OF_STRETCH, STRETCH, Deployment, values

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

TAKEN_BACK, NEXT, AFTER = range(LAST_OF_STRETCH + 1, LAST_OF_STRETCH + 4)


@pytest.fixture(scope="module")
def deployment(tmp_path_factory):
    return Deployment.create(tmp_path_factory.mktemp("versions"), days=STRETCH + 3)


@pytest.fixture(scope="module")
def story(deployment):
    runs = {"bootstrap": deployment.bootstrap(), "taken back": deployment.learn(TAKEN_BACK)}
    runs["rollback"] = rollback(deployment.home, deployment.config, run_id="by hand")
    runs["again"] = rollback(deployment.home, deployment.config, run_id="by hand")
    runs["alias"] = _alias(deployment)
    runs["next"] = deployment.learn(NEXT)
    runs["mended"] = _left_behind_then_planned(deployment)
    with pytest.raises(StepError) as failure:
        deployment.learn(AFTER, learn={"dimension": 32})
    runs["failure"] = str(failure.value)
    narrow = deployment.config.learn.model_copy(update={"dimension": 32})
    # What is asked is a new line's way through the gate, not what half the width costs on 55 old rows.
    lenient = deployment.config.gate.model_copy(update={"margin_old": 0.2})
    config = deployment.config.model_copy(update={"learn": narrow, "gate": lenient})
    runs["rebuild"] = deployment.run(plan_rebuild(deployment.home, days_at_once=STRETCH - 2), config)
    runs["after"] = deployment.learn(AFTER, learn={"dimension": 32})
    stale = plan(deployment.home, AFTER, force=True)
    runs["overtaken"] = _overtaken_by_a_rollback(deployment, config)
    with pytest.raises(StepError) as failure:
        deployment.run(stale, config)
    runs["stale"] = str(failure.value)
    return runs


def _overtaken_by_a_rollback(deployment, config):
    """A run in the middle of which the champion is taken back; what its push said."""

    def on_step(step):
        if step.node == "Release":
            rollback(deployment.home, config, run_id="meanwhile")

    planned = plan(deployment.home, AFTER, force=True)
    with pytest.raises(StepError) as failure:
        run(deployment.home, config, planned, on_step, lambda step, outcome: None)
    return str(failure.value)


def _left_behind_then_planned(deployment):
    """The alias as a crash between rename and alias leaves it; then as the next plan leaves it."""
    import mlflow

    client = mlflow.MlflowClient(deployment.home.mlflow_uri)
    client.set_registered_model_alias(MODEL_NAME, "champion", "1")
    plan(deployment.home, AFTER)
    return _alias(deployment)


def _alias(deployment):
    import mlflow

    return mlflow.MlflowClient(deployment.home.mlflow_uri).get_model_version_by_alias(MODEL_NAME, "champion")


def test_the_earlier_model_is_served_under_a_higher_number_with_data_of_today(deployment, story):
    first, back = (lineage.read(deployment.home.serving, number) for number in (1, 3))
    assert (back.kind, back.parent, back.rolled_back) == (lineage.ROLLED_BACK, 1, (2,))
    assert (back.model_digest, back.spans_learned) == (first.model_digest, first.spans_learned)
    assert back.span == TAKEN_BACK
    assert back.data_digest == lineage.read(deployment.home.serving, 2).data_digest != first.data_digest
    assert story["alias"].run_id == first.mlflow_run_id


def test_a_rollback_tried_again_does_not_go_back_twice(story):
    assert story["again"].version == story["rollback"].version == 3


def test_what_is_pushed_brings_its_questions_and_its_warm_up(deployment, story):
    for version in lineage.versions(deployment.home.serving):
        for file in (SMOKE_FILE, WARM_UP_FILE):
            assert (deployment.home.serving / str(version) / file).stat().st_size > 0


def test_the_next_day_starts_from_what_stands_and_learns_what_was_taken_back(deployment, story):
    champion = lineage.read(deployment.home.serving, 4)
    assert (champion.kind, champion.parent) == (lineage.LEARNED, 3)
    assert set(champion.spans_learned) == {*range(FIRST_SPAN, LAST_OF_STRETCH + 1), TAKEN_BACK, NEXT}
    assert set(values(story["next"].rows("Replay", "training_rows", "new"), "span")) == {TAKEN_BACK, NEXT}


def test_an_alias_that_a_crash_left_behind_is_mended_by_the_next_plan(deployment, story):
    assert story["mended"].run_id == lineage.read(deployment.home.serving, 4).mlflow_run_id


def test_a_setting_that_the_base_cannot_serve_is_named(story):
    assert "learn.dimension is 32, but the base was learned with 64" in story["failure"]
    assert "everlearn rebuild" in story["failure"]


def test_a_rebuild_is_a_new_line_that_goes_through_the_gate(deployment, story):
    before, rebuilt = (lineage.read(deployment.home.serving, number) for number in (4, 5))
    assert story["rebuild"].verdict()["blessed"]
    assert (rebuilt.kind, rebuilt.parent, rebuilt.config["learn"]["dimension"]) == (lineage.LEARNED, None, 32)
    assert rebuilt.spans_learned == before.spans_learned
    following = lineage.read(deployment.home.serving, 6)
    assert (following.kind, following.parent) == (lineage.LEARNED, 5)
    _, found = of_champion(deployment.home)
    assert found.broken == ()


def test_a_rollback_in_the_middle_of_a_run_is_not_undone_by_it(deployment, story):
    assert "Pusher: the run was planned when version 6 was served, now version 7 is" in story["overtaken"]
    champion = deployment.champion()
    assert (champion.version, champion.kind, champion.rolled_back) == (7, lineage.ROLLED_BACK, (6,))


def test_a_run_that_was_planned_before_goes_no_further_than_its_base(story):
    assert "Base: the run was planned when version 6 was served, now version 7 is" in story["stale"]


def test_lineage_tells_the_chain(deployment, story):
    told = everlearn(deployment, "lineage", "4").stdout
    assert re.findall(r"^ *(\d+) +[\w ]+? +\d{4}-\d\d-\d\d ", told, re.MULTILINE) == ["1", "3", "4"]
    champion = lineage.read(deployment.home.serving, 4)
    assert all(one in told for one in ("2024-03-04", "2024-03-13", "(10)"))
    for fact in (champion.model_digest, champion.code_digest, champion.run_id, champion.config_digest):
        assert fact in told


def test_a_version_is_made_again_bit_by_bit(deployment, story):
    done = everlearn(deployment, "reproduce", "4")
    assert "version 4: equal, every array bit by bit" in done.stdout
    done = everlearn(deployment, "reproduce", "3")
    assert "version 3 serves the weights of version 1" in done.stdout
    assert "version 1: equal" in done.stdout


def test_a_version_that_does_not_exist_is_named(deployment, story):
    done = everlearn(deployment, "reproduce", "9")
    assert done.returncode == 1
    assert "there is no version 9: 1 to 7 are there" in done.stderr


def everlearn(deployment, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "pipelines.cli", *arguments],
        cwd=REPOSITORY,
        env=os.environ | {"EVERLEARN_HOME": str(deployment.home.root), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
