"""Settings of a simulated shop."""

from __future__ import annotations

import datetime as dt

from pydantic import BaseModel, ConfigDict, Field


class SimulatorConfig(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    days: int = Field(28, ge=1, le=3660, description="days from `start` on")
    seed: int = Field(0, ge=0, description="the same seed and settings give the same bytes")
    start: dt.date = Field(dt.date(2024, 1, 1), description="first day")
    users: int = Field(500, ge=1, le=1_000_000, description="people there on the first day")
    items: int = Field(400, ge=30, le=100_000, description="items there on the first day")
    events_per_day: int = Field(2000, ge=1, le=10_000_000, description="clicks, carts and purchases, about")
    new_users: float = Field(0.01, ge=0, le=1, description="cold users a day, as a share of `users`")
    new_items: float = Field(0.01, ge=0, le=1, description="new items a day, as a share of `items`")
    dimensions: int = Field(8, ge=2, le=64, description="of a taste")
    categories: int = Field(8, ge=2, le=64, description="the first of them is seasonal")
    season_every: int = Field(28, ge=2, description="days from the start of a season to that of the next")
    season_days: int = Field(7, ge=1, description="days that a season lasts")
    drift: float = Field(
        0.1, ge=0, le=1, description="how much of a taste is new each day; 0 = it never moves"
    )
    fade: float = Field(
        0, ge=0, le=3660, description="days that divide an item's odds by e, as of news; 0 = it never ages"
    )
    focus: float = Field(2.5, gt=0, le=20, description="how much tastes decide; small = everything is chance")
    cart_share: float = Field(0.25, ge=0, le=1, description="clicks that lead to the cart")
    purchase_share: float = Field(0.4, ge=0, le=1, description="of these, those that lead to a purchase")
