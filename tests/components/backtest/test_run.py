"""The whole engine on a tiny log: what lines see, what they leave behind, how they go on after a stop."""

import csv
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from components.backtest.config import BacktestConfig
from components.backtest.journal import OLD_TASK
from components.backtest.run import Plan, backtest
from components.backtest.strategies import Strategy, named
from components.backtest.walk import Source
from components.events.config import BehaviorWeights
from components.features.config import FeaturesConfig
from components.trainer.config import LearnConfig
from tests.factories import FIRST_SPAN, make_events, make_items, make_users

pytestmark = pytest.mark.slow

BEFORE, DAYS = 7, 4
STRATEGIES = ("default", "stale", "full-2")
PEERS = ("popularity", "frequency")
SHARE = 0.3


def source(days: int = BEFORE + DAYS, seed: int = 0) -> Source:
    events = make_events(days=days, seed=seed)
    features = FeaturesConfig(holdout_share=SHARE)
    return Source(events.__getitem__, make_items(), make_users(), features, BehaviorWeights().model_dump())


def plan(strategies: tuple[str, ...] = STRATEGIES, days: int = DAYS) -> Plan:
    config = BacktestConfig(
        start=FIRST_SPAN + BEFORE, days=days, bootstrap_days=BEFORE, task_days=2, k=5, churn_users=5,
        tune_days=(1,),
    )  # fmt: skip
    learn = LearnConfig(dimension=8, hidden=8, batch_rows=16, holdout_share=SHARE)
    return Plan(config, learn, [named(one) for one in strategies], PEERS)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("backtest")
    backtest(source(), plan(), folder)
    return folder


