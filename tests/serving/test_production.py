"""The production files agree with each other and with what the pipeline pushes."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path, PurePosixPath

import pytest
import tensorflow as tf
import yaml

import serving
from schemas.home import MODEL_NAME, Home
from serving.config_file import METRICS_PATH, read_metrics_path, read_models

PRODUCTION = Path(serving.__file__).parent / "production"


@pytest.fixture(scope="module")
def service() -> dict:
    services = yaml.safe_load((PRODUCTION / "compose.yaml").read_text())["services"]
    assert list(services) == ["model-server"]
    return services["model-server"]


@pytest.fixture(scope="module")
def flags(service: dict) -> dict[str, str]:
    return dict(flag.removeprefix("--").split("=", 1) for flag in service["command"])


@pytest.fixture(scope="module")
def mounts(service: dict) -> dict[str, str]:
    """Source by target; every mount is read-only."""
    found = {}
    for volume in service["volumes"]:
        source, target, mode = re.fullmatch(r"(.+):(/[^:]+):(\w+)", volume).groups()
        assert mode == "ro"
        found[target] = source
    return found


def test_the_served_model_is_the_one_that_is_pushed(mounts):
    (model,) = read_models(PRODUCTION / "models.config")
    assert model.name == MODEL_NAME
    assert model.policy([1, 2, 3]) == [3]
    base = PurePosixPath(model.base_path)
    pushed = Home(Path("/home")).serving.relative_to("/home")
    assert PurePosixPath(mounts[str(base.parent)]).name == str(pushed.parent)
    assert base.name == pushed.name


def test_flags_name_mounted_files(flags, mounts):
    for flag in ("model_config_file", "monitoring_config_file"):
        source = mounts[flags[flag]]
        assert (PRODUCTION / source).is_file(), source


def test_monitoring():
    assert read_metrics_path(PRODUCTION / "monitoring.config") == METRICS_PATH


def test_only_the_rest_port_on_loopback(service, flags):
    port = flags["rest_api_port"]
    assert service["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert f"/dev/tcp/127.0.0.1/{port}" in service["healthcheck"]["test"][-1]
    assert f"/v1/models/{MODEL_NAME} " in service["healthcheck"]["test"][-1]


def test_pinned_and_confined(service):
    name, tag = service["image"].split(":")
    assert name == "tensorflow/serving"
    assert tag.split(".")[:2] == tf.__version__.split(".")[:2]
    assert re.fullmatch(r"\d+\.\d+\.\d+", tag)
    assert service["user"].split(":")[0] not in ("0", "root")
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["mem_limit"]


@pytest.mark.contract
def test_the_health_check_tells_a_server_that_serves(service, server_url):
    _, shell, option, script = service["healthcheck"]["test"]
    port = server_url.rsplit(":", 1)[1]
    script = script.replace("/8501", f"/{port}")
    ready = script.replace(f"/models/{MODEL_NAME} ", "/models/contract ")
    assert subprocess.run([shell, option, ready]).returncode == 0
    assert subprocess.run([shell, option, script]).returncode != 0
