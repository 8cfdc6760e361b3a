"""The gateway's HTTP interface; its page is at /docs."""

import datetime as dt
import logging
import math
import secrets
import sqlite3
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import Body, Depends, FastAPI, HTTPException, Path, Query, Request, Security
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import APIKeyHeader
from fastapi_offline import FastAPIOffline

from serving.gateway import page
from serving.gateway.event import Event, wall_micros
from serving.gateway.inbox import Inbox, path_of
from serving.gateway.limits import BodyLimit, Rate
from serving.gateway.live import Live
from serving.gateway.model import Answer, ModelServer, ModelUnavailableError
from serving.gateway.page import Health, Item, Received, Recommendations
from serving.gateway.pushed import Pushed
from serving.gateway.served import ServedLog
from serving.gateway.settings import Settings
from serving.gateway.store import RecentStore, RedisStore, SqliteStore, StoreUnavailableError

_LOG = logging.getLogger(__name__)


class Gateway:
    """What the routes share, for any thread."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.zone = ZoneInfo(settings.time_zone)
        home = settings.state
        self.inbox = Inbox(path_of(home))
        self.store = _store(settings)
        self.live = Live(self.inbox, self.store, settings.recent_seconds, self.zone)
        self.model = ModelServer(settings.model_url, settings.timeout_seconds, settings.retries)
        self.pushed = Pushed(home)
        self.served = ServedLog(home)
        self.rate = Rate(settings.rate, settings.burst)

    def close(self) -> None:
        for part in (self.model, self.store, self.inbox):
            part.close()

    def recommend(self, user_id: str, k: int, exclude: list[str]) -> Recommendations:
        """Asks with the user's latest events; the answer is logged. HTTPException 503."""
        at = dt.datetime.now(dt.timezone.utc)
        now = wall_micros(at, self.zone)
        source = "model"
        try:
            answer = self.model.recommend(user_id, self.live.recent(user_id), now, k, exclude)
        except (StoreUnavailableError, ModelUnavailableError) as error:
            source, answer = "popular", self._popular(k, exclude, str(error))
        request_id = uuid.uuid4().hex
        try:
            self.served.write(
                at=at, time=now, request_id=request_id, user_id=user_id,
                version=answer.version, source=source, items=answer.item_ids,
            )  # fmt: skip
        except OSError as error:  # a full disk costs the account of a list, not the list
            _LOG.warning("list %s is not in the log of what was served: %s", request_id, error)
        names = self.pushed.names()
        items = [
            Item(item_id=item, name=names.get(item), score=score)
            for item, score in zip(answer.item_ids, answer.scores, strict=True)
        ]
        return Recommendations(
            request_id=request_id, user_id=user_id, model_version=answer.version, source=source, items=items
        )

    def _popular(self, k: int, exclude: list[str], reason: str) -> Answer:
        found = self.pushed.popular(k + len(exclude)) if self.settings.popular else None
        if found is None:
            retry = {"Retry-After": str(self.settings.retry_after_seconds)}
            raise HTTPException(503, f"try again later: {reason}", retry)
        kept = [
            pair for pair in zip(found.item_ids, found.scores, strict=True) if pair[0] not in set(exclude)
        ]
        return Answer(found.version, [item for item, _ in kept[:k]], [score for _, score in kept[:k]])


def _store(settings: Settings) -> RecentStore:
    keep, seconds = settings.recent_items, settings.recent_seconds
    if settings.redis_url:
        return RedisStore(settings.redis_url, keep, seconds, settings.timeout_seconds)
    return SqliteStore(settings.state.run / "recent.sqlite", keep, seconds)


def _gateway(request: Request) -> Gateway:
    return request.app.state.gateway


Shared = Annotated[Gateway, Depends(_gateway)]
_KEY = APIKeyHeader(name="X-API-Key", auto_error=False, description="Only where the gateway asks for one")


def _admitted(request: Request, gateway: Shared, key: Annotated[str | None, Security(_KEY)]) -> None:
    """429 beyond the rate, 401 without the key. A client is an address."""
    if wait := gateway.rate.wait(request.client.host if request.client else ""):
        raise HTTPException(429, "too many requests", {"Retry-After": str(math.ceil(wait))})
    wanted = gateway.settings.api_key
    if wanted and not secrets.compare_digest(wanted.get_secret_value().encode(), (key or "").encode()):
        raise HTTPException(401, "send the key in X-API-Key", {"WWW-Authenticate": "APIKey"})


def create(settings: Settings) -> FastAPI:
    """The application; its files and connections are open from start-up to shutdown."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.gateway = Gateway(settings)
        yield
        app.state.gateway.close()

    # With the page's scripts out of a package: no reader needs the internet.
    app = FastAPIOffline(
        title="Everlearn gateway", version="1", description=page.ABOUT, swagger_ui_parameters=page.LOOK,
        redoc_url=None, lifespan=lifespan,
    )  # fmt: skip
    app.add_middleware(BodyLimit, limit=settings.body_bytes, seconds=settings.body_seconds)
    admitted: dict[str, Any] = {
        "dependencies": [Depends(_admitted)],
        "responses": page.ERRORS,
        "tags": [page.DAILY],
    }

    @app.exception_handler(RequestValidationError)
    async def refused(_: Request, error: RequestValidationError) -> JSONResponse:
        told = [{"loc": one["loc"], "msg": one["msg"]} for one in error.errors()]  # not what was sent
        return JSONResponse({"detail": told}, 422)

    @app.exception_handler(sqlite3.Error)
    async def not_durable(_: Request, error: sqlite3.Error) -> JSONResponse:
        retry = {"Retry-After": str(settings.retry_after_seconds)}
        return JSONResponse({"detail": f"try again later: the inbox fails: {error}"}, 503, retry)

    @app.post("/events", summary="Tell what users did", **admitted)
    def post_events(
        gateway: Shared, events: Annotated[Event | list[Event], Body(openapi_examples=page.EVENTS)]
    ) -> Received:
        """One event or a batch, all or none; durable when this answers, and idempotent on `event_id`."""
        batch = events if isinstance(events, list) else [events]
        if len(batch) > settings.batch_events:
            raise HTTPException(413, f"more than {settings.batch_events} events in one request")
        accepted, live = gateway.live.post(batch)
        return Received(accepted=accepted, duplicates=len(batch) - accepted, live=live)

    @app.get("/recommendations/{user_id:path}", summary="A list for a user, as of now", **admitted)
    def recommendations(
        gateway: Shared,
        user_id: Annotated[str, Path(min_length=1, max_length=256, json_schema_extra=page.USER)],
        k: Annotated[int, Query(ge=1, le=settings.max_k, description="How many items")] = 20,
        exclude: Annotated[list[str], Query(max_length=1000, description="Items not to list")] = [],  # noqa: B006
    ) -> Recommendations:
        """The user's list as of now, seconds after his latest event."""
        return gateway.recommend(user_id, k, exclude)

    @app.get("/health", summary="Does the gateway run?", tags=[page.OPERATION])
    def health() -> Health:
        """That the gateway runs; it says nothing of what it asks."""
        return Health(status="ok")

    return app
