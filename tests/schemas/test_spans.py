import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.spans import date_of, held_out, parse_date, span_of, start_of

DAYS = st.dates(dt.date(1970, 1, 1), dt.date(2100, 1, 1))


@given(DAYS)
def test_span_and_date_are_inverse(day):
    assert date_of(span_of(day)) == day


def test_span_counts_days_since_the_epoch_as_tfx_does():
    assert span_of(dt.date(1970, 1, 2)) == 1
    assert start_of(1) == 24 * 3600 * 1_000_000


def test_a_wrong_date_names_the_text_and_the_form():
    with pytest.raises(ValueError, match="'2017-2-31' is no date: write it as YYYY-MM-DD"):
        parse_date("2017-2-31")


def test_the_held_out_share_is_about_what_was_asked():
    users = [f"u{n}" for n in range(20_000)]
    assert held_out(users, 17_000, 0.10).mean() == pytest.approx(0.10, abs=0.01)


def test_a_larger_share_only_adds_user_days():
    users = [f"u{n}" for n in range(5_000)]
    small, large = held_out(users, 17_000, 0.05), held_out(users, 17_000, 0.20)
    assert not (small & ~large).any()


def test_the_draw_depends_on_user_and_span_and_on_nothing_else():
    users = [f"u{n}" for n in range(5_000)]
    first, again, other_day = (held_out(users, span, 0.10) for span in (17_000, 17_000, 17_001))
    assert (first == again).all()
    assert (held_out(users[::-1], 17_000, 0.10)[::-1] == first).all()
    assert 0 < (first & other_day).sum() < first.sum()
