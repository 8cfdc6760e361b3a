import numpy as np
import pytest

from components.record import plots


def labels(figure) -> list[str]:
    figure.canvas.draw()
    (axes,) = figure.axes
    return [one.get_text() for one in axes.get_xticklabels() if one.get_text()]


def test_each_day_is_named_at_most_once_and_what_was_refused_is_marked():
    days = [
        {
            "date": f"2017-06-{number:02d}",
            "old": None if number == 3 else 0.2,
            "new": 0.1,
            "blessed": number != 2,
        }
        for number in range(1, 31)
    ]
    figure = plots.quality_over_days(days, "recall_at_20")
    named = labels(figure)
    assert len(set(named)) == len(named) <= 12
    assert set(named) <= {day["date"] for day in days}
    refused = [line for line in figure.axes[0].lines if line.get_marker() == "x"]
    assert [list(line.get_xdata()) for line in refused] == [["2017-06-02"]] * 2


def test_weeks_are_named_and_a_week_without_a_best_is_shown():
    weeks = {f"2017-W{number:02d}": {"candidate": 0.2, "best_ever": None} for number in range(1, 9)}
    named = labels(plots.forgetting_by_week(weeks, "recall_at_20"))
    assert named == sorted(weeks)


def test_the_matrix_of_many_days_names_some_of_them():
    dates, weeks = [f"day {n}" for n in range(40)], [f"2017-W{n:02d}" for n in range(1, 13)]
    figure = plots.forgetting_over_days(np.full((40, 12), 0.2), dates, weeks, "recall_at_20")
    figure.canvas.draw()
    axes = figure.axes[0]
    assert [one.get_text() for one in axes.get_yticklabels()][::9] == ["day 0", "day 39"]
    assert len(axes.get_xticklabels()) == 10


@pytest.mark.parametrize("cost", [None, 4000.0])
def test_a_day_without_a_cost_is_left_out(cost):
    days = [{"cost": 2000.0, "old": 0.2, "new": None}, {"cost": cost, "old": 0.3, "new": 0.1}]
    (axes,) = plots.quality_against_cost(days, "recall_at_20").axes
    assert [list(line.get_xdata()) for line in axes.lines if line.get_label() == "old task"] == [
        [2000.0] if cost is None else [2000.0, 4000.0]
    ]
