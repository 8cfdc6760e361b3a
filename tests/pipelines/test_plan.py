import pyarrow.parquet as pq
import pytest

from pipelines.plan import Plan, PlanError, plan, plan_challenger
from schemas.home import Home
from schemas.lineage import LEARNED, Lineage
from schemas.signatures import LINEAGE_FILE
from tests.e2e.deployment import write_day
from tests.factories import FIRST_SPAN, make_events


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path)
    for span, events in make_events(4, per_day=10).items():
        write_day(home, span, events)
    return home


def serve(home, *spans, version=1, span=None):
    lineage = Lineage(
        version=version,
        kind=LEARNED,
        span=span or max(spans),
        parent=None,
        spans_learned=spans,
        model_uri="m",
        model_digest="",
        data_uri="d",
        data_digest="",
        data_versions={},
        verdict="blessed",
        config={},
        config_digest="",
        code_digest="",
        run_id="r",
        mlflow_run_id="f",
        created="",
    )
    folder = home.serving / str(version)
    folder.mkdir(parents=True)
    (folder / LINEAGE_FILE).write_text(lineage.to_json())


def test_every_attempt_has_a_run_id_of_its_own(home):
    serve(home, FIRST_SPAN)
    ids = {plan(home, FIRST_SPAN + 1).run_id for _ in range(3)}
    assert len(ids) == 3


def test_a_plan_survives_the_way_through_airflow(home):
    serve(home, FIRST_SPAN)
    one = plan(home, FIRST_SPAN + 1, airflow_run_id="scheduled__x")
    assert Plan.from_json(one.to_json()) == one
    assert one.airflow_run_id == "scheduled__x"


def test_a_first_day_needs_a_bootstrap(home):
    with pytest.raises(PlanError, match="everlearn bootstrap --from DATE --to DATE"):
        plan(home, FIRST_SPAN)
    assert plan(home, FIRST_SPAN + 2, first_span=FIRST_SPAN).first_span == FIRST_SPAN


def test_a_stretch_has_its_days_in_order(home):
    with pytest.raises(PlanError, match="ends on 2024-03-04, before it begins on 2024-03-06"):
        plan(home, FIRST_SPAN, first_span=FIRST_SPAN + 2)


def test_a_bootstrap_beside_a_champion_has_nothing_to_do(home):
    serve(home, FIRST_SPAN)
    assert "there is a champion already" in plan(home, FIRST_SPAN, first_span=FIRST_SPAN).skip
    assert not plan(home, FIRST_SPAN, first_span=FIRST_SPAN, force=True).skip


def test_a_learned_day_is_left_alone_unless_forced(home):
    serve(home, FIRST_SPAN, FIRST_SPAN + 1)
    assert "is learned already" in plan(home, FIRST_SPAN + 1).skip
    forced = plan(home, FIRST_SPAN + 1, force=True)
    assert not forced.skip
    assert not forced.superseded


def test_an_earlier_day_is_superseded(home):
    serve(home, FIRST_SPAN, FIRST_SPAN + 1, FIRST_SPAN + 2)
    assert plan(home, FIRST_SPAN + 1, force=True).superseded


def test_so_is_one_whose_next_day_was_rejected_but_is_in_the_data_that_are_served(home):
    serve(home, FIRST_SPAN, FIRST_SPAN + 1)
    serve(home, FIRST_SPAN, FIRST_SPAN + 1, version=2, span=FIRST_SPAN + 2)
    assert plan(home, FIRST_SPAN + 1, force=True).superseded
    assert not plan(home, FIRST_SPAN + 2).superseded


def test_a_plan_names_the_champion_of_its_moment(home):
    assert plan(home, FIRST_SPAN + 1, first_span=FIRST_SPAN).champion == 0
    serve(home, FIRST_SPAN)
    assert plan(home, FIRST_SPAN + 1).champion == 1


def test_no_data_is_a_sentence(home, tmp_path):
    with pytest.raises(PlanError, match="bring data in with `everlearn import`"):
        plan(Home(tmp_path / "empty"), FIRST_SPAN)
    with pytest.raises(PlanError, match="2024-03-14 has no day folder"):
        plan(home, FIRST_SPAN + 10)


def test_other_files_make_another_fingerprint(home):
    serve(home, FIRST_SPAN)
    first = plan(home, FIRST_SPAN + 1).fingerprint
    assert plan(home, FIRST_SPAN + 1).fingerprint == first
    events = pq.read_table(home.events / "2024-03-05" / "ver-1")
    write_day(home, FIRST_SPAN + 1, events.slice(1), version=2)
    assert plan(home, FIRST_SPAN + 1).fingerprint != first


def test_a_challenger_is_due_in_every_nth_week_and_is_a_rebuild(home):
    serve(home, FIRST_SPAN, FIRST_SPAN + 1)
    week = (FIRST_SPAN + 1) // 7
    due = next(weeks for weeks in (2, 3, 4, 5) if week % weeks == 0)
    planned = plan_challenger(home, due, "scheduled__x")
    assert (planned.rebuild, planned.span, planned.skip) == (True, FIRST_SPAN + 1, "")
    assert planned.airflow_run_id == "scheduled__x"
    later = next(weeks for weeks in (2, 3, 4, 5) if week % weeks)
    assert f"in {later - week % later} week" in plan_challenger(home, later).skip
    assert plan_challenger(home, 1).rebuild


def test_without_a_champion_or_a_setting_nobody_challenges(home):
    assert "no champion" in plan_challenger(home, 1).skip
    serve(home, FIRST_SPAN)
    assert "challenger.weeks" in plan_challenger(home, None).skip
