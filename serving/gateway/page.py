"""What the page at /docs shows: answers, errors, examples."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

ABOUT = """
Post what users do, and ask for lists that follow it at once.

Events are on the disk when `POST /events` answers. The lists of `GET /recommendations/{user_id}` know the
newest of them, on top of the history as of the last push.

Where something is gone the answer is 503 with `Retry-After`, or the popular items, as configured.
"""
LOOK = {"defaultModelsExpandDepth": -1, "tryItOutEnabled": True, "displayRequestDuration": True}
"""Of Swagger UI: no list of schemas at the end, forms that are ready to be sent."""
DAILY, OPERATION = "events and lists", "operation"


class Received(BaseModel):
    """What became of the posted events: all of them are on the disk."""

    accepted: int = Field(description="Events that are new")
    duplicates: int = Field(description="Events whose id was there already")
    live: bool = Field(description="Whether they count in the user's next list")


class Item(BaseModel):
    """One place of a list."""

    item_id: str
    name: str | None = Field(description="As in the item table, if it has names")
    score: float


class Recommendations(BaseModel):
    """A list, best first."""

    request_id: str = Field(description="Under which the list is logged")
    user_id: str
    model_version: int
    source: str = Field(description="`model`, or `popular` when the model or the live history is gone")
    items: list[Item]


class Health(BaseModel):
    """The gateway runs."""

    status: str


class Problem(BaseModel):
    """Why a request was not answered: one sentence."""

    detail: str


class Fault(BaseModel):
    """What is wrong, and where."""

    loc: list[str | int]
    msg: str


class Refused(BaseModel):
    """Every fault of a request."""

    detail: list[Fault]


ERRORS: dict[int | str, dict[str, Any]] = {
    401: {"model": Problem, "description": "The key is missing or wrong"},
    413: {"model": Problem, "description": "The body is too large, or has too many events"},
    422: {"model": Refused, "description": "What is wrong is named"},
    429: {"model": Problem, "description": "Too many requests: `Retry-After` says when"},
    503: {"model": Problem, "description": "Redis, the model server or the disk is gone: `Retry-After`"},
}
_CLICK = {"event_id": "e1", "user_id": "1", "item_id": "1082185", "behavior": "click"}
EVENTS: Any = {
    "one": {"summary": "One event, now", "value": _CLICK},
    "batch": {
        "summary": "A batch",
        "value": [
            {**_CLICK, "timestamp": "2026-01-31T09:30:00+01:00"},
            {**_CLICK, "event_id": "e2", "behavior": "purchase", "price": 2.49},
        ],
    },
}
USER: dict[str, Any] = {"example": "1"}
