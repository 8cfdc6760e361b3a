"""Which columns the model reads, as they were when its first base was learned."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

_USER_OWN = ("user_id", "name", "first_span")
_ITEM_OWN = (
    "item_id", "name", "available_from", "available_until", "first_span", "announced", "price_before",
)  # fmt: skip

_FEW, _RECURRING = 50, 0.5
"""A text column is a category with at most so many values, or so many values a present row."""


@dataclass(frozen=True)
class FeatureSpec:
    """Feature columns of the user table and of the catalogue, by kind.

    A column that is missing later reads as missing values; one that appears later is not read.
    """

    user_categories: tuple[str, ...]
    user_numbers: tuple[str, ...]
    item_categories: tuple[str, ...]
    item_numbers: tuple[str, ...]
    labels_tell: bool = True
    """Whether the item categories said who takes an item, as far as the first base's rows knew."""

    @classmethod
    def detect(cls, users: pa.Table, catalogue: pa.Table) -> FeatureSpec:
        """Text columns whose values recur are categories; number columns, `price` too, are quantities."""
        return cls(
            user_categories=_categories(users, _USER_OWN),
            user_numbers=_columns(users, _USER_OWN, text=False),
            item_categories=_categories(catalogue, _ITEM_OWN),
            item_numbers=_columns(catalogue, _ITEM_OWN, text=False),
        )

    @property
    def vocabularies(self) -> tuple[str, ...]:
        """Names of the vocabularies that the model has: ids, then categories."""
        return (
            "user", "item", *(f"user:{name}" for name in self.user_categories),
            *(f"item:{name}" for name in self.item_categories),
        )  # fmt: skip

    @property
    def ids_alone(self) -> bool:
        """Whether nothing but its id tells who takes an item."""
        return not (self.item_categories and self.labels_tell)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> FeatureSpec:
        """Specs of earlier versions lack `labels_tell`."""
        columns = {name: tuple(value) for name, value in fields.items() if name != "labels_tell"}
        return cls(**columns, labels_tell=fields.get("labels_tell", True))


def _categories(table: pa.Table, own: tuple[str, ...]) -> tuple[str, ...]:
    """Text columns that group rows; titles and codes that name a single row tell nothing of another."""

    def groups(name: str) -> bool:
        values = table.column(name)
        present = len(values) - values.null_count
        return present > 0 and pc.count_distinct(values).as_py() <= max(_FEW, _RECURRING * present)

    return tuple(name for name in _columns(table, own, text=True) if groups(name))


def _columns(table: pa.Table, own: tuple[str, ...], *, text: bool) -> tuple[str, ...]:
    names = (field.name for field in table.schema if (pa.types.is_string(field.type)) == text)
    return tuple(sorted(name for name in names if name not in own))
