import datetime as dt

import numpy as np

from components.evaluator.tasks import age_of, split, week_of
from schemas.spans import span_of

DAY = span_of(dt.date(2017, 6, 30))


def test_new_is_what_is_learned_and_the_trailing_week():
    spans = DAY - np.array([0, 6, 7, 40, 41])
    tasks = split(spans, DAY, {DAY, DAY - 40}, trailing_days=7)
    assert tasks.new.tolist() == [True, True, False, True, False]
    assert tasks.own.tolist() == [True, False, False, True, False]
    assert tasks.old.tolist() == [False, False, True, False, True]


def test_weeks_are_iso_weeks():
    assert week_of(span_of(dt.date(2017, 1, 1))) == "2016-W52"
    assert week_of(span_of(dt.date(2017, 1, 2))) == "2017-W01"


def test_ages():
    assert age_of(DAY - np.array([0, 6, 7, 27, 28, 90, 91]), DAY).tolist() == [
        "1-7 days", "1-7 days", "8-28 days", "8-28 days", "29-91 days", "29-91 days", "older",
    ]  # fmt: skip
