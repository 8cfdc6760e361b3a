"""Which columns the model reads, as they were when its first base was learned."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa

_USER_OWN = ("user_id", "name", "first_span")
_ITEM_OWN = ("item_id", "name", "available_from", "first_span", "price_before")


@dataclass(frozen=True)
class FeatureSpec:
    """Feature columns of the user table and of the catalogue, by kind.

    A column that is missing later reads as missing values; one that appears later is not read.
    """

    user_categories: tuple[str, ...]
    user_numbers: tuple[str, ...]
    item_categories: tuple[str, ...]
    item_numbers: tuple[str, ...]

    @classmethod
    def detect(cls, users: pa.Table, catalogue: pa.Table) -> FeatureSpec:
        """Text columns are categories, number columns are quantities; `price` is one of these."""
        return cls(
            user_categories=_columns(users, _USER_OWN, text=True),
            user_numbers=_columns(users, _USER_OWN, text=False),
            item_categories=_columns(catalogue, _ITEM_OWN, text=True),
            item_numbers=_columns(catalogue, _ITEM_OWN, text=False),
        )

    @property
    def vocabularies(self) -> tuple[str, ...]:
        """Names of the vocabularies that the model has: ids, then categories."""
        return (
            "user", "item", *(f"user:{name}" for name in self.user_categories),
            *(f"item:{name}" for name in self.item_categories),
        )  # fmt: skip

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> FeatureSpec:
        return cls(**{name: tuple(value) for name, value in fields.items()})


def _columns(table: pa.Table, own: tuple[str, ...], *, text: bool) -> tuple[str, ...]:
    names = (field.name for field in table.schema if (pa.types.is_string(field.type)) == text)
    return tuple(sorted(name for name in names if name not in own))
