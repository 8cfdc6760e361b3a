"""Statistics of a hand-made split; `features/test_component.py` holds them against StatisticsGen's."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.statistics import compute

ROWS = pa.table(
    {
        "user_id": pa.array([["a"], ["b"], ["a"]], pa.list_(pa.string())),
        "item_id": pa.array([["x", "y"], [], ["x"]], pa.list_(pa.string())),
        "days_since": pa.array([[1.0, float("nan")], [], [4.0]], pa.list_(pa.float32())),
    }
)


@pytest.fixture(params=[1, 2, 4096])
def of_rows(request, tmp_path, monkeypatch):
    """Of the three rows, in batches of so many."""
    monkeypatch.setattr(compute, "BATCH_ROWS", request.param)
    pq.write_table(ROWS, tmp_path / "rows.parquet")
    return compute.statistics_of(tmp_path / "rows.parquet").datasets[0]


def test_every_batch_counts_once(of_rows):
    features = {one.path.step[0]: one for one in of_rows.features}
    assert of_rows.num_examples == 3
    assert {one.value: one.frequency for one in features["user_id"].string_stats.top_values} == {
        "a": 2,
        "b": 1,
    }
    items = features["item_id"].string_stats
    assert (items.unique, items.rank_histogram.buckets[0].sample_count) == (2, 2)
    assert (items.common_stats.tot_num_values, items.common_stats.max_num_values) == (3, 2)
    numbers = features["days_since"].num_stats
    assert (numbers.min, numbers.max, numbers.mean) == (1.0, 4.0, 2.5)
    assert numbers.histograms[0].num_nan == 1


def test_no_rows_are_statistics_of_nothing(tmp_path):
    pq.write_table(ROWS.slice(0, 0), tmp_path / "rows.parquet")
    assert compute.statistics_of(tmp_path / "rows.parquet").datasets[0].num_examples == 0