def table(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def days_of(out: Path, line: str) -> list[dict[str, str]]:
    timings = ("seconds_learning", "seconds_scoring")
    return [
        {name: value for name, value in day.items() if name not in timings}
        for day in table(out / "daily.csv")
        if day["line"] == line
    ]


def test_all_files_are_there(out: Path) -> None:
    names = {path.name for path in out.iterdir()}
    assert names >= {
        "summary.csv", "daily.csv", "matrix.csv", "report.md", "days_all.png", "days_new.png", "cost.png",
        "forgetting.png", "backtest.json",
    }  # fmt: skip
    lines = [row["line"] for row in table(out / "summary.csv")]
    assert lines == [*STRATEGIES, "full-2 (days after a retrain)", *PEERS]
    assert "**" in (out / "report.md").read_text()


def test_what_is_kept_of_the_old_task_row_by_row_has_the_mean_of_the_matrix(out: Path) -> None:
    default, stale, *_ = table(out / "summary.csv")
    rows = pq.read_table(out / "lines" / "default" / OLD_TASK)
    last = [one for one in table(out / "matrix.csv") if (one["line"], one["after"]) == ("default", "2")]
    of_task = {int(one["task"]): float(one["value"]) for one in last if one["task"] != "2"}
    for task, mean in of_task.items():
        recalls = rows.filter(pc.equal(rows["task"], task))["recall"].to_numpy()
        assert np.nanmean(recalls) == pytest.approx(mean, rel=1e-4)
    assert set(rows["task"].to_pylist()) == of_task.keys()
    assert int(default["old_task_rows"]) == rows.num_rows
    assert float(default["old_task_recall_low"]) < float(default["old_task_recall"])
    gap = float(stale["old_task_recall"]) - float(default["old_task_recall"])
    assert float(stale["old_task_recall_gap"]) == pytest.approx(gap, abs=1e-5)


def test_the_first_day_is_asked_before_anything_of_it_is_learned(out: Path) -> None:
    """All strategies start from the same bootstrap, so that they answer alike until one of them learned."""
    first = [days_of(out, line)[0]["recall_at_5_all"] for line in STRATEGIES]
    assert len(set(first)) == 1


def test_the_future_changes_nothing_of_the_past(out: Path, tmp_path: Path) -> None:
    """The same days before another future: every figure of theirs is the same."""
    one, other = make_events(days=BEFORE + DAYS), make_events(days=BEFORE + DAYS, seed=9)
    border = FIRST_SPAN + BEFORE + 2
    mixed = {span: (one if span < border else other)[span] for span in one}
    elsewhere = replace(source(), events=mixed.__getitem__)
    backtest(elsewhere, plan(("default",), days=3), tmp_path)
    for line in ("default", *PEERS):
        assert days_of(tmp_path, line)[:2] == days_of(out, line)[:2]
        assert days_of(tmp_path, line)[2] != days_of(out, line)[2]


def test_a_stopped_backtest_goes_on_and_ends_alike(out: Path, tmp_path: Path) -> None:
    told: list[str] = []

    def stop(text: str) -> None:
        told.append(text)
        if "full-2" in text and f"3/{DAYS}" in text:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backtest(source(), plan(("full-2",)), tmp_path, stop)
    backtest(source(), plan(("full-2",)), tmp_path)
    for line in ("full-2", *PEERS):
        resumed, whole = days_of(tmp_path, line), days_of(out, line)
        for day in (*resumed, *whole):
            day.pop("overlap_at_5")  # yesterday's lists are not kept
        assert resumed == whole
    of_line = [entry for entry in table(out / "matrix.csv") if entry["line"] == "full-2"]
    assert table(tmp_path / "matrix.csv") == of_line


def test_a_further_strategy_joins_without_doing_the_others_again(out: Path, tmp_path: Path) -> None:
    """And its name stands for it alone in the folder, or the figures of one would be told of another."""
    shutil.copytree(out, tmp_path / "more")
    told: list[str] = []
    backtest(source(), plan(("default", "x:epochs=2")), tmp_path / "more", told.append)
    assert sum(" x " in text for text in told) == DAYS
    assert not any("default" in text for text in told)
    with pytest.raises(ValueError, match="x holds the days of another line of that name"):
        backtest(source(), plan(("x:epochs=3",)), tmp_path / "more")


def test_lines_of_one_name_or_none_at_all_are_refused(tmp_path: Path) -> None:
    for strategies, word in (
        (("default", "default"), "default is named twice"),
        (("popularity:epochs=2",), "popularity is a baseline's name"),
    ):
        with pytest.raises(ValueError, match=word):
            backtest(source(), plan(strategies), tmp_path / "nothing")
    with pytest.raises(ValueError, match="nothing is compared"):
        backtest(source(), replace(plan(()), peers=()), tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()


def test_another_log_is_refused_in_the_same_folder(out: Path) -> None:
    with pytest.raises(ValueError, match=r"other settings \(log\)"):
        backtest(replace(source(), fingerprint=lambda first, last: f"{first} to {last}"), plan(), out)


def test_what_was_trained_anew_after_the_last_day_alone_is_not_chosen(out: Path, tmp_path: Path) -> None:
    shutil.copytree(out, tmp_path / "more")
    backtest(source(), plan(("default", f"full-{DAYS}")), tmp_path / "more")
    told = (tmp_path / "more" / "report.md").read_text()
    assert "**default.**" in told
    assert "above" not in told.partition("## Against")[2].partition("##")[0], "too few days to tell"


def test_other_settings_are_refused_in_the_same_folder(out: Path) -> None:
    with pytest.raises(ValueError, match="other settings"):
        backtest(source(), plan(days=2), out)


def test_stale_trains_nothing_and_retraining_trains_everything(out: Path) -> None:
    trained = {line: [int(float(day["rows_trained"])) for day in days_of(out, line)] for line in STRATEGIES}
    assert trained["stale"] == [0] * DAYS
    assert trained["full-2"][0] == trained["full-2"][2] == 0
    assert trained["full-2"][3] > trained["full-2"][1] > 3 * max(trained["default"])


def test_the_matrix_is_full_up_to_its_diagonal_and_one_beyond(out: Path) -> None:
    entries = {(int(one["after"]), int(one["task"])) for one in table(out / "matrix.csv")}
    assert entries == {(0, 0), (0, 1), (1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (2, 2)}


def test_a_strategy_may_learn_a_share_of_the_day(tmp_path: Path) -> None:
    nothing_else = {"replay": {"share": 0.0}}
    halves = [Strategy(f"{share}", "", day_share=share, overrides=nothing_else) for share in (1.0, 0.5)]
    backtest(source(), replace(plan((), days=2), strategies=halves, peers=()), tmp_path)
    whole, half = ([float(day["rows_trained"]) for day in days_of(tmp_path, f"{one}")] for one in (1.0, 0.5))
    assert half == [round(rows / 2) for rows in whole]
