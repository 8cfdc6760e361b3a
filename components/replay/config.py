"""Settings of the replay step."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class ReplayConfig(BaseModel):
    """How much of the past is remembered, and how much of it a day learns again."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    capacity: int = Field(50_000, ge=0, le=10_000_000, description="rows that the reservoir remembers")
    share: float = Field(0.10, ge=0, le=1, description="share of the remembered rows that a day learns again")
    cap: float = Field(1.0, ge=0, le=100, description="at most so many times the day's own rows")
    recency: float | None = Field(
        None, gt=0, le=36_500, description="days that halve a row's weight in the draw; null: all rows alike"
    )
    memory: Literal["uniform", "stratified", "herding"] = Field(
        "uniform",
        description="every learned row alike, as evenly over weeks as there are rows, or those that stand"
        " best for the rows of their item",
    )
