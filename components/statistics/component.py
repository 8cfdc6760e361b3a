"""TFX component: rows → their statistics, in the layout that ExampleValidator and TFDV read."""

import json
from pathlib import Path

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import Examples, ExampleStatistics

from components.features.stretch import ROWS_FILE
from components.statistics.compute import STATISTICS_FILE, statistics_of


@component
def Statistics(rows: InputArtifact[Examples], statistics: OutputArtifact[ExampleStatistics]):
    """Writes `Split-<name>/FeatureStats.pb` of every split, as the stock StatisticsGen does."""
    for split in json.loads(rows.split_names):
        target = Path(statistics.uri) / f"Split-{split}"
        target.mkdir(parents=True, exist_ok=True)
        made = statistics_of(Path(rows.uri) / f"Split-{split}" / ROWS_FILE)
        (target / STATISTICS_FILE).write_bytes(made.SerializeToString())
    statistics.split_names, statistics.span = rows.split_names, rows.span
