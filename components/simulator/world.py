"""Who there is, what there is, and how likely somebody clicks on something on some day."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from components.simulator.config import SimulatorConfig

REGIONS = ("north", "east", "south", "west")
OUT_OF_SEASON = -6.0
"""Added to the logits of the seasonal category outside of its season."""
_PEOPLE, _GOODS, _TASTES, _PRICES = 1, 2, 3, 4  # streams of random numbers


@dataclass(frozen=True)
class Items:
    first_day: np.ndarray  # int64 [n], ascending; 0 = there from the start
    category: np.ndarray  # int64 [n]
    vector: np.ndarray  # float64 [n, dimensions]
    appeal: np.ndarray  # float64 [n]
    price: np.ndarray  # float64 [n], before discounts


@dataclass(frozen=True)
class Users:
    first_day: np.ndarray  # int64 [n], ascending
    region: np.ndarray  # int64 [n]
    age: np.ndarray  # int64 [n]
    activity: np.ndarray  # float64 [n], > 0
    taste: np.ndarray  # float64 [n, dimensions], on the first day


class World:
    """Everything that the seed decides before the first event; the tastes of later days follow one by one.

    People and items that come later are drawn last, so that more days change nothing of the earlier ones.
    """

    def __init__(self, config: SimulatorConfig):
        self.config = config
        self.items = self._make_items()
        self.users = self._make_users()

    def _make_items(self) -> Items:
        config = self.config
        first_day = _arrivals(config.items, config.new_items, config.days)
        centres = np.random.default_rng([config.seed, _GOODS]).normal(
            size=(config.categories, config.dimensions)
        )
        drawn = [np.random.default_rng([config.seed, _GOODS, n]) for n in range(len(first_day))]
        category = np.array([rng.integers(0, config.categories) for rng in drawn])
        noise = np.array([rng.normal(size=config.dimensions) for rng in drawn])
        return Items(
            first_day=first_day,
            category=category,
            vector=_unit(centres[category] + 0.6 * noise),
            appeal=np.array([rng.normal(0, 0.7) for rng in drawn]),
            price=np.array([rng.lognormal(3, 0.8) for rng in drawn]).round(2),
        )

    def _make_users(self) -> Users:
        config = self.config
        first_day = _arrivals(config.users, config.new_users, config.days)
        regions = np.random.default_rng([config.seed, _PEOPLE]).normal(size=(len(REGIONS), config.dimensions))
        drawn = [np.random.default_rng([config.seed, _PEOPLE, n]) for n in range(len(first_day))]
        region = np.array([rng.integers(0, len(REGIONS)) for rng in drawn])
        noise = np.array([rng.normal(size=config.dimensions) for rng in drawn])
        return Users(
            first_day=first_day,
            region=region,
            age=np.array([rng.integers(18, 80) for rng in drawn]),
            activity=np.array([rng.lognormal(0, 0.8) for rng in drawn]),
            taste=_unit(0.7 * regions[region] + noise),
        )

    def moved(self, taste: np.ndarray, day: int) -> np.ndarray:
        """The tastes [users, dimensions] of `day` from those of the day before."""
        step = np.random.default_rng([self.config.seed, _TASTES, day]).normal(size=taste.shape)
        return _unit((1 - self.config.drift) * taste + self.config.drift * _unit(step))

    def in_season(self, day: int) -> bool:
        """Whether the first category is wanted on that day."""
        return day % self.config.season_every < self.config.season_days

    def probabilities(self, taste: np.ndarray, day: int) -> np.ndarray:
        """float64 [users, items there by then]: where one click of such a taste falls; rows sum to 1."""
        here = int(np.searchsorted(self.items.first_day, day, side="right"))
        logits = 2 * self.config.focus * taste @ self.items.vector[:here].T + self.items.appeal[:here]
        if not self.in_season(day):
            logits[:, self.items.category[:here] == 0] += OUT_OF_SEASON
        if self.config.fade:
            logits -= (day - self.items.first_day[:here]) / self.config.fade
        weights = np.exp(logits - logits.max(axis=1, keepdims=True))
        return weights / weights.sum(axis=1, keepdims=True)

    def prices(self, day: int) -> np.ndarray:
        """float64 [items]: what they cost on that day; one in ten is a fifth cheaper for a week."""
        rng = np.random.default_rng([self.config.seed, _PRICES, day // 7])
        cheaper = rng.random(len(self.items.price)) < 0.1
        return np.where(cheaper, 0.8 * self.items.price, self.items.price).round(2)

    def item_table(self) -> pa.Table:
        """item_id, name, category, price, available_from."""
        items = self.items
        return pa.table(
            {
                "item_id": item_ids(len(items.category)),
                "name": [f"Item {n} of category {of}" for n, of in enumerate(items.category)],
                "category": [f"category {n}" for n in items.category],
                "price": items.price,
                "available_from": [
                    self.config.start + dt.timedelta(days=int(day)) for day in items.first_day
                ],
            }
        )

    def user_table(self) -> pa.Table:
        """user_id, region, age."""
        return pa.table(
            {
                "user_id": user_ids(len(self.users.region)),
                "region": [REGIONS[n] for n in self.users.region],
                "age": self.users.age,
            }
        )


def item_ids(items: int) -> list[str]:
    return [f"i{n:06d}" for n in range(items)]


def user_ids(users: int) -> list[str]:
    return [f"u{n:06d}" for n in range(users)]


def _arrivals(at_first: int, share: float, days: int) -> np.ndarray:
    """int64: the day on which each comes; `share` of `at_first` on each day after the first."""
    a_day = round(at_first * share)
    return np.concatenate([np.zeros(at_first, np.int64), np.repeat(np.arange(1, days), a_day)])


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
