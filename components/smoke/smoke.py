"""The smoke test: the SavedModel behind a real model server gives the trainer's own answers."""

from __future__ import annotations

import http.client
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.smoke.compare import difference
from components.smoke.server import ServerError, serving
from schemas.home import MODEL_NAME
from schemas.signatures import SMOKE_FILE

REQUEST_SECONDS = 30.0


@dataclass(frozen=True)
class SmokeResult:
    """`reason` is one sentence, for a failure as for a success."""

    passed: bool
    reason: str
    requests: int = 0
    start_seconds: float = 0.0
    """From the start of the process to AVAILABLE."""
    request_seconds: float = 0.0
    """All requests together."""


def smoke(saved_model: Path, model_name: str = MODEL_NAME, *, start_seconds: float = 120.0) -> SmokeResult:
    """Serves the SavedModel from a process of its own and asks what stands in its smoke file.

    The server is gone when this returns, whatever happened. Never raises for what is wrong with the model.
    """
    try:
        expected = _expectations(saved_model)
        started = time.monotonic()
        with serving(saved_model, model_name, start_seconds) as port:
            available = time.monotonic()
            for number, one in enumerate(expected, start=1):
                answer = _predict(port, model_name, one)
                if wrong := difference(answer, one["outputs"]):
                    return _failed(f"Request {number} of {len(expected)} ({one['signature']}): {wrong}.")
            ended = time.monotonic()
    except ServerError as error:
        return _failed(str(error))
    reason = f"The model server gave the trainer's answers to {len(expected)} requests."
    return SmokeResult(True, reason, len(expected), available - started, ended - available)


def _failed(reason: str) -> SmokeResult:
    return SmokeResult(False, reason)


def _expectations(saved_model: Path) -> list[dict[str, Any]]:
    path = saved_model / SMOKE_FILE
    if not path.is_file():
        raise ServerError(f"{path} is missing, so that no answer can be compared.")
    try:
        expected = json.loads(path.read_text())
    except ValueError as error:
        raise ServerError(f"{path} is no JSON: {error}.") from None
    if not expected:
        raise ServerError(f"{path} holds no request, so that no answer can be compared.")
    return expected


def _predict(port: int, model_name: str, asked: dict[str, Any]) -> dict[str, Any]:
    """Outputs by name, in column form; one output alone is named as the expectation names it."""
    body = json.dumps({"signature_name": asked["signature"], "inputs": asked["inputs"]})
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=REQUEST_SECONDS)
    try:
        connection.request("POST", f"/v1/models/{model_name}:predict", body)
        answer = connection.getresponse()
        content = json.loads(answer.read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise ServerError(f"The model server gave no answer to {asked['signature']}: {error}.") from None
    finally:
        connection.close()
    if answer.status != http.client.OK:
        reason = content.get("error", content)
        raise ServerError(f"The model server answered {answer.status} to {asked['signature']}: {reason}")
    outputs = content["outputs"]
    if len(asked["outputs"]) == 1:
        return {next(iter(asked["outputs"])): outputs}
    return outputs
