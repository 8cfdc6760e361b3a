"""The pictures show what is over its threshold, and each alarm."""

from __future__ import annotations

import pytest

from components.drift import plots


def test_the_feature_farthest_over_its_threshold_is_on_top():
    found = [
        {"feature": name, "kind": kind, "value": value, "threshold": threshold}
        for name, kind, value, threshold in (
            ("hour", "window", 0.1, 0.2),
            ("behavior", "window", 0.3, 0.2),
            ("behavior", "weekday", 0.1, 0.2),
            ("item_id", "weekday", 0.04, 0.05),
        )
    ]
    (axes,) = plots.distances(found, "2024-03-11").axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["hour", "item_id", "behavior"]
    assert max(bar.get_width() for bar in axes.patches) == pytest.approx(1.5)


def test_the_days_and_the_alarms_are_drawn():
    days = [
        {
            "date": f"2024-03-{day:02d}",
            "value": 0.2,
            "statistic": None if day < 10 else 1.0,
            "alarm": day == 12,
        }
        for day in range(1, 15)
    ]
    above, below = plots.next_day_metric(days, "recall_at_20", 6.0).axes
    assert list(above.lines[0].get_ydata()) == [0.2] * 14
    assert [list(line.get_xdata()) for line in above.lines[1:]] == [["2024-03-12"] * 2]
    assert list(below.lines[1].get_ydata()) == [6.0, 6.0]
