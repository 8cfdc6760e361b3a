"""Settings of the features step."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class FeaturesConfig(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    history_items: int = Field(
        1000, ge=1, le=100_000, description="distinct items remembered a user, the latest taken first"
    )
    row_history_items: int = Field(200, ge=1, le=1000, description="of these, how many a row carries")
    holdout_share: float = Field(
        0.10, ge=0, le=0.5, description="share of user-days that are put aside for evaluation, for ever"
    )
