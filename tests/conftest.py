"""What every test shares: no state of the user's, no telemetry, fast tests first, two environments."""

import os
from pathlib import Path

import pytest

from tests import airflow_environment

for name in [name for name in os.environ if name.startswith("EVERLEARN_")]:
    del os.environ[name]
os.environ.update(
    TF_USE_LEGACY_KERAS="1",
    TF_CPP_MIN_LOG_LEVEL="2",
    CUDA_VISIBLE_DEVICES="-1",
    MPLBACKEND="agg",
    MLFLOW_DISABLE_TELEMETRY="true",
    GX_ANALYTICS_ENABLED="false",
)


@pytest.fixture(autouse=True)
def own_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A test that forgets to name its state folder writes into its own temporary one."""
    monkeypatch.setenv("EVERLEARN_HOME", str(tmp_path / "home"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Fast tests first: a broken unit is known before any stack starts."""
    items.sort(key=lambda item: ("e2e" in item.keywords, "slow" in item.keywords))


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes are no name: packed ones may hold the time, and every process must name a test the same."""
    return argname if isinstance(val, bytes) else None


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Modules that import Airflow run under its own Python, and count in this run."""
    return airflow_environment.collector(module_path, parent)
