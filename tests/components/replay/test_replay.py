"""The reservoir is a uniform sample that neither order nor repetition moves."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.features.stretch import write_splits
from components.replay import prepare
from components.replay.config import ReplayConfig
from components.replay.identity import canonical, priorities
from components.replay.reservoir import add
from components.replay.slice import draw


def rows(users: range, span: int = 1) -> pa.Table:
    values = {
        "user_id": [f"u{n}" for n in users],
        "span": [span] * len(users),
        "timestamp": [span * 100] * len(users),
    }
    types = {"user_id": pa.string(), "span": pa.int64(), "timestamp": pa.int64()}
    columns = {name: pa.array([[one] for one in values[name]], pa.list_(types[name])) for name in values}
    return pa.table({**columns, "item_id": pa.array([["i"]] * len(users), pa.list_(pa.string()))})


SLICE = ReplayConfig(share=0.1, cap=2.0)


def kept(capacity: int, **others: object) -> ReplayConfig:
    return ReplayConfig(capacity=capacity, **others)


def ids(table: pa.Table) -> set[tuple]:
    return set(
        zip(
            *(table.column(name).combine_chunks().flatten().to_pylist() for name in ("user_id", "span")),
            strict=True,
        )
    )


def test_order_and_repetition_do_not_matter() -> None:
    parts = [rows(range(40), span) for span in range(5)]
    forward = backward = None
    for part in parts:
        forward = add(forward, part, kept(30), seed=0)
    for part in [*parts[::-1], parts[2]]:
        backward = add(backward, part.take(pa.array(np.arange(40)[::-1])), kept(30), seed=0)
    assert forward.num_rows == 30
    assert forward.equals(backward)
    assert add(forward, parts[0], kept(30), seed=0).equals(forward)


def test_everything_stays_while_there_is_room() -> None:
    room = kept(100)
    both = add(add(None, rows(range(10)), room, seed=0), rows(range(10), span=2), room, seed=0)
    assert ids(both) == ids(rows(range(10))) | ids(rows(range(10), span=2))


def test_every_row_stays_with_the_same_probability() -> None:
    """Over 400 seeds, each of 50 rows is among the kept 10 about 80 times (standard deviation 8)."""
    early, late = rows(range(25)), rows(range(25), span=2)
    times: dict[tuple, int] = dict.fromkeys(ids(early) | ids(late), 0)
    for seed in range(400):
        for one in ids(add(add(None, early, kept(10), seed), late, kept(10), seed)):
            times[one] += 1
    counts = np.array(list(times.values()))
    assert counts.sum() == 4000
    assert abs(counts - 80).max() < 5 * 8
    # Chi-squared with 49 degrees of freedom, less than its 99.99 % quantile.
    assert ((counts - 80) ** 2 / (80 * 0.8)).sum() < 97


def test_priorities_differ_between_salts_and_not_between_calls() -> None:
    table = rows(range(100))
    assert np.array_equal(priorities(table, 1), priorities(table, 1))
    assert not (priorities(table, 1) == priorities(table, 2)).any()
    assert len(np.unique(priorities(table, 1))) == 100


def test_canonical_sorts_by_user_span_and_time_and_drops_repeated_rows() -> None:
    mixed = pa.concat_tables([rows(range(3), span=2), rows(range(3)), rows(range(2), span=2)])
    keys = list(
        zip(
            *(canonical(mixed).column(n).combine_chunks().flatten().to_pylist() for n in ("user_id", "span")),
            strict=True,
        )
    )
    assert keys == [("u0", 1), ("u0", 2), ("u1", 1), ("u1", 2), ("u2", 1), ("u2", 2)]
    assert canonical(mixed.slice(0, 0)).num_rows == 0


def test_a_slice_is_a_share_capped_by_the_day_and_changes_with_the_span() -> None:
    buffer = add(None, rows(range(200)), kept(1000), seed=0)
    day = rows(range(30), span=9)
    first = draw(buffer, day, SLICE, seed=0, span=9)
    assert first.num_rows == 20
    assert ids(first) <= ids(buffer)
    assert first.equals(draw(buffer, day, SLICE, seed=0, span=9))
    assert not first.equals(draw(buffer, day, SLICE, seed=0, span=10))
    assert draw(buffer, day.slice(0, 5), SLICE, seed=0, span=9).num_rows == 10
    assert draw(buffer, day.slice(0, 0), SLICE, seed=0, span=9).num_rows == 0


def test_a_larger_slice_holds_the_smaller_one() -> None:
    for recency in (None, 3.0):
        config = SLICE.model_copy(update={"recency": recency})
        more = config.model_copy(update={"share": 0.3})
        small, large = (draw(rows(range(100)), rows(range(50)), c, seed=0, span=9) for c in (config, more))
        assert (small.num_rows, large.num_rows) == (10, 30)
        assert ids(small) < ids(large)


def test_by_recency_a_row_comes_by_its_weight() -> None:
    """Of two rows, one a half-life younger, the younger is drawn 2 of 3 times: 600 spans, deviation 11.5."""
    config = ReplayConfig(share=0.5, cap=2.0, recency=5.0)
    younger = 0
    for seed in range(600):
        two = pa.concat_tables([rows(range(1), span=100), rows(range(1), span=95)])
        younger += draw(two, rows(range(1)), config, seed=seed, span=101)["span"].to_pylist() == [[100]]
    assert abs(younger - 400) < 5 * 11.5
    ancient = pa.concat_tables([rows(range(20), span=100), rows(range(20), span=-10_000)])
    late = draw(ancient, rows(range(10)), config, seed=0, span=101)
    assert {span for _, span in ids(late)} == {100}


def test_stratified_memory_is_even_over_weeks_whatever_the_order() -> None:
    """Weeks of 5, 40, 40 rows in 45 places: all of the small one, 20 of each other."""
    config = kept(45, memory="stratified")
    parts = [rows(range(5), span=7), rows(range(40), span=15), rows(range(40), span=23)]
    forward = backward = None
    for part in parts:
        forward = add(forward, part, config, seed=0)
    for part in [*parts[::-1], parts[1]]:
        backward = add(backward, part, config, seed=0)
    counts = {week: sum(span // 7 == week for _, span in ids(forward)) for week in (1, 2, 3)}
    assert counts == {1: 5, 2: 20, 3: 20}
    assert forward.equals(backward)
    thinner = add(forward, rows(range(40), span=30), config, seed=0)
    assert {one for one in ids(thinner) if one[1] < 28} < ids(forward), "what was dropped never comes back"


def test_within_a_week_every_row_stays_with_the_same_probability() -> None:
    """Over 400 seeds, each of 20 rows is among the week's 5 about 100 times (standard deviation 8.7)."""
    times = dict.fromkeys(ids(rows(range(20))), 0)
    for seed in range(400):
        memory = add(rows(range(20)), rows(range(20), span=8), kept(10, memory="stratified"), seed)
        for one in ids(memory):
            if one[1] == 1:
                times[one] += 1
    counts = np.array(list(times.values()))
    assert counts.sum() == 2000
    assert abs(counts - 100).max() < 5 * 8.7


