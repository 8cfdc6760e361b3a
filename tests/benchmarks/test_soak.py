"""What a soak delivers: every disorder, nothing before its day, and what its name says."""

import pytest

from benchmarks.soak.disorder import (
    CORRECTED,
    DISORDERS,
    EMPTY,
    LATE,
    MISSING,
    TENFOLD,
    TIDY,
    TINY,
    TWICE,
    Delivery,
    content,
    deliveries,
)
from schemas.events import EVENTS
from schemas.spans import MICROS_PER_DAY, start_of
from tests.factories import FIRST_SPAN, make_events

DAYS = range(FIRST_SPAN, FIRST_SPAN + 20)
EVENTS_OF_A_DAY = make_events(1)[FIRST_SPAN]


@pytest.mark.parametrize("seed", range(5))
def test_every_disorder_comes_and_nothing_before_its_day(seed):
    plan = deliveries(DAYS, seed)
    assert plan == deliveries(DAYS, seed)
    assert plan == sorted(plan, key=lambda one: one.on)
    assert {one.kind for one in plan} == {*DISORDERS, TIDY} - {MISSING}
    first = [one.day for one in plan if not one.again]
    assert len(first) == len(set(first)) < len(DAYS)
    assert all(one.day <= one.on <= DAYS[-1] for one in plan)
    assert all(
        (one.on > one.day) == (one.kind == LATE) for one in plan if not one.again and one.day < DAYS[-1]
    )
    assert {one.kind for one in plan if one.again} == {TWICE, CORRECTED}


@pytest.mark.parametrize(
    ("kind", "again", "rows"),
    [(TIDY, False, 60), (LATE, False, 60), (TWICE, True, 60), (CORRECTED, False, 60), (CORRECTED, True, 57),
     (TINY, False, 5), (EMPTY, False, 0), (TENFOLD, False, 600)],
)  # fmt: skip
def test_a_delivery_holds_events_of_its_day_each_under_its_own_id(kind, again, rows):
    held = content(Delivery(FIRST_SPAN, FIRST_SPAN, kind, again), EVENTS_OF_A_DAY, seed=1)
    assert held.schema.equals(EVENTS)
    assert held.num_rows == rows == len(set(held["event_id"].to_pylist()))
    begin = start_of(FIRST_SPAN)
    assert all(begin <= at < begin + MICROS_PER_DAY for at in held["timestamp"].cast("int64").to_pylist())


def test_a_correction_withdraws_and_adds():
    day, ids = EVENTS_OF_A_DAY, set(EVENTS_OF_A_DAY["event_id"].to_pylist())
    after = content(Delivery(FIRST_SPAN + 1, FIRST_SPAN, CORRECTED, again=True), day, seed=1)
    now = set(after["event_id"].to_pylist())
    assert (len(ids - now), len(now - ids)) == (6, 3)
