"""The production files agree with each other and with what the pipeline pushes."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path, PurePosixPath

import httpx
import pytest
import tensorflow as tf
import yaml

import serving
from schemas.home import MODEL_NAME, Home
from serving.config_file import METRICS_PATH, read_metrics_path, read_models
from serving.gateway.inbox import path_of
from serving.gateway.served import folder
from serving.gateway.settings import Settings

PRODUCTION = Path(serving.__file__).parent / "production"


@pytest.fixture(scope="module")
def services() -> dict:
    found = yaml.safe_load((PRODUCTION / "compose.yaml").read_text())["services"]
    assert list(found) == ["model-server", "redis", "gateway"]
    return found


@pytest.fixture(scope="module")
def service(services: dict) -> dict:
    return services["model-server"]


@pytest.fixture(scope="module")
def gateway(services: dict) -> Settings:
    """The gateway's settings, variables of the outside being unset."""
    given = {
        name: re.sub(r"\$\{\w+:-(.*)\}", r"\1", value)
        for name, value in services["gateway"]["environment"].items()
    }
    return Settings.from_environment(given).model_copy(update={"home": Path(given["EVERLEARN_HOME"])})


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


def test_pinned(services):
    name, tag = services["model-server"]["image"].split(":")
    assert name == "tensorflow/serving"
    assert tag.split(".")[:2] == tf.__version__.split(".")[:2]
    dockerfile = (PRODUCTION / "gateway.Dockerfile").read_text()
    images = [
        services["model-server"]["image"],
        services["redis"]["image"],
        *re.findall("FROM (.*)", dockerfile),
    ]
    for image in images:
        assert re.fullmatch(r"[a-z/]+:\d+\.\d+\.\d+(-slim)?", image)


@pytest.mark.parametrize("name", ["model-server", "redis", "gateway"])
def test_confined(services, name):
    service = services[name]
    assert service["user"].split(":")[0] not in ("0", "root")
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert service["healthcheck"]["test"]
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


def test_the_gateway_finds_the_model_server_and_redis(services, gateway, flags):
    model = httpx.URL(gateway.model_url)
    assert (model.host, str(model.port)) == ("model-server", flags["rest_api_port"])
    assert model.path == f"/v1/models/{MODEL_NAME}"
    command = services["redis"]["command"]
    # An evicted user would look like one who did nothing; a full store says that it is full.
    assert command[command.index("--maxmemory-policy") + 1] == "noeviction"
    redis = httpx.URL(gateway.redis_url)
    assert redis.host in services
    assert redis.port == 6379
    assert gateway.api_key is None
    assert services["gateway"]["ports"] == [f"127.0.0.1:{gateway.port}:{gateway.port}"]
    assert f"127.0.0.1:{gateway.port}/health" in services["gateway"]["healthcheck"]["test"][-1]


def test_the_gateway_writes_only_into_data(services, gateway):
    volumes = [volume.rpartition(gateway.home.as_posix()) for volume in services["gateway"]["volumes"]]
    assert [(source.rsplit("/", 1)[1], target) for source, _, target in volumes] == [
        ("data:", "/data"), ("serving:", "/serving:ro"),
    ]  # fmt: skip
    for path in (path_of(gateway.state), folder(gateway.state)):
        assert path.is_relative_to(gateway.home / "data")


def test_the_image_has_what_the_gateway_imports():
    """Every package that the gateway's modules import, without TensorFlow."""
    script = "import sys, serving.gateway.__main__; print(*{name.split('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    installed = set((PRODUCTION / "gateway.Dockerfile").read_text().replace("-offline", "_offline").split())
    needed = {"fastapi", "fastapi_offline", "uvicorn", "httpx", "orjson", "pyarrow", "pydantic", "redis"}
    assert needed <= set(loaded.stdout.split())
    assert needed <= installed
    assert "tensorflow" not in loaded.stdout.split()


@pytest.mark.contract
def test_the_health_check_tells_a_server_that_serves(service, server_url):
    _, shell, option, script = service["healthcheck"]["test"]
    port = server_url.rsplit(":", 1)[1]
    script = script.replace("/8501", f"/{port}")
    ready = script.replace(f"/models/{MODEL_NAME} ", "/models/contract ")
    assert subprocess.run([shell, option, ready]).returncode == 0
    assert subprocess.run([shell, option, script]).returncode != 0
