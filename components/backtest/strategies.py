"""How a model is kept up to date, by name: a policy of when, and what differs from the settings in force."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from components.trainer.config import LearnConfig

DEFAULT, STALE, FINETUNE, FULL = "default", "stale", "finetune", "full-7"


@dataclass(frozen=True)
class Strategy:
    """A line of the backtest that learns.

    daily: learn each day on top of the day before. retrain_every: days after which the model is trained
    anew from all rows so far. Neither: it is never learned again. day_share: share of a day's rows that is
    learned, drawn by lot. overrides: fields of `LearnConfig`, nested as there.
    """

    name: str
    says: str
    daily: bool = True
    retrain_every: int | None = None
    day_share: float = 1.0
    overrides: dict[str, Any] = field(default_factory=dict)

    @property
    def learns(self) -> bool:
        return self.daily or self.retrain_every is not None

    def config(self, base: LearnConfig) -> LearnConfig:
        """The settings in force with the overrides; pydantic's error names a field that is none."""
        return LearnConfig.model_validate(_merged(base.model_dump(), self.overrides))


STRATEGIES = {
    one.name: one
    for one in (
        Strategy(DEFAULT, "the settings in force, learned day by day"),
        Strategy(STALE, "the bootstrap's weights for ever; only data state moves", daily=False),
        Strategy(FINETUNE, "day by day without replay", overrides={"replay": {"share": 0.0}}),
    )
}
"""Further names are made on the spot: see `named`."""

PATTERNS = "replay-PERCENT, full-DAYS, NAME:field=value+section.field=value"


def named(text: str) -> Strategy:
    """A strategy by name.

    `replay-P`: P% of the rows of a day's learning are replayed ones. `full-N`: trained anew every N days,
    left alone between. `NAME:learn.field=value+…`: day by day with other settings (`later_rate=0.2`,
    `replay.share=0.3`). ValueError names what there is.
    """
    if text in STRATEGIES:
        return STRATEGIES[text]
    if found := re.fullmatch(r"replay-(\d{1,2})", text):
        percent = int(found[1])
        cap = percent / (100 - percent)
        says = f"day by day, {percent}% of what is learned is replayed"
        return Strategy(text, says, overrides={"replay": {"share": 1.0, "cap": cap}})
    if (found := re.fullmatch(r"full-(\d{1,3})", text)) and int(found[1]):
        every = int(found[1])
        return Strategy(
            text, f"trained anew from all rows every {every} days", daily=False, retrain_every=every
        )
    if found := re.fullmatch(r"([\w.-]+):(.+)", text):
        return Strategy(found[1], f"day by day with {found[2]}", overrides=_overrides(found[2]))
    raise ValueError(f"{text!r} is no strategy: choose of {', '.join(STRATEGIES)}, {PATTERNS}")


def _overrides(text: str) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for part in text.split("+"):
        path, equals, value = part.partition("=")
        if not equals:
            raise ValueError(f"{part!r} sets nothing: write field=value")
        *sections, name = path.split(".")
        place = nested
        for section in sections:
            place = place.setdefault(section, {})
        place[name] = yaml.safe_load(value)
    return nested


def _merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for name, value in changes.items():
        nested = isinstance(value, dict) and isinstance(base.get(name), dict)
        merged[name] = _merged(base[name], value) if nested else value
    return merged
