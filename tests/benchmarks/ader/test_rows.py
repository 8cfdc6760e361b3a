"""Sessions as rows: what a row knows of its session, and that the one `learn` takes them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.ader.lines import KnnLine, ModelLine, line
from benchmarks.ader.protocol import walk
from benchmarks.ader.ranking import ranks
from benchmarks.ader.rows import DAYS, data_state, rows, span
from benchmarks.ader.sessions import Sessions
from components.features.rows import empty_rows
from components.trainer.scoring import Scorer
from schemas.rows import DECAYED, DECAYS
from tests.benchmarks.ader.test_sessions import sessions

TINY = {
    "dimension": 8,
    "hidden": 8,
    "repeat_hidden": 2,
    "batch_rows": 32,
    "uniform_negatives": 8,
    "first_epochs": 1,
    "epochs": 1,
}


@pytest.fixture(scope="module")
def periods() -> list[Sessions]:
    """Three weeks in which items come later and later; session ids go on."""
    rng = np.random.default_rng(1)
    return [
        sessions(*[rng.integers(1, 10 + 3 * week, 4).tolist() for _ in range(30)], first=1000 * week)
        for week in range(3)
    ]


def test_a_row_a_case_with_ages_counted_in_events() -> None:
    table = rows(sessions([1, 2, 1, 3], [4, 4]), 2)
    assert table.schema == empty_rows().schema
    (row,) = table.slice(2, 1).to_pylist()
    assert (row["user_id"], row["span"], row["item_id"]) == (["100"], [span(2)], ["3"])
    assert (row["times_before"], row["history_item"]) == ([0], ["2", "1"])
    assert (row["history_times"], row["history_first"], row["history_last"]) == ([1, 2], [2, 3], [2, 1])
    for name, days in zip(DECAYED, DECAYS, strict=True):
        assert row[name] == pytest.approx([2 ** (-2 / days), 2 ** (-1 / days) + 2 ** (-3 / days)])
    assert [one["days_since"][0] for one in table.to_pylist()][1] == 2
    assert (table["times_before"][3].as_py(), table["days_since"][3].as_py()) == ([1], [1])


def test_no_row_holds_its_answer_or_what_follows_it() -> None:
    table = rows(sessions([1, 2, 3, 4]), 0)
    assert table["history_item"].to_pylist() == [["1"], ["1", "2"], ["1", "2", "3"]]


def test_the_catalogue_is_every_id_up_to_the_largest_and_trends_know_the_past_alone() -> None:
    data = data_state([sessions([1, 1, 3]), sessions([5, 2])])
    assert data.catalogue["item_id"].to_pylist() == ["1", "2", "3", "4", "5"]
    assert data.catalogue["first_span"].to_pylist() == [span(0)] * 3 + [span(1)] * 2
    assert data.trends(span(0)).max() == 0
    np.testing.assert_allclose(data.trends(span(1))[:, 2], np.log1p([2, 0, 1, 0, 0]))
    np.testing.assert_allclose(data.trends(span(2))[:, 2], np.log1p([0, 1, 0, 0, 1]))
    assert span(1) - span(0) == DAYS


def test_ranks_equal_the_scorers(periods: list[Sessions]) -> None:
    one = ModelLine(TINY, seed=0)
    one.learn(periods[:1])
    assert one.state is not None
    data, asked = data_state(periods[:1]), rows(periods[1].known(np.arange(1, 10)), 1)
    assert ranks(one.state, data, asked).tolist() == Scorer(one.state, data).ranks(asked).tolist()


def test_a_walk_that_was_stopped_goes_on_as_one_that_was_not(periods: list[Sessions], tmp_path: Path) -> None:
    whole = list(walk(ModelLine(TINY, seed=0), periods, 2, tmp_path / "whole"))
    list(walk(ModelLine(TINY, seed=0), periods, 1, tmp_path / "parts"))
    parts = list(walk(ModelLine(TINY, seed=0), periods, 2, tmp_path / "parts"))
    assert [(one.cases, one.recall, one.mrr) for one in parts] == [
        (one.cases, one.recall, one.mrr) for one in whole
    ]
    assert whole[1].row_passes == 90 + 45  # all of the week's rows, and half as many replayed
    list(walk(KnnLine(), periods, 1, tmp_path / "knn"))
    assert len(list(walk(KnnLine(), periods, 2, tmp_path / "knn"))) == 2


def test_a_joint_line_learns_all_rows_anew(periods: list[Sessions]) -> None:
    one = ModelLine(TINY, seed=0, afresh=True)
    assert [one.learn(periods[:1]), one.learn(periods[:2])] == [90, 180]
    assert one.state is not None
    assert one.state.spans_learned == (span(0), span(1))


def test_a_line_that_there_is_not_is_named() -> None:
    with pytest.raises(ValueError, match="'rehearsal' is no line: choose of session kNN"):
        line("rehearsal", 0)
