"""Settings of where learning starts from."""

from pydantic import BaseModel, ConfigDict, Field


class ChallengerConfig(BaseModel):
    """Now and then a model that is learned anew from all days stands against the champion at the gate."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    weeks: int | None = Field(
        default=None, ge=1, le=520, description="weeks from one full retrain to the next; null: none"
    )
