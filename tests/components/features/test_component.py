"""The ingest components as TFX nodes on one store, one split empty; TFX's own StatisticsGen beside ours."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

import schemas
from components.events.config import EventsConfig
from components.events.read import day_files
from components.features.config import FeaturesConfig
from components.features.data_state import DataState
from components.features.stretch import read_split
from schemas.rows import HELD_OUT, LEARN
from schemas.spans import date_of
from tests.factories import FIRST_SPAN, make_events, make_items


@pytest.mark.slow
def test_a_stretch_runs_through_tfx(tmp_path):
    import tensorflow_data_validation as tfdv
    from tfx import v1 as tfx
    from tfx.orchestration.local.local_dag_runner import LocalDagRunner
    from tfx.orchestration.metadata import sqlite_metadata_connection_config

    from components.drift.component import Drift, RowsSchema
    from components.drift.config import DriftConfig
    from components.events.component import DayEvents
    from components.features.component import Features
    from components.quality.component import Quality
    from components.statistics.component import Statistics
    from components.statistics.compute import STATISTICS_FILE

    folder = tmp_path / "days"
    for span, table in make_events(2).items():
        day = folder / date_of(span).isoformat() / "ver-1"
        day.mkdir(parents=True)
        pq.write_table(table, day / "events.parquet")
    pq.write_table(make_items(), tmp_path / "items.parquet")
    assert day_files(folder, FIRST_SPAN).version == 1

    events = DayEvents(
        first_span=FIRST_SPAN,
        last_span=FIRST_SPAN + 1,
        fingerprint="",
        folder=str(folder),
        config=EventsConfig().model_dump_json(),
    )
    quality = Quality(events=events.outputs["events"])
    features = Features(
        events=events.outputs["events"],
        config=FeaturesConfig(holdout_share=0.0).model_dump_json(),
        behavior_weights=EventsConfig().behavior_weights.model_dump_json(),
        items=f"{tmp_path / 'items.parquet'}#digest",
        users="",
    )
    statistics = Statistics(rows=features.outputs["rows"])
    stock = tfx.components.StatisticsGen(examples=features.outputs["rows"])
    curated = Path(schemas.__file__).parent / "rows.pbtxt"
    settings = DriftConfig().model_dump_json()
    schema = RowsSchema(statistics=statistics.outputs["statistics"], curated=str(curated), config=settings)
    validation = tfx.components.ExampleValidator(
        statistics=statistics.outputs["statistics"], schema=schema.outputs["schema"]
    )
    drift = Drift(
        statistics=statistics.outputs["statistics"], schema=schema.outputs["schema"], config=settings
    )
    pipeline = tfx.dsl.Pipeline(
        pipeline_name="ingest",
        pipeline_root=str(tmp_path / "root"),
        components=[events, quality, features, statistics, stock, schema, validation, drift],
        metadata_connection_config=sqlite_metadata_connection_config(str(tmp_path / "metadata.sqlite")),
    )
    LocalDagRunner().run(pipeline)

    def output(component: str, name: str) -> Path:
        (found,) = (tmp_path / "root" / component / name).iterdir()
        return found

    assert read_split(output("Features", "rows"), LEARN).num_rows > 50
    assert read_split(output("Features", "rows"), HELD_OUT).num_rows == 0
    state = DataState.load(output("Features", "data_state"))
    assert (state.span, list(state.spans)) == (FIRST_SPAN + 1, [FIRST_SPAN, FIRST_SPAN + 1])
    assert (output("Quality", "report") / "data_docs" / "index.html").is_file()
    assert (output("Drift", "report") / "report.json").is_file()
    for split in (LEARN, HELD_OUT):
        ours, beams = (
            tfdv.load_stats_binary(str(output(name, "statistics") / f"Split-{split}" / STATISTICS_FILE))
            for name in ("Statistics", "StatisticsGen")
        )
        assert by_feature(ours) == by_feature(beams)
        assert ours.datasets[0].num_examples == beams.datasets[0].num_examples


def by_feature(statistics):
    """Without the ids, each of which is there once: TFDV cuts the list of the most frequent anywhere."""
    return {
        one.path.step[0]: one for one in statistics.datasets[0].features if one.path.step[0] != "event_id"
    }
