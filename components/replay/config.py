"""Settings of the replay step."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class ReplayConfig(BaseModel):
    """How much of the past is remembered, and how much of it a day learns again."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    capacity: int = Field(50_000, ge=0, le=10_000_000, description="rows that the reservoir remembers")
    share: float = Field(0.10, ge=0, le=1, description="share of the remembered rows that a day learns again")
    cap: float = Field(2.0, ge=0, le=100, description="at most so many times the day's own rows")
