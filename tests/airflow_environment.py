"""Test modules that import Airflow or a DAG file run under its own Python, and count in the one run of all.

The run in `.venv` cannot import such a module. It asks `.venv-airflow` what tests the module has, and runs
the chosen ones there, a process a module. There this file is the plugin (`-p`) that answers as JSON lines.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PYTHON = ROOT / ".venv-airflow" / "bin" / "python"
ANSWER_FILE = "PYTEST_AIRFLOW_ANSWER_FILE"
IMPORTS_AIRFLOW = re.compile(r"^\s*(from|import) (airflow|dags)\b|importorskip\(.airflow", re.MULTILINE)


def collector(module_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """The collector of a module that this Python cannot import; None for every other module."""
    if importlib.util.find_spec("airflow") or not IMPORTS_AIRFLOW.search(module_path.read_text()):
        return None
    return AirflowModule.from_parent(parent, path=module_path)


class AirflowModule(pytest.File):
    def collect(self) -> Iterator[pytest.Item]:
        answers, output = ask("--collect-only", str(self.path))
        if not answers:
            raise self.CollectError(output)
        for answer in answers:
            item = AirflowItem.from_parent(self, name=answer["id"].split("::", 1)[1])
            for mark in answer["marks"]:
                item.add_marker(mark)
            item.add_marker(pytest.mark.timeout(0))  # the other process keeps the time
            yield item


class AirflowItem(pytest.Item):
    def runtest(self) -> None:
        outcomes = self.parent.stash.setdefault(OUTCOMES, {}) or self.run_with_siblings()
        phases = [answer for answer in outcomes["answers"] if answer["id"].split("::", 1)[1] == self.name]
        for phase in phases:
            if phase["outcome"] == "skipped":
                pytest.skip(phase["text"])  # as the other environment's pytest said, with its reason
            if phase["outcome"] == "failed":
                raise AirflowTestError(phase["text"])
        if not phases:
            raise AirflowTestError(outcomes["output"])

    def run_with_siblings(self) -> dict:
        names = [item.name for item in self.session.items if item.parent is self.parent]
        answers, output = ask(*(f"{self.path}::{name}" for name in names))
        outcomes = self.parent.stash[OUTCOMES]
        outcomes.update(answers=answers, output=output)
        return outcomes

    def repr_failure(self, excinfo: pytest.ExceptionInfo, style: str | None = None) -> str:
        if isinstance(excinfo.value, AirflowTestError):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, None, str]:
        return self.path, None, self.name


class AirflowTestError(Exception):
    """The message is the other process's own report."""


OUTCOMES = pytest.StashKey[dict]()


def ask(*arguments: str) -> tuple[list[dict], str]:
    """Runs pytest under Airflow's Python: what the plugin below wrote, and what pytest printed."""
    with tempfile.NamedTemporaryFile("r") as answer:
        command = [str(PYTHON), "-m", "pytest", "-q", "-p", "tests.airflow_environment", *arguments]
        environment = {**os.environ, ANSWER_FILE: answer.name}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        return [json.loads(line) for line in answer], done.stdout + done.stderr


def _answer(**fields: object) -> None:
    with Path(os.environ[ANSWER_FILE]).open("a") as file:
        file.write(json.dumps(fields) + "\n")


def pytest_collection_finish(session: pytest.Session) -> None:
    if session.config.option.collectonly:
        for item in session.items:
            _answer(id=item.nodeid, marks=[mark.name for mark in item.iter_markers() if not mark.args])


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longreprtext
    _answer(id=report.nodeid, outcome=report.outcome, text=text)
