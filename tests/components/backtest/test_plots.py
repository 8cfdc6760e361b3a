"""Quality against cost: every line can be seen, those of one cost and those that cost nothing too."""

import numpy as np

from components.backtest.plots import against_cost


def row(line: str, rows: float, recall: float) -> dict[str, object]:
    around = {"recall_low": recall - 0.01, "recall_high": recall + 0.01}
    return {"line": line, "rows_trained": rows, "days": 10, "recall": recall} | around


def test_each_line_has_a_place_of_its_own_by_its_cost() -> None:
    rows = [row("default", 2000, 0.3), row("stale", 0, 0.2), row("twice", 2000, 0.3), row("full", 2001, 0.4)]
    figure = against_cost(rows, "recall", "Quality against cost")
    (axes,) = figure.axes
    places = {bar.get_label(): bar.lines[0].get_xydata()[0].tolist() for bar in axes.containers}
    assert places["stale"] == [0.0, 0.2]
    assert places["default"] == [200.0, 0.3]
    assert 1.05 < places["twice"][0] / 200.0 < 1.1
    assert 1.05 < places["full"][0] / places["twice"][0] < 1.1
    on_screen = [axes.transData.transform(place)[0] for place in places.values()]
    assert sorted(on_screen) == on_screen, "in the legend's order"
    assert np.diff(on_screen).min() > 5
    assert [text.get_text() for text in figure.legends[0].get_texts()] == list(places)
