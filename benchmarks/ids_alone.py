"""Walk forward through made-up logs that hold ids alone: python -m benchmarks.ids_alone [--quick | --full]

Tastes of few dimensions, no table of items or users, a week asked: `films`, of which nobody takes one
twice, `music`, two thirds repeats and moving tastes, a `market` place, and a young `shop` of which a
single week is known. Collaborative filtering is at home there. `labels` and `young-labels` are other films
and another young shop whose items have a price and one of ten categories, all drawn at random: a table that
tells nothing of who takes what. How such items begin was chosen on logs of these kinds with other seeds
(decisions 0018, 0019). `--full` walks all, `--quick` the films and the shop.
"""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks import arena
from components.events.read import available_spans
from components.importer.days import write_table
from components.importer.log import import_events
from components.importer.mapping import ColumnMapping
from components.importer.tables import import_items
from pipelines import environment
from schemas.home import Home
from schemas.spans import span_of

NAME = "ids_alone"
FIRST_DAY = dt.datetime(2024, 1, 1, tzinfo=dt.timezone.utc)
DAY, MORNING, NIGHT, APART = 86_400, 8 * 3600, 20 * 3600, 30
"""Seconds: of a day, when people come, and between two of their takes."""
STRATEGIES = "default,stale,finetune"


@dataclass(frozen=True)
class World:
    """People with tastes among items of a popularity that falls as 1 / rank."""

    seed: int
    users: int
    items: int
    dimensions: int
    days: int
    learned: int
    """Days that are learned first; those of ASKED follow."""
    active: float
    """Mean chance that somebody comes on a day."""
    takes: float
    """Mean number of takes of who comes."""
    repeats: float
    """Chance that one of them is of what was taken before, the more often the likelier."""
    focus: float
    """How much tastes decide."""
    drift: float = 0.0
    """How much of a taste is new each day."""
    once: bool = False
    """Whether nobody takes an item twice."""
    labels: int = 0
    """Categories of an item table that tells nothing; none: there is no table."""


WORLDS: dict[str, World] = {
    "films": World(11, 2500, 1500, 6, 90, 82, active=0.06, takes=3, repeats=0, focus=4.0, once=True),
    "music": World(12, 1200, 3000, 8, 60, 52, active=0.3, takes=6, repeats=0.65, focus=4.0, drift=0.05),
    "market": World(13, 3000, 1000, 5, 60, 52, active=0.15, takes=2.5, repeats=0.3, focus=3.5, drift=0.03),
    "shop": World(14, 800, 500, 5, 14, 7, active=0.25, takes=3, repeats=0.45, focus=3.5),
}
WORLDS["labels"] = replace(WORLDS["films"], seed=15, labels=10)
WORLDS["young-labels"] = replace(WORLDS["shop"], seed=16, labels=10)
ASKED = {"films": 7, "music": 7, "market": 7, "shop": 5, "labels": 7, "young-labels": 5}
"""Days that are scored."""
QUICK = ("films", "shop")


def takes(world: World) -> Iterator[tuple[int, int, int]]:
    """(user, item, second since the first midnight), day after day; the same world gives the same takes."""
    rng = np.random.default_rng(world.seed)
    of_items = rng.normal(size=(world.items, world.dimensions)) / np.sqrt(world.dimensions)
    popularity = -np.log(np.arange(1, world.items + 1))
    rng.shuffle(popularity)
    tastes = rng.normal(size=(world.users, world.dimensions))
    comes = rng.beta(1.2, 1.2 / world.active - 1.2, size=world.users)
    had: list[dict[int, int]] = [{} for _ in range(world.users)]
    for day in range(world.days):
        new = rng.normal(size=tastes.shape)
        tastes = np.sqrt(1 - world.drift**2) * tastes + world.drift * new
        for user in np.flatnonzero(rng.random(world.users) < comes):
            basket = _basket(world, world.focus * (of_items @ tastes[user]) + popularity, had[user], rng)
            came = day * DAY + int(rng.integers(MORNING, NIGHT))
            for place, item in enumerate(basket):
                yield int(user), item, came + APART * place
            for item in basket:
                had[user][item] = had[user].get(item, 0) + 1


def _basket(world: World, wish: np.ndarray, had: dict[int, int], rng: np.random.Generator) -> list[int]:
    """What somebody takes: draws by exp(wish) without replacement (Gumbel), or what was taken before."""
    wish = wish + rng.gumbel(size=len(wish))
    if world.once:
        wish[list(had)] = -np.inf
    count = 1 + rng.poisson(world.takes - 1)
    basket = [int(item) for item in np.argpartition(-wish, count)[:count]]
    if not had or world.once:
        return basket
    items, times = list(had), np.array(list(had.values()), float)
    again = rng.random(count) < world.repeats
    drawn = rng.choice(len(items), size=count, p=times / times.sum())
    return [items[old] if repeat else item for item, repeat, old in zip(basket, again, drawn, strict=True)]


def bring(world: World, home: Home) -> None:
    """Writes the world's takes into `home`, as `everlearn import csv` would."""
    user, item, second = (np.array(column) for column in zip(*takes(world), strict=True))
    log = pa.table(
        {
            "user_id": pa.array([f"u{one}" for one in user]),
            "item_id": pa.array([f"i{one}" for one in item]),
            "timestamp": pa.array(second + int(FIRST_DAY.timestamp())),
        }
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.parquet"
        write_table(path, log)
        import_events(path, ColumnMapping("user_id", "item_id", "timestamp", as_behavior="purchase"), home)
        if world.labels:
            write_table(path, item_labels(world))
            import_items(path, home)


def item_labels(world: World) -> pa.Table:
    """item_id, category, price: drawn without a look at the takes."""
    rng = np.random.default_rng([world.seed, 1])
    category = [f"c{one}" for one in rng.integers(world.labels, size=world.items)]
    prices = rng.lognormal(2.0, 0.7, world.items).round(2)
    return pa.table({"item_id": [f"i{n}" for n in range(world.items)], "category": category, "price": prices})


def main() -> None:
    environment.prepare()
    asked = arena.parser(NAME, __doc__ or "").parse_args()
    root, work, out = asked.home.absolute(), asked.work, asked.out or arena.RESULTS / NAME / asked.size
    for name, world in WORLDS.items():
        if asked.size == "quick" and name not in QUICK:
            continue
        home = Home(root / name)
        if not available_spans(home.events):
            bring(world, home)
        asked.work, asked.out = work and work / name, out / name
        start = span_of(FIRST_DAY.date()) + world.learned
        window = {"start": start, "bootstrap_days": world.learned, "days": ASKED[name]}
        arena.run(NAME, home, asked, arena.Size(window, STRATEGIES), "")


if __name__ == "__main__":
    main()
