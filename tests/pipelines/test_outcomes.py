"""Served lists joined with the events after them."""

from __future__ import annotations

import datetime as dt
import json
import resource
import signal
from pathlib import Path

import pytest

from components.events.config import BehaviorWeights, EventsConfig
from pipelines.outcomes import Outcome, log_to_mlflow, outcomes
from schemas.home import Home
from schemas.lineage import Lineage
from schemas.signatures import LINEAGE_FILE
from serving.gateway.served import ServedLog, folder

DAY = dt.datetime(2024, 3, 4, tzinfo=dt.timezone.utc)


def at(hours: float) -> dt.datetime:
    return DAY + dt.timedelta(hours=hours)


def micros(moment: dt.datetime) -> int:
    return round(moment.timestamp() * 1e6)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path)
    events = [
        (0, "u", "a", 9, "click"), (0, "u", "b", 12, "purchase"), (0, "v", "a", 13, "purchase"),
        (1, "u", "c", 30, "click"), (1, "v", "z", 25, "cart"), (2, "v", "q", 60, "click"),
    ]  # fmt: skip
    for day in range(3):
        folder = home.events / f"{(DAY + dt.timedelta(days=day)).date()}" / "ver-1"
        folder.mkdir(parents=True)
        lines = [f"{u},{i},{at(h):%Y-%m-%d %H:%M:%S},{b}" for d, u, i, h, b in events if d == day]
        (folder / "events.csv").write_text("\n".join(["user_id,item_id,timestamp,behavior", *lines]) + "\n")
    log = ServedLog(home)
    for hour, user, version, source, items in (
        (10, "u", 1, "model", ["a", "x", "b"]),  # b at place 3; a was taken before
        (10, "v", 1, "model", ["y", "z"]),  # z at place 2, the next day
        (10, "w", 1, "popular", ["a"]),  # a stranger
        (11, "u", 2, "model", ["c"]),  # c 19 hours later
        (35, "v", 2, "model", ["a"]),  # never again
        (71, "v", 2, "model", ["q"]),  # its window has not ended
    ):
        log.write(
            at=at(hour), time=micros(at(hour)), request_id="r", user_id=user, version=version, source=source,
            items=items,
        )  # fmt: skip
    return home


def test_a_line_that_a_full_disk_tore_is_left_out(home: Home, caplog: pytest.LogCaptureFixture) -> None:
    (torn,) = folder(home).glob(f"{DAY.date()}.jsonl")
    whole = outcomes(home, EventsConfig())
    torn.write_text('{"request_id": "r", "at\n' + torn.read_text())
    assert outcomes(home, EventsConfig()) == whole
    assert f"{torn}, line 1 is torn" in caplog.text


def test_after_half_a_line_the_next_begins_anew(tmp_path: Path) -> None:
    log = ServedLog(Home(tmp_path))
    line = {"at": DAY, "time": micros(DAY), "user_id": "u", "version": 1, "source": "model", "items": ["a"]}
    most = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, most[1]))
        with pytest.raises(OSError, match="full"):
            log.write(request_id="torn", **line)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, most)
        signal.signal(signal.SIGXFSZ, ignored)
    log.write(request_id="whole", **line)
    torn, whole = (folder(Home(tmp_path)) / f"{DAY.date()}.jsonl").read_text().splitlines()
    assert len(torn) == 100
    assert json.loads(whole)["request_id"] == "whole"


def test_hits_by_version_and_source(home: Home) -> None:
    assert outcomes(home, EventsConfig()) == [
        Outcome(1, "model", 2, 2, 2.5), Outcome(1, "popular", 1, 0, None), Outcome(2, "model", 2, 1, 1.0),
    ]  # fmt: skip


def test_the_window_and_what_counts(home: Home) -> None:
    short = {(one.version, one.source): one.hits for one in outcomes(home, EventsConfig(), hours=3)}
    assert short == {(1, "model"): 1, (1, "popular"): 0, (2, "model"): 0}
    no_carts = EventsConfig(behavior_weights=BehaviorWeights(cart=0))
    assert outcomes(home, no_carts)[0].hits == 1


def test_nothing_served(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nothing was served"):
        outcomes(Home(tmp_path), EventsConfig())


def test_hit_rates_reach_the_runs(home: Home) -> None:
    from mlflow.tracking import MlflowClient

    client = MlflowClient(home.mlflow_uri)
    run = client.create_run(client.create_experiment("e")).info.run_id
    texts = dict.fromkeys(
        ("model_uri", "model_digest", "data_uri", "data_digest", "verdict", "config_digest", "code_digest"),
        "",
    )
    for version in (1, 2):
        folder = home.serving / str(version)
        folder.mkdir(parents=True)
        found = Lineage(
            version=version, kind="learned", span=1, parent=None, spans_learned=(1,), data_versions={},
            config={}, run_id="", mlflow_run_id=run, created="", **texts,
        )  # fmt: skip
        (folder / LINEAGE_FILE).write_text(found.to_json())
    log_to_mlflow(home, outcomes(home, EventsConfig())[:2])
    assert client.get_run(run).data.metrics == {"outcome.hit_rate": 1.0, "outcome.lists": 2.0}
