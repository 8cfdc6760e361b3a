"""`everlearn status` tells what the latest run found of concept drift."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.commands.status import app
from schemas.home import Home
from schemas.lineage import LEARNED, Lineage
from schemas.signatures import LINEAGE_FILE


@pytest.fixture
def home(tmp_path: Path, monkeypatch) -> Home:
    """One imported day and the champion that learned it."""
    monkeypatch.setenv("EVERLEARN_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    home = Home(tmp_path)
    day = home.events / "2017-03-07" / "ver-1"
    day.mkdir(parents=True)
    (day / "events.csv").touch()
    champion = Lineage(
        version=1, kind=LEARNED, span=17_232, parent=None, spans_learned=(17_232,), model_uri="",
        model_digest="",
        data_uri="", data_digest="", data_versions={}, verdict="blessed", config={}, config_digest="",
        code_digest="", run_id="", mlflow_run_id="", created="2017-03-08T00:00:00",
    )  # fmt: skip
    folder = home.serving / "1"
    folder.mkdir(parents=True)
    (folder / LINEAGE_FILE).write_text(champion.to_json())
    return home


def test_the_latest_report_and_all_alarms_are_told(home: Home) -> None:
    for execution, sentence, alarms in ((9, "an old one", []), (10, "the [latest] one", ["2017-03-01"])):
        folder = home.pipelines / "ConceptDrift" / "report" / str(execution)
        folder.mkdir(parents=True)
        (folder / "report.json").write_text(json.dumps({"sentence": sentence, "alarms": alarms}))
    told = CliRunner().invoke(app, ["status"]).output
    assert "the [latest] one\n" in told
    assert "concept drift was alarmed on: 2017-03-01\n" in told
    assert "an old one" not in told


def test_nothing_is_told_before_the_first_report(home: Home) -> None:
    told = CliRunner().invoke(app, ["status"])
    assert told.exit_code == 0
    assert "drift" not in told.output
