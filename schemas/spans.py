"""A span is a day: its number is days since 1970-01-01, as TFX counts `{YYYY}-{MM}-{DD}` patterns."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable

import numpy as np

_EPOCH = dt.date(1970, 1, 1)
MICROS_PER_DAY = 86_400_000_000


def span_of(day: dt.date) -> int:
    """The span number of a calendar day."""
    return (day - _EPOCH).days


def date_of(span: int) -> dt.date:
    """The calendar day of a span number."""
    return _EPOCH + dt.timedelta(days=int(span))


def parse_date(text: str) -> dt.date:
    """`YYYY-MM-DD` as a date; ValueError names the text and the form that is expected."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no date: write it as YYYY-MM-DD") from None


def start_of(span: int) -> int:
    """Microseconds since the epoch at which the span begins."""
    return int(span) * MICROS_PER_DAY


def held_out(user_ids: Iterable[str], span: int, share: float) -> np.ndarray:
    """Which user-days are put aside for ever: bool [n], a pure function of (user, span).

    The hash has no seed on purpose: no configuration can move a user-day across the line
    once its share is fixed, and a larger share only adds to the smaller one.
    """
    limit = int(share * 2**64)

    def draw(user: str) -> int:
        key = f"{span}\0{user}".encode()
        return int.from_bytes(hashlib.blake2b(key, digest_size=8).digest(), "big")

    return np.fromiter((draw(user) < limit for user in user_ids), dtype=bool)
