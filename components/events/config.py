"""Settings of the events step."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class BehaviorWeights(BaseModel):
    """How much one event of each behaviour counts; 0 = it is read, but nothing is learned from it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    purchase: float = Field(1.0, ge=0, le=100, description="weight of a purchase")
    cart: float = Field(0.5, ge=0, le=100, description="weight of putting into the cart")
    favourite: float = Field(0.5, ge=0, le=100, description="weight of marking as a favourite")
    click: float = Field(0.3, ge=0, le=100, description="weight of a click")


class EventsConfig(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    behavior_weights: BehaviorWeights = Field(
        default_factory=BehaviorWeights, description="what an event of each behaviour counts"
    )
    max_events_per_user_day: int = Field(
        1000,
        ge=1,
        le=1_000_000,
        description="of one user's events of a day the earliest that count: robots click on",
    )
