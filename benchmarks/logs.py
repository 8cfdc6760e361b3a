"""Logs that a benchmark can walk through without being given one: the simulated shop, Complete Journey."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

from components.events.read import available_spans
from components.simulator import simulate
from components.simulator.config import SimulatorConfig
from pipelines import config as settings
from pipelines.commands import backtesting
from pipelines.commands.importing import bring_complete_journey
from schemas.home import Home
from schemas.spans import span_of

if TYPE_CHECKING:
    from components.backtest.walk import Source

SIMULATOR, COMPLETE_JOURNEY = "simulator", "complete_journey"
NAMES = (SIMULATOR, COMPLETE_JOURNEY)
SHOP = SimulatorConfig(days=120)
FIRST = {SIMULATOR: span_of(SHOP.start), COMPLETE_JOURNEY: span_of(dt.date(2017, 1, 1))}
"""The span of the first day."""


def bring(name: str, folder: Path) -> Home:
    """The log in a state folder of its own; nothing is fetched or made where it lies there already."""
    home = Home(folder.absolute())
    if available_spans(home.events):
        return home
    if name == SIMULATOR:
        simulate.write(SHOP, home)
    else:
        bring_complete_journey(home)
    return home


def source(home: Home) -> Source:
    """The log as a backtest reads it, by the settings in force in its folder."""
    config = settings.load(home)
    return backtesting.source(home, config.features, config.events.behavior_weights.model_dump())
