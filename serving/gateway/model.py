"""Asking the model server: one version by number, with time-outs and bounded tries."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import httpx
import orjson

from schemas.signatures import RECOMMEND_CONTEXT
from serving.gateway.store import Recent

_VERSION_SECONDS = 1.0
"""How long the answer to "which version serves" is believed."""
_PAUSE_SECONDS = 0.05
_GONE = (httpx.codes.NOT_FOUND, httpx.codes.SERVICE_UNAVAILABLE)
"""The version was unloaded since, or the queue is full: both are worth another try."""


class ModelUnavailableError(RuntimeError):
    """The model server gives no list: one sentence."""


@dataclass(frozen=True)
class Answer:
    """A list as the model gave it, best first."""

    version: int
    item_ids: list[str]
    scores: list[float]


class ModelServer:
    """For any thread."""

    def __init__(self, url: str, timeout: float, retries: int) -> None:
        self._url, self._timeout, self._retries = url.rstrip("/"), timeout, retries
        limits = httpx.Limits(max_connections=100, max_keepalive_connections=100)
        self._http = httpx.Client(timeout=timeout, limits=limits, trust_env=False)
        self._version: tuple[int, float] = (0, 0.0)

    def recommend(
        self, user_id: str, recent: Sequence[Recent], now: int, k: int, exclude: Sequence[str]
    ) -> Answer:
        """`signatures.RECOMMEND_CONTEXT`. ModelUnavailableError, at the latest after all tries' time."""
        width = _width(len(recent))
        padding = width - len(recent)
        inputs = {
            "user_id": [user_id],
            "recent_items": [[""] * padding + [one.item_id for one in recent]],
            "recent_times": [[0] * padding + [one.time for one in recent]],
            "recent_behaviors": [[""] * padding + [one.behavior for one in recent]],
            "user_features": [[""]],
            "exclude": [[*exclude, *[""] * (_width(len(exclude)) - len(exclude))]],
            "now": [now],
            "k": [k],
        }
        body = orjson.dumps({"signature_name": RECOMMEND_CONTEXT, "inputs": inputs})
        for left in range(self._retries, -1, -1):
            try:
                version = self._serving()
                got = self._http.post(f"{self._url}/versions/{version}:predict", content=body)
            except httpx.HTTPError as error:
                reason = f"the model server does not answer: {type(error).__name__}"
            else:
                if got.status_code == httpx.codes.OK:
                    return _answer(version, got.content)
                reason = f"the model server answers {got.status_code}: {got.text[:200]}"
                if got.status_code not in _GONE:
                    break
            self._version = (0, 0.0)
            if left:
                time.sleep(_PAUSE_SECONDS)
        raise ModelUnavailableError(reason)

    def close(self) -> None:
        self._http.close()

    def _serving(self) -> int:
        """The newest version that takes traffic."""
        version, until = self._version
        if time.monotonic() < until:
            return version
        states = self._http.get(self._url).raise_for_status().json()["model_version_status"]
        available = [int(one["version"]) for one in states if one["state"] == "AVAILABLE"]
        if not available:
            raise httpx.HTTPError("no version is available")
        self._version = (max(available), time.monotonic() + _VERSION_SECONDS)
        return self._version[0]


def _width(count: int) -> int:
    """The next power of two: few shapes, so that requests can be batched."""
    return 1 << max(count - 1, 0).bit_length()


def _answer(version: int, content: bytes) -> Answer:
    outputs = orjson.loads(content)["outputs"]
    listed = [
        (item, score) for item, score in zip(outputs["item_id"][0], outputs["score"][0], strict=True) if item
    ]
    return Answer(version, [item for item, _ in listed], [score for _, score in listed])
