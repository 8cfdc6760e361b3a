"""The long-running processes of a deployment: how each is started, where it answers, when it is healthy.

All of them listen on the loopback address only.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx

from pipelines.client import PYTHON
from pipelines.environment import SWITCHES
from pipelines.processes import REPOSITORY, socket_address, write_whole
from schemas import lineage
from schemas.home import MODEL_NAME, Home

HOST = "127.0.0.1"
MARK = "EVERLEARN_STACK_HOME"
"""Every process of a stack has this variable, so that none is ever lost from sight."""
AIRFLOW_BIN = REPOSITORY / ".venv-airflow" / "bin"
AIRFLOW_USER = "admin"
MODEL_SERVER = "model-server"
API = "airflow-api"
"""Every task of Airflow speaks to it from beginning to end: the last to be stopped."""
REDIS = shutil.which("redis-server")
"""Started where Debian's redis-server is installed; without it recent events lie in SQLite."""
STORES = ("redis",) if REDIS else ()


@dataclass(frozen=True)
class Ports:
    """Where the three things that a person or a program talks to answer."""

    airflow: int = 8080
    mlflow: int = 5000
    rest: int = 8501
    gateway: int = 8600
    redis: int = 6379

    @classmethod
    def free(cls, home: Home) -> Ports:
        """Those of the last time, else the defaults; the next free one where one is taken."""
        wished = asdict(cls.read(home) or cls())
        return cls(**{name: _next_free(port) for name, port in wished.items()})

    @classmethod
    def read(cls, home: Home) -> Ports | None:
        """Those in use, or of the last time; None before the first, or where a full disk tore the file."""
        try:
            return cls(**json.loads(_ports_file(home).read_text()))
        except (FileNotFoundError, ValueError):
            return None

    def write(self, home: Home) -> None:
        _ports_file(home).parent.mkdir(parents=True, exist_ok=True)
        write_whole(_ports_file(home), json.dumps(asdict(self)) + "\n")

    @property
    def airflow_url(self) -> str:
        return f"http://{HOST}:{self.airflow}"

    @property
    def mlflow_url(self) -> str:
        return f"http://{HOST}:{self.mlflow}"

    @property
    def server_url(self) -> str:
        return f"http://{HOST}:{self.rest}"

    @property
    def gateway_url(self) -> str:
        return f"http://{HOST}:{self.gateway}"

    @property
    def model_url(self) -> str:
        return f"{self.server_url}/v1/models/{MODEL_NAME}"


@dataclass(frozen=True)
class Service:
    """One supervised process."""

    name: str
    argv: tuple[str, ...]
    environment: dict[str, str]
    healthy: Callable[[], bool]


def services(home: Home, ports: Ports) -> dict[str, Service]:
    """Every service by name, in the order in which they start."""
    pipeline = SWITCHES | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"} | _environment(home)
    airflow = airflow_environment(home, ports)
    python, airflow_command = str(PYTHON), str(AIRFLOW_BIN / "airflow")
    mlflow = (
        *(python, "-m", "mlflow", "server", "--host", HOST, "--port", str(ports.mlflow), "--workers", "1"),
        *("--backend-store-uri", home.mlflow_uri, "--default-artifact-root", home.mlflow_artifacts.as_uri()),
    )
    model_server = (
        *(python, "-m", "serving", "--host", HOST, "--rest_api_port", str(ports.rest)),
        *("--model_name", MODEL_NAME, "--model_base_path", str(home.serving)),
    )
    worker = (python, "-m", "pipelines.worker", str(home.worker_socket))
    api, dags = (airflow_command, "api-server"), (airflow_command, "dag-processor")
    scheduler = (airflow_command, "scheduler", "--skip-serve-logs")  # its log server binds every interface
    gateway = {"HOST": HOST, "PORT": str(ports.gateway), "MODEL_URL": ports.model_url}
    stores = []
    if REDIS:
        gateway["REDIS_URL"] = f"redis://{HOST}:{ports.redis}/0"
        in_memory = ("--save", "", "--appendonly", "no")  # the inbox is what lasts
        redis = (REDIS, "--bind", HOST, "--port", str(ports.redis), "--dir", str(home.run), *in_memory)
        stores = [Service("redis", redis, pipeline, _accepts(ports.redis))]
    settings = {f"EVERLEARN_GATEWAY_{name}": value for name, value in gateway.items()}
    gateway_health = _answers(f"{ports.gateway_url}/health")
    listed = (
        Service(API, api, airflow, _answers(f"{ports.airflow_url}/api/v2/version")),
        Service("airflow-dags", dags, airflow, _airflow("dag_processor", ports)),
        Service("airflow-scheduler", scheduler, airflow, _airflow("scheduler", ports)),
        Service("worker", worker, pipeline, _listens(home.worker_socket)),
        Service("mlflow", mlflow, pipeline, _answers(f"{ports.mlflow_url}/health")),
        Service(MODEL_SERVER, model_server, pipeline, _serves(home, ports.model_url)),
        *stores,
        Service("gateway", (python, "-m", "serving.gateway"), settings | pipeline, gateway_health),
    )
    return {service.name: service for service in listed}


