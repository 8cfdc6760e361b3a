"""One event as a client posts it."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator

from schemas.events import BEHAVIORS

EARLY = dt.timedelta(minutes=5)
"""How far a client's clock may be ahead."""
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)
Id = Annotated[str, Field(min_length=1, max_length=256, pattern=r"^[^\x00]+$")]


def _now() -> dt.datetime:
    return dt.datetime.now(dt.timezone.utc)


class Event(BaseModel):
    """A user did something with an item."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    event_id: Id = Field(description="The client's own id: posted again it is the same event")
    user_id: Id
    item_id: Id
    behavior: Literal[BEHAVIORS]  # type: ignore[valid-type]
    timestamp: AwareDatetime = Field(default_factory=_now, description="With its zone; now if it is left out")
    price: float | None = Field(None, ge=0, allow_inf_nan=False, description="Of one unit")

    @field_validator("timestamp")
    @classmethod
    def _happened(cls, moment: dt.datetime) -> dt.datetime:
        if moment > _now() + EARLY:
            raise ValueError("lies in the future")
        if moment < _EPOCH:
            raise ValueError("lies before 1970")
        return moment


def wall_micros(moment: dt.datetime, zone: ZoneInfo) -> int:
    """What the clock on the wall shows there, as microseconds since the epoch: how events are kept."""
    shown = moment.astimezone(zone).replace(tzinfo=dt.timezone.utc)
    return (shown - _EPOCH) // dt.timedelta(microseconds=1)
