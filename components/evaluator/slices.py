"""Named parts of the relevant items, so that a loss that the mean hides is seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.evaluator.config import EvaluatorConfig
from components.evaluator.tasks import AGES, OLDER, age_of
from components.features.rows import scalar
from components.metrics import owners
from schemas.rows import ITEM_PREFIX, USER_PREFIX, features_of

USUAL = (f"{ITEM_PREFIX}department", f"{ITEM_PREFIX}category")
"""What shops usually look at; sliced by the first that is there, unless configured."""
SILENT = "silent"


def _texts(rows: pa.Table, prefix: str) -> list[str]:
    """Names of the text features with that prefix."""
    found = features_of(rows.column_names, prefix)
    return [name for name in found if pa.types.is_string(rows.schema.field(name).type.value_type)]


def _by_feature(rows: pa.Table, config: EvaluatorConfig) -> Iterator[tuple[str, np.ndarray]]:
    text = {name: pc.list_flatten(rows[name]) for name in _texts(rows, ITEM_PREFIX)}
    if config.slice_by is not None:
        name = ITEM_PREFIX + config.slice_by
        if name not in text:
            known = ", ".join(sorted(one.removeprefix(ITEM_PREFIX) for one in text)) or "none"
            raise ValueError(
                f"evaluator.slice_by = {config.slice_by!r} is no text feature of the items ({known})"
            )
    else:
        sizes = {name: pc.count_distinct(values).as_py() for name, values in text.items()}
        telling = {name: size for name, size in sizes.items() if size > 1}
        if not telling:
            return
        usual = [one for one in USUAL if one in telling]
        name = usual[0] if usual else min(telling, key=lambda one: (telling[one], one))
    values = np.array(text[name].to_pylist(), dtype=str)
    names, counts = np.unique(values, return_counts=True)
    for index in np.argsort(-counts, kind="stable")[: config.max_slices]:
        label = names[index] or "(missing)"
        yield f"{name.removeprefix(ITEM_PREFIX)}/{label}", values == names[index]


def protected(rows: pa.Table, config: EvaluatorConfig) -> Iterator[tuple[str, np.ndarray]]:
    """(name, bool [relevant items of all rows, flat]) of each slice that is configured as protected.

    `item_COLUMN/VALUE`, `user_COLUMN/VALUE`: items or users with that value of a text feature ("" for
    missing); `silent/DAYS`: items that the user takes again after so many days or more without. ValueError
    for a column that the rows do not have as text.
    """
    row = owners(rows)
    for name in config.protected:
        column, _, value = name.partition("/")
        if column == SILENT:
            yield name, np.asarray(pc.list_flatten(rows["days_since"])) >= float(value)
        elif column in _texts(rows, ITEM_PREFIX):
            yield name, np.asarray(pc.equal(pc.list_flatten(rows[column]), value))
        elif column in _texts(rows, USER_PREFIX):
            of_user = pc.fill_null(scalar(rows, column), "")
            yield name, np.asarray(pc.equal(of_user, value))[row]
        else:
            known = ", ".join([*_texts(rows, ITEM_PREFIX), *_texts(rows, USER_PREFIX)]) or "none"
            raise ValueError(f"evaluator.protected = {name!r}: {column!r} is no text feature ({known})")


def slices(
    rows: pa.Table, span: int, item_first_span: Mapping[str, int], config: EvaluatorConfig
) -> Iterator[tuple[str, np.ndarray]]:
    """(name, bool [relevant items of all rows, flat]) of each slice; slices may overlap; none is empty.

    item_first_span: the first day of each item; without an entry an item counts as known.
    """
    row = owners(rows)
    days = scalar(rows, "span")
    items = pc.list_flatten(rows["item_id"]).to_pylist()
    first = np.array([item_first_span.get(item, -(10**6)) for item in items], dtype=np.int64)
    new_item = days[row] - first < config.new_item_days
    known_user = (pc.list_value_length(rows["history_item"]).to_numpy() > 0)[row]
    taken_before = pc.list_flatten(rows["times_before"]).to_numpy() > 0
    age = age_of(days, span)[row]
    named = [(f"age/{name}", age == name) for name in (*(name for _, name in AGES), OLDER)]
    named += [
        ("user/known", known_user),
        ("user/new", ~known_user),
        ("item/known", ~new_item),
        ("item/new", new_item),
    ]
    named += [("item/taken before", taken_before), ("item/never taken", ~taken_before)]
    named += _by_feature(rows, config)
    yield from ((name, chosen) for name, chosen in named if chosen.any())
