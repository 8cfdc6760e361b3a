"""The accuracy matrix of the days so far, by hand."""

import numpy as np
import pytest

from components.record.over_days import Past, accuracy, transfer


def past(date: str, **weeks: float) -> Past:
    logged = {f"week/2017-{week}/recall_at_20": value for week, value in weeks.items()}
    return Past(date, True, {**logged, "old/recall_at_20": 0.9})


DAYS = [
    past("2017-06-20", W24=0.5),
    past("2017-06-27", W24=0.3, W25=0.2),
    past("2017-06-28", W24=0.4, W25=0.3),
]


def test_a_row_a_day_and_a_column_a_week():
    matrix, weeks = accuracy(DAYS)
    assert weeks == ["2017-W24", "2017-W25"]
    np.testing.assert_array_equal(matrix, [[0.5, np.nan], [0.3, 0.2], [0.4, 0.3]])


def test_backward_transfer_is_the_change_since_a_week_was_first_measured():
    found = transfer(accuracy(DAYS)[0])
    assert found["average_accuracy"] == pytest.approx((0.4 + 0.3) / 2)
    assert found["backward_transfer"] == pytest.approx(((0.4 - 0.5) + (0.3 - 0.2)) / 2)


def test_a_week_that_is_measured_for_the_first_time_has_no_transfer():
    found = transfer(accuracy(DAYS[:2])[0])
    assert found["backward_transfer"] == pytest.approx(0.3 - 0.5)
    assert transfer(accuracy(DAYS[:1])[0]) == {"average_accuracy": 0.5}


def test_without_an_old_task_there_is_nothing_to_say():
    assert transfer(accuracy([past("2017-06-20"), past("2017-06-21")])[0]) == {}
    assert transfer(accuracy([past("2017-06-20", W24=0.5), past("2017-06-21")])[0]) == {}
