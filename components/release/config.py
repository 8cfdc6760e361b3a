"""Settings of the release."""

from pydantic import BaseModel, ConfigDict, Field


class ReleaseConfig(BaseModel):
    """How the pushed SavedModel answers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    list_length: int = Field(default=50, ge=1, le=1000, description="Items in one answer of `recommend`")
    smoke_requests: int = Field(default=20, ge=1, le=500, description="Known users asked in the smoke test")
