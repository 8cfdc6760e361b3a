"""The wall clock of a run is shared out without loss, also where nodes overlap."""

import pytest

from benchmarks.day.items import DATA, EVALUATION, ITEM_OF, REST, START, TRAINING, Ran, by_item, share_out
from pipelines.anatomy import STEPS


def test_overlapping_nodes_share_the_instant_and_everything_adds_up() -> None:
    ran = [Ran("Statistics", 2, 6), Ran("Quality", 4, 6), Ran("Trainer", 7, 9), Ran("Evaluator", 9, 10)]
    shares = share_out(ran, total=12, imports=1.5)
    assert shares[DATA, "Statistics"] == 3
    assert shares[DATA, "Quality"] == 1
    items = by_item(shares)
    assert (items[DATA], items[TRAINING], items[EVALUATION], items[START]) == (4, 2, 1, 1.5)
    assert items[REST] == pytest.approx(12 - 4 - 2 - 1 - 1.5)
    assert sum(items.values()) == pytest.approx(12)


def test_every_step_of_a_day_has_an_item() -> None:
    assert set(ITEM_OF) == {step.node for step in STEPS}