def base_state(folder: Path, spans_learned: list[int]) -> Path:
    folder.mkdir()
    pq.write_table(rows(range(200)), folder / prepare.BUFFER_FILE)
    pq.write_table(rows(range(200, 220)), folder / prepare.HELD_OUT_FILE)
    (folder / prepare.META_FILE).write_text(json.dumps({"spans_learned": spans_learned}))
    return folder


def day(folder: Path, *spans: int, users: int = 30) -> prepare.Days:
    learned = pa.concat_tables([rows(range(users), span) for span in spans])
    held = pa.concat_tables([rows(range(users, users + 3), span) for span in spans])
    write_splits(folder, learned, held)
    return prepare.Days(folder, spans)


def test_training_rows_join_unlearned_days_and_draw_from_the_base(tmp_path: Path) -> None:
    days = [
        day(tmp_path / "stretch", 6, 7),
        day(tmp_path / "8", 8),
        day(tmp_path / "9", 9),
        day(tmp_path / "10", 10),
    ]
    config = {"seed": 3, "replay": {"share": 0.5, "cap": 1.0}}
    splits, spans = prepare.training_rows(days, base_state(tmp_path / "state", [6]), config, 9)
    assert spans == [7, 8, 9]
    assert ids(splits["new"]) == {one for span in spans for one in ids(rows(range(30), span))}
    assert splits["replay"].num_rows == 90
    assert splits["held_out"].num_rows == 9
    prepare.write(splits, tmp_path / "out")
    written = pq.ParquetFile(tmp_path / "out" / "Split-replay" / "rows.parquet").read()
    assert written.equals(splits["replay"])


def test_of_a_day_that_was_ingested_again_the_newer_rows_count(tmp_path: Path) -> None:
    days = [day(tmp_path / "old", 8, 9, users=5), day(tmp_path / "new", 9, users=7)]
    splits, spans = prepare.training_rows(days, None, {}, 9)
    assert spans == [8, 9]
    assert ids(splits["new"]) == ids(rows(range(5), 8)) | ids(rows(range(7), 9))
    assert splits["replay"].num_rows == 0


def test_nothing_to_learn_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="1970-01-09: there are no rows to learn"):
        prepare.training_rows([day(tmp_path / "8", 8)], base_state(tmp_path / "state", [8]), {}, 8)


def test_the_trainer_finds_one_file_of_hyperparameters(tmp_path: Path) -> None:
    prepare.write_hyperparameters(tmp_path / "hyper", {"span": 9})
    assert [path.name for path in (tmp_path / "hyper").iterdir()] == ["hyperparameters.txt"]
    assert json.loads((tmp_path / "hyper" / "hyperparameters.txt").read_text()) == {"span": 9}
