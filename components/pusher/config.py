"""Settings of the push."""

from pydantic import BaseModel, ConfigDict, Field


class PusherConfig(BaseModel):
    """Whom to wait for after the push."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    serving_url: str | None = Field(
        default=None,
        pattern="^https?://",
        description="Base address of the model server, if one should be asked",
    )
    wait_seconds: float = Field(
        default=60.0,
        ge=0,
        le=3600,
        description="How long the server may take until the new version is AVAILABLE",
    )
