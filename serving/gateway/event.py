"""One event as a client posts it."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, field_validator

from schemas.events import BEHAVIORS, EARLIEST, LONGEST_ID

EARLY = dt.timedelta(minutes=5)
"""How far a client's clock may be ahead."""
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)
_EARLIEST = dt.datetime.combine(EARLIEST, dt.time(), dt.timezone.utc) + dt.timedelta(days=1)
"""In every zone."""
Id = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=LONGEST_ID // 4, pattern=r"^[^\x00-\x1f\x7f]+$"
    ),
]
"""As the import takes them: a character may be of four bytes."""


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
        if moment < _EARLIEST:
            raise ValueError(f"lies before {_EARLIEST:%Y-%m-%d}")
        return moment


def wall_micros(moment: dt.datetime, zone: ZoneInfo) -> int:
    """What the clock on the wall shows there, as microseconds since the epoch: how events are kept."""
    shown = moment.astimezone(zone).replace(tzinfo=dt.timezone.utc)
    return (shown - _EPOCH) // dt.timedelta(microseconds=1)
