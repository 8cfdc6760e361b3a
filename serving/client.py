"""Asking a model server over REST: what the command line needs, nothing more."""

from __future__ import annotations

from typing import Any

import httpx

from schemas.home import MODEL_NAME
from schemas.signatures import RECOMMEND, RECOMMEND_RECENT

TIMEOUT = httpx.Timeout(10.0, connect=2.0)


class ServingError(RuntimeError):
    """The server cannot be reached, or refused: one sentence with the address."""


def recommend(url: str, user_id: str) -> list[tuple[str, float]]:
    """(item id, score) for a user by id, best first; "" is somebody of whom nothing is known.

    `url`: the server's address, `http://127.0.0.1:8501`.
    """
    return _recommendations(url, RECOMMEND, {"user_id": user_id})


def recommend_recent(url: str, items: list[str]) -> list[tuple[str, float]]:
    """(item id, score) for somebody who took these items, newest last; best first."""
    return _recommendations(url, RECOMMEND_RECENT, {"recent_items": items})


def status(url: str) -> list[dict[str, Any]]:
    """What the server says of each version, newest first: version, state, status."""
    return _ask("GET", url, "")["model_version_status"]


def _recommendations(url: str, signature: str, row: dict[str, Any]) -> list[tuple[str, float]]:
    answer = _ask("POST", url, ":predict", {"signature_name": signature, "instances": [row]})
    best = answer["predictions"][0]
    return list(zip(best["item_id"], best["score"], strict=True))


def _ask(verb: str, url: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    address = f"{url.rstrip('/')}/v1/models/{MODEL_NAME}{path}"
    try:
        answer = httpx.request(verb, address, json=body, timeout=TIMEOUT)
    except httpx.TimeoutException:
        raise ServingError(f"The model server at {url} did not answer in time.") from None
    except httpx.HTTPError as error:
        raise ServingError(
            f"No model server answers at {url} ({error}): start one with `everlearn serve`."
        ) from None
    if answer.status_code != httpx.codes.OK:
        raise ServingError(f"The model server at {url} answered {answer.status_code}: {_reason(answer)}")
    return answer.json()


def _reason(answer: httpx.Response) -> str:
    try:
        return answer.json()["error"]
    except (ValueError, KeyError, TypeError):
        return answer.text[:200]
