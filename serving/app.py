"""TF Serving's REST routes over the models of one server."""

from __future__ import annotations

import asyncio
import logging
import re
import time
import zlib
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import unquote

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from serving.errors import ApiError, Code, invalid
from serving.methods import METHODS, Method
from serving.metrics import Metrics
from serving.parse import parse
from serving.registry import Registry
from serving.versions import MAX_VERSION

log = logging.getLogger(__name__)

Result = TypeVar("Result")
Which = tuple[str, int | None, str | None]
"""A model by name, and its version by number or label."""
_SMALL_BYTES = 2**16
"""A body that is read in less than a millisecond, so that nobody else waits for it."""
_MODEL = r"(?:/versions/(?P<version>[0-9]+)|/labels/(?P<label>[^/:]+))?"
_INFER = re.compile(
    rf"/v1/models/(?P<name>[^/:]+){_MODEL}:(?P<method>classify|regress|predict)", re.IGNORECASE | re.DOTALL
)
_STATUS = re.compile(
    rf"/v1/models(?:/(?P<name>[^/:]+))?{_MODEL}(?:/(?P<method>metadata))?", re.IGNORECASE | re.DOTALL
)
_NOT_FOUND = "<HTML><HEAD><TITLE>404 Not Found</TITLE></HEAD><BODY><H1>Not Found</H1></BODY></HTML>"


@dataclass(frozen=True)
class Limits:
    """What one request may take."""

    timeout_seconds: float = 30.0
    body_bytes: int = 64 * 2**20
    """After decompression."""
    threads: int = 4


class RestApi:
    """An ASGI application.

    One object instead of a route table, since the contract is about raw targets: names are
    percent-decoded after the split, a query string is a malformed request, a wrong verb is 400.
    """

    def __init__(
        self,
        registry: Registry,
        limits: Limits | None = None,
        metrics_path: str | None = None,
        *,
        batches: bool = False,
    ) -> None:
        """metrics_path: where Prometheus reads metrics; None for nowhere. batches: models have a batcher."""
        self._registry = registry
        self._batches = batches
        self._metrics = Metrics()
        self._metrics_path = metrics_path
        self._limits = limits or Limits()
        self._pool = ThreadPoolExecutor(self._limits.threads, thread_name_prefix="model")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        try:
            response = await self._respond(request, _target(scope))
        except ClientDisconnect:
            return
        except ApiError as error:
            response = _error(str(error), error.code)
        except Exception:  # a bug of ours is in the log; no trace of it reaches a client
            log.exception("%s %s failed", request.method, request.url.path)
            response = _error("Internal error: see the server's log", Code.INTERNAL)
        await response(scope, receive, send)

    async def _respond(self, request: Request, target: str) -> Response:
        if not target.lower().startswith("/v1/"):
            if target == self._metrics_path and request.method == "GET":
                return Response(self._metrics.page(), media_type="text/plain")
            return HTMLResponse(_NOT_FOUND, 404)
        if request.method == "OPTIONS":
            return _preflight(request)
        if request.method == "POST" and (match := _INFER.fullmatch(target)):
            method = match["method"]
            if method == method.lower():
                body = await self._body(request)
                return await self._infer(method, _model(match), body)
        if request.method == "GET" and (match := _STATUS.fullmatch(target)):
            name, version, label = _model(match)
            if match["method"] == "metadata":
                metadata = self._in_thread(lambda: self._registry.metadata(name, version, label))
                return Response(await self._in_time(metadata), media_type="application/json")
            return _json(self._registry.status(name, version))
        raise invalid(f"Malformed request: {request.method} {target}")

    async def _infer(self, method: str, which: Which, body: bytes) -> Response:
        started = time.perf_counter()
        work = self._batched if self._batches and len(body) <= _SMALL_BYTES else self._threaded
        try:
            number, content = await self._in_time(work(METHODS[method], which, body))
        except ApiError as error:
            if self._registry.knows(which[0]):  # no metric for every name that a client makes up
                self._metrics.refused(which[0], error.code.name)
            raise
        self._metrics.answered(which[0], method, number, time.perf_counter() - started)
        return Response(content, media_type="application/json")

    async def _batched(self, method: Method, which: Which, body: bytes) -> tuple[int, bytes]:
        """Read here, run by the batcher: no thread waits for it, and none has to be woken."""
        question = method(parse(body))
        with self._registry.lease(*which) as (number, model):
            asked = question(model)
            outputs = await asyncio.wrap_future(model.submit(asked.signature, asked.inputs))
            return number, asked.body(outputs)

    async def _threaded(self, method: Method, which: Which, body: bytes) -> tuple[int, bytes]:
        def answer() -> tuple[int, bytes]:
            question = method(parse(body))
            with self._registry.lease(*which) as (number, model):
                asked = question(model)
                return number, asked.body(model.run(asked.signature, asked.inputs))

        return await self._in_thread(answer)

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    async def _in_time(self, work: Awaitable[Result]) -> Result:
        try:
            return await asyncio.wait_for(work, self._limits.timeout_seconds)
        except asyncio.TimeoutError:
            raise ApiError(Code.DEADLINE_EXCEEDED, "Timed out waiting for the model's answer") from None

    async def _body(self, request: Request) -> bytes:
        """The whole body, unpacked; bounded before and after."""
        limit = self._limits.body_bytes
        chunks, size = [], 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > limit:
                raise invalid(f"Request body is larger than {limit} bytes")
            chunks.append(chunk)
        body = b"".join(chunks)
        if request.headers.get("content-encoding", "").lower() == "gzip":
            return _gunzip(body, limit)
        return body


def _target(scope: Scope) -> str:
    """Path and query as the client sent them."""
    path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
    query = scope["query_string"].decode("latin-1")
    return f"{path}?{query}" if query else path


def _model(match: re.Match) -> Which:
    """Name, version and label out of a target."""
    version = None
    if match["version"] is not None:
        digits = match["version"]
        if len(digits.lstrip("0")) > 19 or int(digits) > MAX_VERSION:
            raise invalid(f"Failed to convert version: {digits} to numeric.")
        version = int(digits)
    if match["name"] is None:
        raise invalid("Missing model name in request.")
    return unquote(match["name"]), version, unquote(match["label"]) if match["label"] else None


def _preflight(request: Request) -> Response:
    if not request.headers.get("origin", "").startswith(("http://", "https://")):
        return Response(status_code=400)
    return Response(
        headers={
            "Access-Control-Allow-Origin": "*",
            "Access-Control-Allow-Methods": "POST, GET",
            "Access-Control-Allow-Headers": "Content-Type",
        }
    )


def _gunzip(body: bytes, limit: int) -> bytes:
    stream = zlib.decompressobj(wbits=31)
    try:
        unpacked = stream.decompress(body, limit + 1)
    except zlib.error:
        raise invalid("Failed to decompress the gzip request body") from None
    if len(unpacked) > limit:
        raise invalid(f"Request body is larger than {limit} bytes")
    return unpacked


def _json(content: dict, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, media_type="application/json")


def _error(text: str, code: Code) -> Response:
    """Text may hold what a client sent, even what is no Unicode."""
    return _json({"error": text.encode("utf-8", "replace").decode()}, code.http_status)
