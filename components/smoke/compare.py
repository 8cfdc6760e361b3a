"""Whether a server's answer is the trainer's: equal scores, equal items where no scores tie."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

TOLERANCE = 1e-5
"""Of scores, relative to max(1, |expected|)."""


def difference(got: dict[str, Any], expected: dict[str, Any]) -> str:
    """What differs first, or "" if nothing does.

    Columns `score` (float, [B] or [B, K]) and, aligned, `item_id` (string [B, K]). Items whose expected
    scores tie may come in any order; at the end of a list, where what ties with the last may have been
    cut off, any items of that score.
    """
    if got.keys() != expected.keys():
        return f"the answer has {sorted(got)} instead of {sorted(expected)}"
    for name in expected:
        if len(got[name]) != len(expected[name]):
            return f"{name} has {len(got[name])} rows instead of {len(expected[name])}"
    for row, wanted in enumerate(expected["score"]):
        where = f"row {row}"
        scores, wanted = _as_list(got["score"][row]), _as_list(wanted)
        if wrong := _scores(scores, wanted):
            return f"{where}: {wrong}"
        if "item_id" in expected and (wrong := _items(got["item_id"][row], expected["item_id"][row], wanted)):
            return f"{where}: {wrong}"
    return ""


def close(a: float, b: float) -> bool:
    """Equal within the tolerance; infinities equal themselves, NaN nothing."""
    return a == b or abs(a - b) <= TOLERANCE * max(1.0, abs(b)) < math.inf


def _as_list(value: float | list[float]) -> list[float]:
    return value if isinstance(value, list) else [value]


def _scores(got: list[float], wanted: list[float]) -> str:
    if len(got) != len(wanted):
        return f"{len(got)} scores instead of {len(wanted)}"
    for place, (a, b) in enumerate(zip(got, wanted, strict=True)):
        if not close(a, b):
            return f"score {a} at place {place} instead of {b}"
    return ""


def _items(got: list[str], wanted: list[str], scores: list[float]) -> str:
    if len(got) != len(wanted):
        return f"{len(got)} items instead of {len(wanted)}"
    if len(set(got)) != len(got):
        return "an item comes twice"
    for start, stop in _ties(scores):
        if stop < len(wanted) and set(got[start:stop]) != set(wanted[start:stop]):
            return f"items {got[start:stop]} at place {start} instead of {wanted[start:stop]}"
    return ""


def _ties(scores: list[float]) -> Iterator[tuple[int, int]]:
    """Stretches [start, stop) of places whose scores tie, one after the other."""
    start = 0
    for place in range(1, len(scores) + 1):
        if place == len(scores) or not close(scores[place], scores[place - 1]):
            yield start, place
            start = place
