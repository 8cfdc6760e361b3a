import json

import numpy as np
import pyarrow as pa
import pytest

from components.gate.config import GateConfig
from components.gate.power import HEALTHY, plant_loss, simulated_pair
from components.gate.verdict import judge

CONFIG = GateConfig()
PAIR = simulated_pair(seed=1, old_rows=3000, new_rows=600, users=1500, churn=0.05)


def table(rows: int, candidate: float, champion: float | None, task: str = "old") -> pa.Table:
    """Rows of as many users, each with these values."""
    columns = {
        "user_id": [f"user {number}" for number in range(rows)],
        "task": [task] * rows,
        "candidate/recall_at_20": np.full(rows, candidate),
    }
    if champion is not None:
        columns["champion/recall_at_20"] = np.full(rows, champion)
    return pa.table(columns)


def outcome_of(verdict, rule: str) -> str:
    (found,) = [one for one in verdict.findings if one.rule == rule]
    return found.outcome


def test_an_equal_model_is_blessed():
    verdict = judge(simulated_pair(1, 3000, 3000, 1500, churn=0.0), {}, HEALTHY, CONFIG)
    assert verdict.status == "blessed"
    assert verdict.blessed


def test_harm_on_either_task_rejects_and_says_where():
    for task in ("old", "new"):
        verdict = judge(plant_loss(PAIR, task, 0.25, seed=2), {}, HEALTHY, CONFIG)
        assert verdict.status == "rejected"
        assert not verdict.blessed
        (reason,) = verdict.reasons
        assert reason.startswith(f"{task} task: recall_at_20 against the champion: -2")
        assert "is proven" in reason


def test_a_wide_interval_blesses_and_tells_what_it_could_have_seen():
    verdict = judge(simulated_pair(3, 300, 60, 200), {}, HEALTHY, CONFIG)
    assert verdict.status == "inconclusive"
    assert verdict.blessed
    assert "would be seen" in " ".join(verdict.reasons)
    old = next(one for one in verdict.findings if one.rule == "old task")
    assert old.detectable > CONFIG.margin_old + (old.interval.estimate - old.interval.low)


def test_a_loss_within_the_margin_passes():
    rows = pa.concat_tables([table(200, 0.198, 0.2, "old"), table(200, 0.196, 0.2, "new")])
    assert judge(rows, {}, HEALTHY, CONFIG).status == "blessed"
    assert judge(rows, {}, HEALTHY, CONFIG.model_copy(update={"margin_old": 0.005})).status == "rejected"


def test_without_a_champion_health_and_floor_decide():
    verdict = judge(table(200, 0.1, None), {}, HEALTHY, CONFIG)
    assert verdict.status == "blessed"
    assert "There is no champion yet" in verdict.to_markdown()
    assert judge(table(200, 0.0005, None), {}, HEALTHY, CONFIG).status == "rejected"


def test_three_rows_and_no_rows_prove_nothing():
    for rows in (table(3, 0.0, 1.0), table(0, 0.0, 1.0)):
        verdict = judge(rows, {}, HEALTHY, CONFIG)
        assert verdict.status == "inconclusive"
        json.loads(verdict.to_json())


def test_nothing_is_lost_against_a_champion_without_a_hit():
    assert judge(table(500, 0.2, 0.0), {}, HEALTHY, CONFIG).status == "inconclusive"


def test_rows_without_a_value_are_left_out():
    rows = pa.concat_tables([table(200, 0.2, 0.2), table(200, np.nan, np.nan)])
    assert outcome_of(judge(rows, {}, HEALTHY, CONFIG), "old task") == "fine"


@pytest.mark.parametrize(
    ("finding", "said"),
    [
        ({"diverged": True}, "diverged"),
        ({"finite_report": False}, "NaN or infinity"),
        ({"finite_scores": False}, "scores"),
        ({"distinct_lists": 1}, "one and the same list"),
    ],
)
def test_a_sick_model_is_rejected_however_good_it_looks(finding, said):
    verdict = judge(PAIR, {}, HEALTHY | finding, CONFIG)
    assert verdict.status == "rejected"
    assert said in verdict.reasons[0]


def test_few_users_may_share_a_list():
    assert judge(PAIR, {}, HEALTHY | {"users_asked": 5, "distinct_lists": 1}, CONFIG).blessed
    assert judge(PAIR, {}, HEALTHY | {"distinct_lists": 1, "lists_hold_all": True}, CONFIG).blessed


@pytest.mark.parametrize(("against", "loss"), [("month_ago", 0.12), ("best_ever", 0.35)])
def test_small_losses_that_add_up_are_caught(against, loss):
    values = PAIR["champion/recall_at_20"].to_numpy() / (1 - loss)
    rows = PAIR.append_column(f"{against}/recall_at_20", pa.array(values))
    verdict = judge(rows, {}, HEALTHY, CONFIG)
    assert verdict.status == "rejected"
    assert f"against the {against.replace('_', ' ')}" in verdict.reasons[0]
    milder = PAIR.append_column(f"{against}/recall_at_20", PAIR["champion/recall_at_20"])
    assert judge(milder, {}, HEALTHY, CONFIG).blessed


def test_superseded_is_never_blessed_but_says_what_it_would_have_been():
    verdict = judge(PAIR, {}, HEALTHY, CONFIG, superseded=True)
    assert verdict.status == "superseded"
    assert not verdict.blessed
    assert "By itself it would be" in verdict.reasons[1]


def test_an_unmeasured_metric_is_refused():
    summary = {"models": {"candidate": {"new": {"mrr": 0.1, "recall_at_20": 0.2}}}}
    with pytest.raises(ValueError, match=r"gate.metric = 'recall_at_7'.*mrr, recall_at_20"):
        judge(PAIR, summary, HEALTHY, GateConfig(metric="recall_at_7"))


def test_notes_are_told_and_decide_nothing():
    verdict = judge(PAIR, {}, HEALTHY, CONFIG, notes=["Input drift: everything has changed."])
    assert verdict.status == judge(PAIR, {}, HEALTHY, CONFIG).status
    assert "\n- Input drift: everything has changed.\n" in verdict.to_markdown()
    assert json.loads(verdict.to_json())["notes"] == ["Input drift: everything has changed."]


def test_a_proven_loss_on_a_protected_slice_rejects_alone():
    hits = PAIR["champion/recall_at_20"].to_numpy()
    inside = np.arange(len(hits)) % 3 == 0
    name = "recall_at_20@item_category/shoes"

    def judged(kept: float, against: str = "champion"):
        rows = PAIR.append_column(f"candidate/{name}", pa.array(np.where(inside, hits * kept, np.nan)))
        rows = rows.append_column(f"{against}/{name}", pa.array(np.where(inside, hits, np.nan)))
        return judge(rows, {}, HEALTHY, CONFIG)

    assert judged(0.97).blessed, "within the margin"
    verdict = judged(0.85)
    assert verdict.status == "rejected"
    (reason,) = verdict.reasons
    assert reason.startswith("protected item_category/shoes: recall_at_20 against the champion: -15.0%")
    (reason,) = judged(0.85, "month_ago").reasons
    assert reason.startswith("protected item_category/shoes: a month: ")


def test_a_protected_slice_without_a_row_says_that_it_could_not_be_judged():
    nothing = pa.array(np.full(PAIR.num_rows, np.nan))
    rows = PAIR
    for model in ("candidate", "champion"):
        rows = rows.append_column(f"{model}/recall_at_20@silent/90", nothing)
    verdict = judge(rows, {}, HEALTHY, CONFIG)
    assert verdict.blessed
    assert outcome_of(verdict, "protected silent/90") == "unclear"
