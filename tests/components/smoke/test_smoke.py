"""The smoke test against real model servers."""

from __future__ import annotations

import copy
import json
import os
import shutil
from pathlib import Path

import psutil
import pytest

from components.smoke.server import ServerError, serving
from components.smoke.smoke import smoke
from schemas.home import MODEL_NAME
from schemas.signatures import SMOKE_FILE
from tests.serving import recommender


@pytest.fixture(scope="module")
def saved_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recommender.write(tmp_path_factory.mktemp("recommender") / "Format-Serving")


@pytest.fixture
def writable(saved_model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved_model, tmp_path / "model"))


def servers() -> list[psutil.Process]:
    """Model servers that the smoke test has started from this process and that still run."""
    children = psutil.Process(os.getpid()).children()
    alive = [child for child in children if child.status() != psutil.STATUS_ZOMBIE]
    return [child for child in alive if any("/smoke-" in word for word in child.cmdline())]


def test_equal_answers_pass(saved_model):
    result = smoke(saved_model)
    assert result.passed, result.reason
    assert result.requests == len(recommender.SMOKE)
    assert result.start_seconds > 0
    assert result.request_seconds > 0
    assert not servers()


def test_a_wrong_score_fails(writable):
    wrong = copy.deepcopy(recommender.SMOKE)
    wrong[1]["outputs"]["score"][0][1] += 0.001
    (writable / SMOKE_FILE).write_text(json.dumps(wrong))
    result = smoke(writable)
    assert not result.passed
    assert result.reason.startswith("Request 2 of 3 (recommend_recent): row 0: score 0.3")
    assert not servers()


def test_a_signature_that_is_not_there_fails(writable):
    odd = [{"signature": "embed", "inputs": {"user_id": ["ann"]}, "outputs": {"score": [0.0]}}]
    (writable / SMOKE_FILE).write_text(json.dumps(odd))
    result = smoke(writable)
    assert not result.passed
    assert 'Serving signature name: "embed" not found' in result.reason


def test_a_model_that_does_not_load_fails(writable):
    shutil.rmtree(writable / "variables")
    result = smoke(writable)
    assert not result.passed
    assert "version 1" in result.reason
    assert not servers()


def test_without_expectations_nothing_passes(writable):
    (writable / SMOKE_FILE).write_text("[]")
    assert "no request" in smoke(writable).reason
    (writable / SMOKE_FILE).unlink()
    assert "is missing" in smoke(writable).reason


def test_a_server_that_takes_too_long_is_stopped(saved_model):
    with pytest.raises(ServerError, match="not ready in time"), serving(saved_model, MODEL_NAME, seconds=0.1):
        pass
    assert not servers()


def test_the_server_ends_when_the_body_fails(saved_model):
    def fail_while_serving() -> None:
        with serving(saved_model, MODEL_NAME, seconds=60):
            assert servers()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_while_serving()
    assert not servers()
