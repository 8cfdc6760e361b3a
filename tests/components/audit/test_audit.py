"""A line of three versions that is true, then broken on purpose, a rule at a time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.audit.audit import Evidence, Learned, audit
from components.events.config import BehaviorWeights
from components.features.advance import advance
from components.features.config import FeaturesConfig
from components.replay.config import ReplayConfig
from components.replay.reservoir import add
from schemas.spans import held_out
from tests.factories import FIRST_SPAN, make_events, make_items, make_users

SPANS = tuple(range(FIRST_SPAN, FIRST_SPAN + 4))
SHARE = 0.2
UNLEARNED = SPANS[-1]


@pytest.fixture
def truth(tmp_path: Path) -> Evidence:
    """Three days learned by three versions, the fourth ingested only."""
    config, weights = FeaturesConfig(holdout_share=SHARE), BehaviorWeights().model_dump()
    state, buffer, line, events = None, None, [], {}
    for number, (span, day) in enumerate(make_events(len(SPANS), per_day=80).items(), start=1):
        learn, _, state = advance(state, day, span, make_items(), make_users(), config, weights)
        events[span] = tmp_path / f"events-{span}.parquet"
        pq.write_table(day, events[span])
        if span == UNLEARNED:
            break
        replay = learn.slice(0, 0) if buffer is None else buffer.slice(0, 5)
        folders = write(tmp_path / f"new-{number}", learn), write(tmp_path / f"replay-{number}", replay)
        line.append(Learned(number, *folders, SHARE))
        buffer = add(buffer, learn, ReplayConfig(capacity=30), seed=0)
    write(tmp_path / "state", buffer)
    return Evidence(
        line=line,
        buffer=tmp_path / "state" / "rows.parquet",
        spans_learned=frozenset(SPANS[:-1]),
        events=events,
        given={span: events[span] for span in SPANS[:-1]},
        ever=list(events.values()),
        behaviors=[name for name, weight in weights.items() if weight > 0],
    )


def write(folder: Path, rows: pa.Table) -> Path:
    folder.mkdir(exist_ok=True)
    pq.write_table(rows, folder / "rows.parquet")
    return folder


def read(folder: Path) -> pa.Table:
    return pq.read_table(folder / "rows.parquet")


def changed(rows: pa.Table, name: str, place: int, value: list) -> pa.Table:
    values = rows.column(name).to_pylist()
    values[place] = value
    field = rows.schema.field(name)
    return rows.set_column(rows.column_names.index(name), field, pa.array(values, field.type))


def only(evidence: Evidence) -> str:
    (sentence,) = audit(evidence).broken
    return sentence


def test_what_is_true_is_proved_and_adds_up(truth):
    found = audit(truth)
    assert found.broken == ()
    assert found.accepted == found.learned + found.held_out + found.weightless + found.not_yet_learned == 320
    assert found.not_yet_learned == 80
    assert min(found.learned, found.held_out, found.rows) > 0


def test_an_event_learned_twice_is_named_with_both_versions(truth):
    second, third = truth.line[1:]
    rows = read(second.new)
    write(third.new, pa.concat_tables([read(third.new), rows.slice(0, 1)]))
    event, user = rows["event_id"][0][0].as_py(), rows["user_id"][0][0].as_py()
    what = "was learned first by version 2 and again by version 3"
    assert only(truth) == f"event {event} of user {user} on 2024-03-05 {what}"


def test_an_event_that_was_lost_is_named(truth):
    rows = read(truth.line[2].new)
    write(truth.line[2].new, rows.slice(1))
    lost = audit(truth).broken[0]
    assert f"event {rows['event_id'][0][0]} of user" in lost
    assert "2024-03-06 was accepted and its day was learned, but no version learned it" in lost


@pytest.mark.parametrize("split", ["new", "replay"])
def test_a_held_out_row_is_found_wherever_it_was_learned(truth, split):
    rows = read(truth.line[2].new)
    aside = next(f"x{n}" for n in range(99) if held_out([f"x{n}"], SPANS[2], SHARE)[0])
    broken = changed(rows.slice(0, 1), "user_id", 0, [aside])
    folder = getattr(truth.line[2], split)
    write(folder, pa.concat_tables([read(folder), broken]))
    said = " | ".join(audit(truth).broken)
    assert (
        f"of user {aside} on 2024-03-06 is held out for ever, yet it is in the {split} rows of version 3"
        in said
    )


def test_a_replayed_row_that_was_never_new_is_found(truth):
    rows = read(truth.line[2].new)
    write(truth.line[1].replay, rows.slice(0, 1))
    assert "on 2024-03-06 is in the replay rows of version 2, but was learned by none before" in only(truth)


def test_a_row_on_an_event_that_nobody_accepted_is_found(truth):
    rows = read(truth.line[0].new)
    write(truth.line[0].new, changed(rows, "event_id", 3, [*rows["event_id"][3].as_py(), "invented"]))
    assert "event invented of user" in only(truth)
    assert "but no such event was accepted" in only(truth)


def test_a_history_from_the_row_s_own_future_is_found_against_the_events(truth):
    """The row says of itself that all is well: the events say otherwise."""
    rows = read(truth.line[2].new)
    place = next(n for n, items in enumerate(rows["history_item"].to_pylist()) if items)
    times = rows["history_times"][place].as_py()
    write(truth.line[2].new, changed(rows, "history_times", place, [times[0] + 1, *times[1:]]))
    item = rows["history_item"][place][0].as_py()
    assert f"learned by version 3, that knows item {item} from its own future" in only(truth)


def test_a_history_at_the_row_s_own_moment_is_found(truth):
    rows = read(truth.line[2].new)
    place = next(n for n, items in enumerate(rows["history_item"].to_pylist()) if items)
    last = rows["history_last"][place].as_py()
    write(truth.line[2].new, changed(rows, "history_last", place, [0.0, *last[1:]]))
    assert "from its own future" in only(truth)


def test_events_withdrawn_after_they_were_learned_are_counted_not_condemned(truth, tmp_path):
    day = pq.read_table(truth.events[SPANS[0]])
    corrected = tmp_path / "corrected.parquet"
    pq.write_table(day.slice(10), corrected)
    found = audit(replace(truth, events=truth.events | {SPANS[0]: corrected}, ever=[*truth.ever, corrected]))
    assert found.broken == ()
    assert 0 < found.withdrawn <= 10


def test_events_added_to_a_learned_day_since_are_due_as_soon_as_they_could_be_learned(truth, tmp_path):
    """A correction that came with a rejected run is ingested, and learned by the next accepted one."""
    day = pq.read_table(truth.events[SPANS[0]])
    place, field = day.column_names.index("event_id"), day.schema.field("event_id")
    fresh = day.slice(0, 9).set_column(place, field, pa.array([f"added-{n}" for n in range(9)]))
    corrected = tmp_path / "corrected.parquet"
    pq.write_table(pa.concat_tables([day, fresh]), corrected)
    since = replace(truth, events=truth.events | {SPANS[0]: corrected}, ever=[*truth.ever, corrected])
    found = audit(since)
    assert found.broken == ()
    assert found.not_yet_learned == 80 + 9
    assert found.accepted == found.learned + found.held_out + found.weightless + found.not_yet_learned == 329
    assert "event added-" in only(replace(since, given=since.given | {SPANS[0]: corrected}))
