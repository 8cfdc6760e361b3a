"""Has the model server taken a version up? Asked over TF Serving's status path."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request

from schemas.home import MODEL_NAME

AVAILABLE, UNREACHABLE = "AVAILABLE", "UNREACHABLE"
_POLL_SECONDS = 0.2
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Without the proxies of the environment: the model server is a neighbour."""


class NotServedError(RuntimeError):
    """The server is there, but does not serve the version."""


def wait_until_available(serving_url: str | None, version: int, wait_seconds: float) -> str:
    """`AVAILABLE` once the server says so, `UNREACHABLE` if there is no server (or no address) to ask.

    NotServedError if the server gave the version up, or did not take it up in `wait_seconds`.
    """
    if serving_url is None:
        return UNREACHABLE
    deadline = time.monotonic() + wait_seconds
    url = f"{serving_url.rstrip('/')}/v1/models/{MODEL_NAME}"
    while True:
        try:
            state, message = _state(url, version)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return UNREACHABLE
        if state == AVAILABLE:
            return AVAILABLE
        if state == "END":
            raise NotServedError(f"version {version} was pushed, but {url} cannot serve it: {message}")
        if time.monotonic() >= deadline:
            raise NotServedError(
                f"version {version} was pushed, but {url} has it {state} after {wait_seconds:g} s: "
                + (message or "look at the server's log")
            )
        time.sleep(_POLL_SECONDS)


def _state(url: str, version: int) -> tuple[str, str]:
    """(state, error message) of the version; `unknown` as long as the server has not seen it."""
    try:
        with _DIRECT.open(url, timeout=5) as answer:
            told = json.load(answer)
    except urllib.error.HTTPError as error:
        return "unknown", f"HTTP {error.code}"
    except ValueError:
        return "unknown", "the answer is no JSON: it is no model server that answers there"
    for one in told.get("model_version_status", []):
        if one["version"] == str(version):
            return one["state"], one.get("status", {}).get("error_message", "")
    return "unknown", ""
