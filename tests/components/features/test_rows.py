"""Reading and joining row tables; item and user tables as features."""

from __future__ import annotations

import datetime as dt
import itertools

import numpy as np
import pyarrow as pa
import pytest

from components.features import rows
from components.features.tables import item_table, user_table

LAYOUT = rows.schema({"age": pa.float32()}, {"brand": pa.string(), "price": pa.float32()})


def table(ages, brands):
    """Rows of these user ages (lists) and item brands (lists), other columns empty."""
    lists = {"user_age": ages, "item_brand": brands, "item_id": brands}
    columns = [pa.array(lists.get(field.name, [[]] * len(ages)), field.type) for field in LAYOUT]
    return pa.Table.from_arrays(columns, schema=LAYOUT)


def test_scalar_fills_missing_values():
    found = table([[30.0], [], [50.0]], [["a"], ["b", "c"], []])
    np.testing.assert_array_equal(rows.scalar(found, "user_age"), [30.0, np.nan, 50.0])
    assert rows.scalar(found, "user_id").to_pylist() == [None] * 3


@pytest.mark.parametrize("start", [0, 1])
def test_offsets_and_flat_entries_belong_together_in_slices(start):
    found = table([[30.0], [], [50.0]], [["a"], ["b", "c"], []]).slice(start)
    bounds, entries = rows.offsets(found, "item_brand"), rows.flat(found, "item_brand").to_pylist()
    read = [entries[a:b] for a, b in itertools.pairwise(bounds)]
    assert read == found["item_brand"].to_pylist()


def test_concat_fills_features_that_a_table_lacks():
    full = table([[30.0]], [["a", "b"]])
    bare = full.drop(["user_age", "item_brand", "item_price"])
    joined = rows.concat([full, bare, rows.empty_rows()])
    assert joined["user_age"].to_pylist() == [[30.0], []]
    assert joined["item_brand"].to_pylist() == [["a", "b"], ["", ""]]
    assert np.isnan(rows.flat(joined, "item_price")).tolist() == [True, True]
    assert joined["item_price"].to_pylist()[0] == []


def test_concat_refuses_a_feature_of_two_types():
    other = rows.schema({"age": pa.string()}, {}).empty_table()
    with pytest.raises(ValueError, match="'user_age' is list<item: string> in some rows"):
        rows.concat([table([], []), other])


def test_feature_types_follow_the_tables_own():
    typed = item_table(
        pa.table(
            {
                "item_id": [7, 8],
                "name": ["seven", "eight"],
                "sold": [True, None],
                "size": pa.array(["L", "M"]).dictionary_encode(),
                "stock": [3, 4],
                "ratio": [float("inf"), 0.5],
                "since": [dt.date(1970, 1, 3), None],
            }
        )
    )
    assert typed["item_id"].to_pylist() == ["7", "8"]
    assert typed["sold"].to_pylist() == ["true", None]
    assert typed["size"].to_pylist() == ["L", "M"]
    assert typed["ratio"].to_pylist() == [None, 0.5]
    assert typed["since"].to_pylist() == [2.0, None]
    assert typed.schema.field("stock").type == pa.float32()


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"sku": ["a"]}, "has no column item_id"),
        ({"item_id": ["a", "b", "a"]}, "item_id 'a' more than once"),
        ({"item_id": ["a"], "genres": [["x"]]}, "column 'genres' of the item table is of type list"),
        ({"item_id": ["a"], "trend_7": [1.0]}, "'trend_7' of the item table has a name of Everlearn's own"),
        ({"item_id": ["a"], "first_span": [1]}, "'first_span'"),
        ({"item_id": ["a"], "available_from": ["soon"]}, "'available_from' of the item table holds no dates"),
    ],
)
def test_item_tables_that_cannot_be_used_are_told_in_a_sentence(columns, words):
    with pytest.raises(ValueError, match=words):
        item_table(pa.table(columns))


def test_a_user_table_may_not_take_the_ids_name():
    with pytest.raises(ValueError, match="'id' of the user table"):
        user_table(pa.table({"user_id": ["a"], "id": [1]}))
