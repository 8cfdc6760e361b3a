"""Days one after another through the real pipelines: accepted, repeated, rejected, caught up, superseded."""

import json

import numpy as np
import pytest

from pipelines.plan import PlanError, plan
from schemas import lineage
from schemas.home import MODEL_NAME
from schemas.signatures import LINEAGE_FILE, SMOKE_FILE
from schemas.spans import held_out
from tests.e2e.deployment import FIRST_SPAN, LAST_OF_STRETCH, STRETCH, Deployment, values

pytestmark = pytest.mark.e2e

ACCEPTED, REJECTED, CAUGHT_UP = LAST_OF_STRETCH + 1, LAST_OF_STRETCH + 2, LAST_OF_STRETCH + 3
IMPOSSIBLE = {"floor": 0.999}
"""No model passes: an honest way to have a day rejected."""


@pytest.fixture(scope="module")
def deployment(tmp_path_factory):
    return Deployment.create(tmp_path_factory.mktemp("days"), days=STRETCH + 4)


@pytest.fixture(scope="module")
def story(deployment):
    """Five runs, in order; the tests look at what they left."""
    runs = {"bootstrap": deployment.bootstrap()}
    runs["accepted"] = deployment.learn(ACCEPTED)
    runs["again"] = deployment.learn(ACCEPTED, force=True)
    runs["rejected"] = deployment.learn(REJECTED, gate=IMPOSSIBLE)
    runs["caught up"] = deployment.learn(CAUGHT_UP)
    runs["superseded"] = deployment.learn(ACCEPTED, force=True)
    return runs


def pushed(deployment, story, name):
    return next(
        (one for one in lineage.history(deployment.home.serving) if one.run_id == story[name].run_id), None
    )


def test_the_bootstrap_is_one_run_over_its_whole_stretch(deployment, story):
    first = pushed(deployment, story, "bootstrap")
    assert (first.version, first.kind, first.parent) == (1, lineage.LEARNED, None)
    assert first.spans_learned == tuple(range(FIRST_SPAN, LAST_OF_STRETCH + 1))


def test_an_accepted_day_is_pushed_with_its_lineage(deployment, story):
    version = pushed(deployment, story, "accepted")
    assert (version.version, version.kind, version.parent) == (2, lineage.LEARNED, 1)
    assert set(version.spans_learned) == {*range(FIRST_SPAN, LAST_OF_STRETCH + 1), ACCEPTED}
    folder = deployment.home.serving / "2"
    assert (folder / "saved_model.pb").exists()
    assert (folder / SMOKE_FILE).exists()
    assert json.loads((folder / LINEAGE_FILE).read_text())["mlflow_run_id"]


def test_a_day_run_twice_from_one_base_gives_one_model(deployment, story):
    first, again = (pushed(deployment, story, name) for name in ("accepted", "again"))
    assert again.parent == first.parent == 1
    assert again.model_digest == first.model_digest


def test_weights_and_slots_of_known_ids_start_from_the_base(story):
    before, after = story["bootstrap"].state(), story["accepted"].state()
    assert set(before.weights) == set(after.weights)
    for name, old in before.slots.items():
        if "accumulator" in name:  # Adagrad's only ever grow: a restart would fall below the base's
            assert (after.slots[name][: len(old)] >= old).all(), name


def test_a_rejected_day_pushes_the_same_weights_with_fresh_data(deployment, story):
    version = pushed(deployment, story, "rejected")
    served_before = pushed(deployment, story, "again")
    assert story["rejected"].verdict()["status"] == "rejected"
    assert (version.kind, version.parent) == (lineage.REFRESHED, served_before.version)
    assert version.model_digest == served_before.model_digest
    assert version.spans_learned == served_before.spans_learned
    assert version.data_digest != served_before.data_digest
    assert version.span == REJECTED


def test_the_next_run_learns_what_was_rejected(deployment, story):
    rows = story["caught up"].rows("Replay", "training_rows", "new")
    assert set(values(rows, "span")) == {REJECTED, CAUGHT_UP}
    version = pushed(deployment, story, "caught up")
    assert version.kind == lineage.LEARNED
    assert {REJECTED, CAUGHT_UP} <= set(version.spans_learned)
    rejected = story["rejected"].rows("Features", "rows", "learn")
    assert set(values(rejected, "event_id")) <= set(values(rows, "event_id"))


def test_a_day_run_after_later_ones_is_recorded_and_never_pushed(deployment, story):
    assert story["superseded"].verdict()["status"] == "superseded"
    assert pushed(deployment, story, "superseded") is None
    assert deployment.champion().run_id == story["caught up"].run_id


def test_held_out_user_days_are_in_no_training_set_and_no_buffer(story):
    share = 0.10
    for run in story.values():
        tables = [run.rows("Replay", "training_rows", split) for split in ("new", "replay")]
        for rows in (*tables, run.state().buffer):
            users, spans = np.array(values(rows, "user_id")), np.array(values(rows, "span"))
            for span in set(spans.tolist()):
                assert not held_out(users[spans == span], span, share).any()


def test_a_replayed_row_was_learned_by_the_base(story):
    replayed = story["accepted"].rows("Replay", "training_rows", "replay")
    assert replayed.num_rows > 0
    assert max(values(replayed, "span")) <= LAST_OF_STRETCH


def test_no_history_reaches_into_the_row_s_own_moment(story):
    rows = story["caught up"].rows("Features", "rows", "learn")
    assert min(values(rows, "history_last")) > 0


def test_mlflow_knows_every_run_and_its_champion(deployment, story):
    import mlflow

    client = mlflow.MlflowClient(deployment.home.mlflow_uri)
    experiment = client.get_experiment_by_name(MODEL_NAME)
    runs = client.search_runs([experiment.experiment_id])
    assert {run.data.tags["tfx_run_id"] for run in runs} == {run.run_id for run in story.values()}
    alias = client.get_model_version_by_alias(MODEL_NAME, "champion")
    assert alias.run_id == deployment.champion().mlflow_run_id


def test_ingesting_the_same_day_again_is_taken_from_the_cache(story):
    assert story["accepted"].outcomes["Features"].state == "complete"
    assert story["again"].outcomes["Features"].state == "cached"


def test_a_learned_day_is_not_run_again_unless_asked(deployment, story):
    assert "is learned already" in plan(deployment.home, CAUGHT_UP).skip


def test_a_day_without_files_is_refused_in_one_sentence(deployment, story):
    with pytest.raises(PlanError, match="has no day folder"):
        plan(deployment.home, CAUGHT_UP + 100)
