"""A day's account adds up before and after it is learned, and says which version of the files counts."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pyarrow as pa
import pytest

from components.events.config import EventsConfig
from components.events.read import read_stretch
from components.features.config import FeaturesConfig
from components.features.stretch import advance_stretch, write_splits
from components.importer.days import write_day
from pipelines import metadata
from pipelines.day_account import absent, day_account, told
from schemas.home import Home
from schemas.lineage import Lineage
from schemas.signatures import LINEAGE_FILE
from schemas.spans import date_of
from tests.factories import FIRST_SPAN, make_events

DATE = date_of(FIRST_SPAN).isoformat()


@pytest.fixture
def home(tmp_path):
    """Two days in the folder; the first ingested with a robot capped and its rows made."""
    home = Home(tmp_path / "home")
    for span, events in make_events(2).items():
        write_day(home.events, date_of(span).isoformat(), events)
    ingest(home)
    return home


def ingest(home: Home) -> Path:
    """As the pipeline does with the first day; the place of its data state."""
    from tfx.types.standard_artifacts import Examples

    from components.artifacts import DataStateArtifact, DayEventsArtifact
    from components.base import lookup
    from components.events import store as days

    opened = metadata.store(home)
    place = home.pipelines / str(len(opened.get_artifacts()))
    out, rows, state = (place / name for name in ("events", "rows", "state"))
    config = EventsConfig(max_events_per_user_day=4)
    read_stretch(home.events, FIRST_SPAN, FIRST_SPAN, out, config)
    weights = config.behavior_weights.model_dump()
    events = days.read_events(out, FIRST_SPAN)
    features = FeaturesConfig(holdout_share=0.3)
    learn, held, _ = advance_stretch(None, {FIRST_SPAN: events}, None, None, features, weights)
    write_splits(rows, learn, held)
    read = publish(opened, DayEventsArtifact(), out)
    made = Examples()
    made.set_string_custom_property(lookup.SPANS, json.dumps([FIRST_SPAN]))
    made.split_names = json.dumps(["learn", "held_out"])
    written = publish(opened, DataStateArtifact(), state), publish(opened, made, rows)  # in whatever order
    made_by(opened, written, {"events": read})
    return state


def publish(opened, artifact, folder: Path) -> int:
    """Puts an artifact at a place into MLMD; its id."""
    from ml_metadata.proto import metadata_store_pb2

    artifact.uri, artifact.span = str(folder), FIRST_SPAN
    proto = artifact.mlmd_artifact
    proto.type_id = opened.put_artifact_type(artifact.artifact_type)
    proto.state = metadata_store_pb2.Artifact.LIVE
    (number,) = opened.put_artifacts([proto])
    return number


def made_by(opened, artifacts: tuple[int, ...], inputs: dict[str, int]) -> None:
    """Puts the execution that wrote some artifacts, with what it took, into MLMD."""
    from ml_metadata.proto import metadata_store_pb2

    kind = metadata_store_pb2.ExecutionType(name="step")
    execution = metadata_store_pb2.Execution(type_id=opened.put_execution_type(kind))
    (number,) = opened.put_executions([execution])
    made = [("made", one, "OUTPUT") for one in artifacts]
    for key, one, direction in [*made, *((k, a, "INPUT") for k, a in inputs.items())]:
        event = metadata_store_pb2.Event(
            artifact_id=one, execution_id=number, type=metadata_store_pb2.Event.Type.Value(direction)
        )
        event.path.steps.add().key = key
        opened.put_events([event])


def push(home: Home, version: int, spans: tuple[int, ...], data_uri: str = "") -> None:
    empty = {one.name: "" for one in dataclasses.fields(Lineage)}
    made = Lineage(
        **empty
        | {
            "version": version,
            "kind": "learned",
            "span": FIRST_SPAN,
            "parent": None,
            "spans_learned": spans,
            "data_versions": {DATE: 1},
            "data_uri": data_uri,
            "config": {},
            "rolled_back": (),
        }
    )
    folder = home.serving / str(version)
    folder.mkdir(parents=True)
    (folder / LINEAGE_FILE).write_text(made.to_json())


def test_the_account_adds_up_before_and_after_the_day_is_learned(home):
    before = day_account(home, FIRST_SPAN)
    assert before.capped > 0
    assert before.received == before.accepted + before.duplicates + before.capped
    assert (before.learned, before.held_out, before.not_yet_learned) == (0, 0, before.accepted)
    push(home, 1, (FIRST_SPAN,))
    after = day_account(home, FIRST_SPAN)
    assert after.learned > 0 < after.held_out
    assert after.learned + after.held_out == after.accepted
    assert (after.not_yet_learned, after.champion, after.learned_version) == (0, 1, 1)
    assert f"+ held out {after.held_out:,} + not yet learned 0" in "\n".join(told(after))


def test_events_that_a_correction_added_are_not_yet_learned(home):
    push(home, 1, (FIRST_SPAN,), data_uri=str(home.pipelines / "0" / "state"))
    before = day_account(home, FIRST_SPAN)
    added = make_events(1, seed=5, per_day=12)[FIRST_SPAN]
    place, field = added.column_names.index("event_id"), added.schema.field("event_id")
    added = added.set_column(place, field, pa.array([f"added-{n}" for n in range(12)]))
    users = pa.array([f"new-{n}" for n in range(12)])
    added = added.set_column(added.column_names.index("user_id"), added.schema.field("user_id"), users)
    write_day(home.events, DATE, pa.concat_tables([make_events(1)[FIRST_SPAN], added]))
    state = ingest(home)
    after = day_account(home, FIRST_SPAN)
    assert (after.version, after.learned_version) == (2, 1)
    assert (after.learned, after.held_out) == (before.learned, before.held_out)
    assert (after.not_yet_learned, after.weightless) == (12, 0)
    push(home, 2, (FIRST_SPAN,), data_uri=str(state))
    assert day_account(home, FIRST_SPAN).not_yet_learned == 0


def test_a_newer_delivery_is_named(home):
    write_day(home.events, DATE, make_events(1, seed=5)[FIRST_SPAN])
    assert "version 2 has been delivered since" in told(day_account(home, FIRST_SPAN))[-1]


def test_a_newest_version_that_is_broken_is_named(home):
    write_day(home.events, DATE, make_events(1, seed=5)[FIRST_SPAN])
    report = home.broken / DATE
    report.mkdir(parents=True)
    found = {"broken": {DATE: ["users_present"]}, "versions": {DATE: 2}}
    (report / "result.json").write_text(json.dumps(found))
    lines = told(day_account(home, FIRST_SPAN))
    assert lines[0] == f"{DATE}, version 1 of its files"
    assert lines[-1].startswith(f"{DATE} is left out, quality failed (users_present): see {report}")
    assert "delivered since" not in "\n".join(lines)


def test_days_without_an_account_say_why(home):
    assert day_account(home, FIRST_SPAN + 1) is None
    assert "not ingested yet" in absent(home, FIRST_SPAN + 1)
    assert "is not delivered" in absent(home, FIRST_SPAN + 2)
