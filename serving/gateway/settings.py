"""Settings of the gateway, from variables `EVERLEARN_GATEWAY_…`; the key is in no file and no argument."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from schemas.home import MODEL_NAME, Home

PREFIX = "EVERLEARN_GATEWAY_"


class Settings(BaseModel):
    """What one gateway does; the defaults serve one machine."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    home: Path = Field(description="The state folder: inbox, served log, item names, popular items")
    host: str = Field("127.0.0.1", description="Address to listen on")
    port: int = Field(8600, ge=0, lt=65_536)
    model_url: str = Field(f"http://127.0.0.1:8501/v1/models/{MODEL_NAME}", pattern=r"^https?://")
    redis_url: str | None = Field(None, description="redis://…; without it recent events lie in SQLite")
    api_key: SecretStr | None = Field(None, description="Wanted in X-API-Key; None asks for no key")

    rate: float = Field(100.0, gt=0, description="Requests a second of one client, on average")
    burst: int = Field(200, ge=1, description="Requests of one client at once")
    body_bytes: int = Field(2**20, ge=1024, description="Largest body")
    body_seconds: float = Field(10.0, gt=0, le=600, description="Longest wait for a whole body")
    connections: int = Field(1000, ge=1, description="Requests and connections at once; beyond, 503")
    proxy: str = Field(
        "", description="Address of a reverse proxy whose X-Forwarded-For names the client; empty: nobody's"
    )
    batch_events: int = Field(1000, ge=1, le=10_000, description="Events in one request")
    max_k: int = Field(100, ge=1, le=1000, description="Longest list")

    recent_items: int = Field(100, ge=1, le=1000, description="Events kept of a user")
    recent_seconds: int = Field(7 * 86_400, ge=60, description="How long after the last one they are kept")
    timeout_seconds: float = Field(1.0, gt=0, le=60, description="Longest wait for Redis or the model server")
    retries: int = Field(2, ge=0, le=10, description="Further tries of the model server")
    popular: bool = Field(False, description="Popular items instead of 503 when something is gone")
    retry_after_seconds: int = Field(5, ge=1)
    time_zone: str = Field("UTC", description="The zone whose midnight begins a day, as in the imported log")

    @field_validator("time_zone")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (OSError, ValueError, LookupError):
            raise ValueError(f"{name!r} is no time zone: name one such as Europe/Vienna") from None
        return name

    @property
    def state(self) -> Home:
        return Home(self.home)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """EVERLEARN_HOME and EVERLEARN_GATEWAY_<FIELD>; ValidationError names what is wrong."""
        given = {
            name.removeprefix(PREFIX).lower(): value
            for name, value in environment.items()
            if name.startswith(PREFIX) and value
        }
        return cls.model_validate({"home": Home.from_environment().root, **given})
