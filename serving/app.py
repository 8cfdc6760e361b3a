"""TF Serving's REST routes over the models of one server."""

from __future__ import annotations

import asyncio
import logging
import re
import time
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import unquote

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from serving.errors import ApiError, Code, invalid
from serving.methods import METHODS
from serving.metrics import Metrics
from serving.parse import parse
from serving.registry import Registry
from serving.versions import MAX_VERSION

log = logging.getLogger(__name__)

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
        self, registry: Registry, limits: Limits | None = None, metrics_path: str | None = None
    ) -> None:
        """`metrics_path`: where Prometheus reads metrics; None for nowhere."""
        self._registry = registry
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
                name, version, label = _model(match)
                return await self._run(lambda: self._infer(method, name, version, label, body))
        if request.method == "GET" and (match := _STATUS.fullmatch(target)):
            name, version, label = _model(match)
            if match["method"] == "metadata":
                return await self._run(lambda: self._registry.metadata(name, version, label))
            return _json(self._registry.status(name, version))
        raise invalid(f"Malformed request: {request.method} {target}")

    def _infer(self, method: str, name: str, version: int | None, label: str | None, body: bytes) -> bytes:
        started = time.perf_counter()
        try:
            answer = METHODS[method](parse(body))
            with self._registry.lease(name, version, label) as (number, model):
                content = answer(model)
        except ApiError as error:
            if self._registry.knows(name):  # no metric for every name that a client makes up
                self._metrics.refused(name, error.code.name)
            raise
        self._metrics.answered(name, method, number, time.perf_counter() - started)
        return content

    async def _run(self, work: Callable[[], bytes]) -> Response:
        future = asyncio.get_running_loop().run_in_executor(self._pool, work)
        try:
            content = await asyncio.wait_for(future, self._limits.timeout_seconds)
        except asyncio.TimeoutError:
            raise ApiError(Code.DEADLINE_EXCEEDED, "Timed out waiting for the model's answer") from None
        return Response(content, media_type="application/json")

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


def _model(match: re.Match) -> tuple[str, int | None, str | None]:
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
