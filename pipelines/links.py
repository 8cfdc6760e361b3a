"""Where a run is found in MLflow's UI. Standard library only: Airflow's tasks ask."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from schemas.home import MODEL_NAME, Home

RUN_ID_TAG = "tfx_run_id"
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a loopback address needs no proxy


def mlflow_run(home: Home, run_id: str) -> str:
    """The page of the MLflow run of a TFX run id; before it is recorded, the list in which it will be.

    Empty where no MLflow server of this state folder answers.
    """
    try:
        ports = json.loads((home.run / "ports.json").read_text())
        server = f"http://127.0.0.1:{ports['mlflow']}"
        experiment = _ask(f"{server}/api/2.0/mlflow/experiments/get-by-name?experiment_name={MODEL_NAME}")
        number = experiment["experiment"]["experiment_id"]
        found = _search(server, number, run_id)
    except urllib.error.HTTPError:
        return f"{server}/#/experiments"
    except (OSError, KeyError, ValueError):
        return ""
    if found:
        return f"{server}/#/experiments/{number}/runs/{found[0]['info']['run_id']}"
    wanted = urllib.parse.quote(f"tags.{RUN_ID_TAG} = '{run_id}'")
    return f"{server}/#/experiments/{number}/runs?searchFilter={wanted}"


def _search(server: str, experiment: str, run_id: str) -> list[dict[str, Any]]:
    question = {
        "experiment_ids": [experiment],
        "filter": f"tags.{RUN_ID_TAG} = '{run_id}'",
        "max_results": 1,
    }
    return _ask(f"{server}/api/2.0/mlflow/runs/search", json.dumps(question).encode()).get("runs", [])


def _ask(url: str, body: bytes | None = None) -> dict[str, Any]:
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310 (http only)
    with _OPENER.open(request, timeout=2) as answer:
        return json.load(answer)
