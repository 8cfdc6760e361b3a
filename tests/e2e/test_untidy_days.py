"""Days as they really come, one story: late, corrected, tiny, empty, huge, rejected twice, broken, mended."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from components.features.data_state import DataState
from components.features.stretch import advance_stretch
from components.features.tables import read_table
from pipelines.audit import of_champion
from pipelines.commands.status import app as status
from pipelines.day_account import day_account, told
from pipelines.launch import StepError
from pipelines.plan import plan
from schemas import lineage
from schemas.spans import date_of
from tests.e2e.deployment import FIRST_SPAN, LAST_OF_STRETCH, STRETCH, Deployment, broken, values, write_day
from tests.factories import make_events

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1200)]

LATE, BEFORE_LATE, TINY, EMPTY, HUGE, TWICE, BROKEN, ON, MENDED, BETWEEN, SOUND, AFTER, LAST = range(
    LAST_OF_STRETCH + 1, LAST_OF_STRETCH + 14
)
IMPOSSIBLE = {"floor": 0.999}
WITHDRAWN, ADDED = 20, 15
DAYS = make_events(STRETCH + 13, users=120, items=60, seed=7, per_day=200)


@pytest.fixture(scope="module")
def deployment(tmp_path_factory):
    return Deployment.create(tmp_path_factory.mktemp("untidy"), days=STRETCH, per_day=200)


@pytest.fixture(scope="module")
def story(deployment):
    """What was delivered and run, in order; the tests look at what it left."""
    home, runs = deployment.home, {}
    runs["bootstrap"] = deployment.bootstrap()
    write_day(home, BEFORE_LATE, DAYS[BEFORE_LATE])
    runs["gap"] = deployment.learn(BEFORE_LATE)

    write_day(home, LATE, DAYS[LATE])
    runs["told"] = plan(home, BEFORE_LATE).skip
    write_day(home, TINY, DAYS[TINY].slice(0, 5))
    runs["late"] = deployment.learn(TINY)

    write_day(home, BEFORE_LATE, corrected(), version=2)
    write_day(home, EMPTY, DAYS[EMPTY].slice(0, 0))
    runs["corrected"] = deployment.learn(EMPTY)

    write_day(home, HUGE, make_events(1, 120, 60, seed=8, per_day=2000, first_span=HUGE)[HUGE])
    runs["huge, rejected"] = deployment.learn(HUGE, gate=IMPOSSIBLE)
    write_day(home, TINY, DAYS[TINY].slice(0, 5), version=2)  # the same once more
    write_day(home, TWICE, DAYS[TWICE])
    runs["rejected again"] = deployment.learn(TWICE, gate=IMPOSSIBLE)

    write_day(home, BROKEN, broken(DAYS[BROKEN]))
    with pytest.raises(StepError) as failure:
        deployment.learn(BROKEN)
    runs["failure"] = str(failure.value)
    write_day(home, ON, DAYS[ON])
    runs["on"] = deployment.learn(ON)

    write_day(home, BROKEN, DAYS[BROKEN], version=2)
    write_day(home, MENDED, DAYS[MENDED])
    runs["mended"] = deployment.learn(MENDED)

    write_day(home, BETWEEN, broken(DAYS[BETWEEN]))
    write_day(home, ON, broken(DAYS[ON]), version=2)
    for span in (SOUND, AFTER):
        write_day(home, span, DAYS[span])
    runs["past broken ones"] = deployment.learn(AFTER)
    runs["told of broken ones"] = {span: told(day_account(home, span)) for span in (ON, BETWEEN, SOUND)}
    runs["status"] = CliRunner().invoke(status, ["status"], env={"EVERLEARN_HOME": str(home.root)}).output
    runs["audit past broken ones"] = of_champion(home)[1]

    write_day(home, BETWEEN, DAYS[BETWEEN], version=2)
    write_day(home, ON, DAYS[ON], version=3)
    write_day(home, LAST, DAYS[LAST])
    runs["all mended"] = deployment.learn(LAST)
    return runs


def corrected() -> pa.Table:
    """The day without its first events, and with some that were not there; some moments have both."""
    day = DAYS[BEFORE_LATE]
    fresh = make_events(1, 120, 60, seed=9, per_day=ADDED, first_span=BEFORE_LATE)[BEFORE_LATE]
    ids = pa.array([f"added-{n}" for n in range(ADDED)])
    fresh = fresh.set_column(0, day.schema.field("event_id"), ids)
    at = day.slice(100, ADDED)  # users and moments that were learned already
    for name in ("user_id", "timestamp"):
        place = day.column_names.index(name)
        fresh = fresh.set_column(place, day.schema.field(name), at.column(name))
    return pa.concat_tables([day.slice(WITHDRAWN), fresh])


def learned(run) -> Counter:
    return Counter(values(run.rows("Replay", "training_rows", "new"), "span"))


def events_of(run, span: int) -> set[str]:
    rows = run.rows("Replay", "training_rows", "new")
    of_span = [
        event
        for row, at in zip(rows["event_id"].to_pylist(), values(rows, "span"), strict=True)
        for event in row
        if at == span
    ]
    return set(of_span)


def test_a_missing_day_keeps_no_other_waiting(deployment, story):
    assert set(learned(story["gap"])) == {BEFORE_LATE}


def test_a_late_day_waits_for_the_next_run_and_is_told_of(story):
    assert "let the next day's run learn 2024-03-14, which came or changed since" in story["told"]


def test_a_late_day_is_learned_whole_by_the_next_run_and_no_other_day_again(story):
    assert set(learned(story["late"])) <= {LATE, TINY}
    assert learned(story["late"])[LATE] > 100
    assert {LATE, TINY} <= set(story["late"].state().spans_learned)


def test_after_a_late_day_the_data_state_is_what_days_in_order_give(deployment, story):
    days = {span: DAYS[span] for span in range(FIRST_SPAN, TINY)} | {TINY: DAYS[TINY].slice(0, 5)}
    in_order = state_of(deployment, days)
    after = DataState.load(story["late"].folder("Features", "data_state"))
    assert after.digest() == in_order.digest()


def test_a_late_day_sees_nothing_that_came_after_it(story):
    rows = story["late"].rows("Features", "rows", "learn")
    assert min(values(rows, "history_last")) > 0
    assert set(values(rows, "span")) >= {LATE, BEFORE_LATE}  # its followers were ingested again, behind it


def test_of_a_corrected_day_the_added_events_alone_are_learned(story):
    new = events_of(story["corrected"], BEFORE_LATE)
    assert new
    assert {event[:6] for event in new} == {"added-"}
    before = events_of(story["gap"], BEFORE_LATE)
    assert before
    assert not new & before
    assert BEFORE_LATE in story["corrected"].state().spans_learned


def test_withdrawn_events_leave_buffer_and_histories(deployment, story):
    withdrawn = set(DAYS[BEFORE_LATE].slice(0, WITHDRAWN)["event_id"].to_pylist())
    before, after = story["late"].state(), story["corrected"].state()
    assert withdrawn & {*values(before.buffer, "event_id"), *values(before.held_out, "event_id")}
    assert not withdrawn & {*values(after.buffer, "event_id"), *values(after.held_out, "event_id")}
    days = {span: DAYS[span] for span in range(FIRST_SPAN, TINY)}
    days |= {
        TINY: DAYS[TINY].slice(0, 5),
        BEFORE_LATE: sorted_day(corrected()),
        EMPTY: DAYS[EMPTY].slice(0, 0),
    }
    state = DataState.load(story["corrected"].folder("Features", "data_state"))
    assert state.digest() == state_of(deployment, days).digest()


def test_a_tiny_and_an_empty_day_are_learned_for_what_they_are(deployment, story):
    champion = deployment.champion()
    assert {TINY, EMPTY} <= set(champion.spans_learned)
    assert EMPTY not in learned(story["corrected"])


def test_two_rejected_days_in_a_row_are_learned_by_the_next_accepted_run(deployment, story):
    kinds = {one.run_id: one.kind for one in lineage.history(deployment.home.serving)}
    for name in ("huge, rejected", "rejected again"):
        assert kinds[story[name].run_id] == lineage.REFRESHED
    assert {HUGE, TWICE, ON} <= set(learned(story["on"]))
    assert learned(story["on"])[HUGE] > 1000


def test_the_same_day_delivered_again_changes_nothing(story):
    rows = story["rejected again"].rows("Replay", "training_rows", "new")
    assert TINY not in set(values(rows, "span"))
    assert TINY not in learned(story["on"])


def test_a_broken_day_learns_nothing_and_keeps_no_other_waiting(story):
    assert "2024-03-20, which failed in quality (times_of_the_day, rows_usable)" in story["failure"]
    assert BROKEN not in learned(story["on"])
    assert ON in story["on"].state().spans_learned
    assert BROKEN not in story["on"].state().spans_learned


def test_a_mended_day_is_learned_like_a_late_one(story):
    assert set(learned(story["mended"])) == {BROKEN, MENDED}


def test_a_broken_day_between_others_is_left_out_and_named(story):
    assert set(learned(story["past broken ones"])) == {SOUND, AFTER}
    notes = [note for note in story["past broken ones"].verdict()["notes"] if "left out" in note]
    assert [note[:10] for note in notes] == [str(date_of(ON)), str(date_of(BETWEEN))]
    assert all("quality failed (times_of_the_day, rows_usable): see" in note for note in notes)
    for span in (ON, BETWEEN):
        assert f"{date_of(span)} is left out" in story["status"]
    of_between = "\n".join(story["told of broken ones"][BETWEEN])
    assert "learned 0 + held out 0 + not yet learned 10" in of_between
    assert f"{date_of(BETWEEN)} is left out, quality failed" in of_between
    assert "left out" not in "".join(story["told of broken ones"][SOUND])


def test_a_learned_day_that_comes_again_broken_stays_what_it_was(deployment, story):
    lines = "\n".join(story["told of broken ones"][ON])
    assert lines.startswith(f"{date_of(ON)}, version 1 of its files\nreceived 200 = accepted 200 ")
    assert "+ not yet learned 0" in lines
    assert f"{date_of(ON)} is left out" in lines
    then = DataState.load(story["mended"].folder("Features", "data_state"))
    now = DataState.load(story["past broken ones"].folder("Features", "data_state"))
    assert now.spans[ON] == then.spans[ON]
    found = story["audit past broken ones"]
    assert found.broken == ()
    assert found.accepted == found.learned + found.held_out


def test_a_day_mended_after_a_stretch_went_on_without_it_is_learned_like_a_late_one(story):
    assert set(learned(story["all mended"])) == {BETWEEN, LAST}


def test_the_audit_proves_the_whole_story(deployment, story):
    champion, found = of_champion(deployment.home)
    assert champion.run_id == story["all mended"].run_id
    assert found.broken == ()
    assert found.accepted == found.learned + found.held_out
    assert 0 < found.withdrawn <= WITHDRAWN


def test_mlflow_s_account_of_every_run_adds_up(deployment, story):
    import mlflow

    client = mlflow.MlflowClient(deployment.home.mlflow_uri)
    runs = client.search_runs([one.experiment_id for one in client.search_experiments()])
    assert {run.data.metrics["events/unaccounted"] for run in runs} == {0.0}


def state_of(deployment, days) -> DataState:
    items, users = (read_table(str(path)) for path in (deployment.home.items, deployment.home.users))
    weights = deployment.config.events.behavior_weights.model_dump()
    return advance_stretch(None, days, items, users, deployment.config.features, weights)[2]


def sorted_day(events: pa.Table) -> pa.Table:
    return events.sort_by([(name, "ascending") for name in ("timestamp", "user_id", "event_id")])