def airflow_environment(home: Home, ports: Ports) -> dict[str, str]:
    """What Airflow's own commands need to speak of this deployment.

    `EVERLEARN_AIRFLOW_DATABASE` (an SQLAlchemy address) puts PostgreSQL in SQLite's place; any
    `AIRFLOW__…` variable of the caller comes before the settings here.
    """
    database = os.environ.get("EVERLEARN_AIRFLOW_DATABASE", f"sqlite:///{home.airflow / 'airflow.db'}")
    settings = {
        "CORE__DAGS_FOLDER": str(REPOSITORY / "dags"),
        "CORE__LOAD_EXAMPLES": "false",
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": "16",
        "CORE__EXECUTION_API_SERVER_URL": f"{ports.airflow_url}/execution/",
        "CORE__SIMPLE_AUTH_MANAGER_USERS": f"{AIRFLOW_USER}:admin",
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords_file(home)),
        "API__HOST": HOST,
        "API__PORT": str(ports.airflow),
        "API__BASE_URL": ports.airflow_url,
        "API__WORKERS": "1",
        "DATABASE__SQL_ALCHEMY_CONN": database,
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.1",
        # What a kill leaves running or queued is taken up within a minute, not after five.
        "SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "15",
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "60",
        # A task outlives an API server that is starting, or starting again: a minute and a half.
        "WORKERS__EXECUTION_API_RETRIES": "30",
        "WORKERS__EXECUTION_API_RETRY_WAIT_MAX": "5",
        "DAG_PROCESSOR__REFRESH_INTERVAL": "30",
        "USAGE_DATA_COLLECTION__ENABLED": "false",
    }
    return _environment(home) | {
        "AIRFLOW_HOME": str(home.airflow),
        "PATH": f"{AIRFLOW_BIN}:{os.environ['PATH']}",
        "PYTHONPATH": str(REPOSITORY),
        "SPT_NOENV": "1",  # process titles must not overwrite the environment, and MARK with it
        **{f"AIRFLOW__{name}": os.environ.get(f"AIRFLOW__{name}", value) for name, value in settings.items()},
    }


def passwords_file(home: Home) -> Path:
    return home.airflow / "passwords.json"


def airflow_password(home: Home) -> str:
    """The login of AIRFLOW_USER, made up the first time and readable by this user only."""
    file = passwords_file(home)
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, json.dumps({AIRFLOW_USER: secrets.token_urlsafe(12)}), mode=0o600)
    return json.loads(file.read_text())[AIRFLOW_USER]


def _environment(home: Home) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return kept | {"EVERLEARN_HOME": str(home.root), MARK: str(home.root)}


def _ports_file(home: Home) -> Path:
    return home.run / "ports.json"


def _next_free(port: int) -> int:
    for candidate in range(port, port + 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, candidate))
            except OSError:
                continue
            return candidate
    raise OSError(f"no port from {port} to {port + 99} is free on {HOST}")


def _get(url: str) -> httpx.Response | None:
    try:
        return httpx.get(url, timeout=2, trust_env=False)
    except httpx.HTTPError:
        return None


def _answers(url: str) -> Callable[[], bool]:
    def healthy() -> bool:
        response = _get(url)
        return response is not None and response.status_code == 200

    return healthy


def _serves(home: Home, url: str) -> Callable[[], bool]:
    """As TF Serving, the model server answers nobody before its first version is there: that is healthy."""

    def healthy() -> bool:
        return not lineage.versions(home.serving) or _answers(url)()

    return healthy


def _airflow(part: str, ports: Ports) -> Callable[[], bool]:
    def healthy() -> bool:
        response = _get(f"{ports.airflow_url}/api/v2/monitor/health")
        return response is not None and response.json()[part]["status"] == "healthy"

    return healthy


def _accepts(port: int) -> Callable[[], bool]:
    def healthy() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((HOST, port)) == 0

    return healthy


def _listens(address: Path) -> Callable[[], bool]:
    def healthy() -> bool:
        try:
            with socket_address(address) as name, socket.socket(socket.AF_UNIX) as probe:
                return probe.connect_ex(name) == 0
        except OSError:
            return False

    return healthy
