"""What the data efficiency benchmark counts, by hand."""

from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from benchmarks.data_efficiency.burst_days import pressed, stretches
from benchmarks.data_efficiency.few_shot import events_before
from benchmarks.data_efficiency.frontier import cells, picture, strategy
from benchmarks.data_efficiency.tiny_days import tiny
from components.features.config import FeaturesConfig
from components.features.stretch import advance_stretch
from components.trainer.config import LearnConfig
from schemas.spans import start_of
from tests.components.trainer.conftest import WEIGHTS
from tests.factories import FIRST_SPAN, make_events, make_items, make_users


def test_events_of_all_days_count_and_an_unseen_item_has_none() -> None:
    item_days = pa.table({"span": [1, 2, 2], "item_id": ["a", "a", "b"], "events": pa.array([2, 1, 5])})
    counts = events_before(SimpleNamespace(item_days=item_days), pa.array(["b", "never", "a", "a"]))
    np.testing.assert_array_equal(counts, [5, 0, 3, 3])


@pytest.mark.parametrize("events", [1, 5, 12])
def test_a_tiny_day_has_no_row_more_than_its_events_need(events: int) -> None:
    days = make_events(days=1, users=30, per_day=120)
    rows, _, _ = advance_stretch(None, days, make_items(), make_users(30), FeaturesConfig(), WEIGHTS)
    drawn = tiny(rows, seed=0, events=events)
    held = pc.list_value_length(drawn.column("item_id")).to_numpy()
    assert held.sum() >= events > held[:-1].sum()
    assert tiny(rows, seed=0, events=events)["timestamp"].equals(drawn["timestamp"])
    assert drawn.num_rows < rows.num_rows
    assert set(np.asarray(pc.list_flatten(drawn["span"]))) == {FIRST_SPAN}


def test_ten_days_as_one_keep_their_events_and_their_order() -> None:
    days = list(make_events(days=10, users=30, per_day=40).values())
    every, one = pa.concat_tables(days), pressed(days, FIRST_SPAN)
    assert one.schema == every.schema
    assert one.drop(["timestamp"]).equals(every.drop(["timestamp"]))
    times = one["timestamp"].cast(pa.int64()).to_numpy()
    assert start_of(FIRST_SPAN) <= times.min() <= times.max() < start_of(FIRST_SPAN + 1)
    before = every["timestamp"].cast(pa.int64()).to_numpy()
    np.testing.assert_array_equal(np.argsort(times, kind="stable"), np.argsort(before, kind="stable"))


def test_only_whole_stretches_become_a_busy_day() -> None:
    assert list(stretches(range(8), length=3)) == [[0, 1, 2], [3, 4, 5]]


def test_the_grid_holds_its_cross_and_each_cell_sets_both_shares() -> None:
    assert set(cells(whole=False)) < set(cells(whole=True))
    assert len(cells(whole=True)) == 25
    one = strategy(25, 20)
    replay = one.config(LearnConfig()).replay
    assert one.day_share == 0.25
    assert replay.cap / (1 + replay.cap) == pytest.approx(0.20)


def test_a_curve_a_share_of_replay_and_a_line_for_nothing_learned() -> None:
    def point(day: float, replay: float, rows: float) -> dict[str, float]:
        return {"day_share": day, "replay_share": replay, "rows_a_day": rows, "recall": 0.2, "old": 0.1}

    points = [point(0, 0, 0), point(100, 10, 900), point(5, 10, 50), point(100, 50, 2000)]
    panels = picture(points, "shop").axes
    drawn = {line.get_label(): list(line.get_xdata()) for line in panels[0].lines}
    assert drawn["10% replay"] == [50, 900]
    assert {"nothing learned", "50% replay"} < drawn.keys()
    assert not panels[1].lines  # new: nothing was told
