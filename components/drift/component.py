"""TFX components: the schema that fits the day's features, and how far the day lies from earlier ones."""

from pathlib import Path
from typing import List

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import ExampleStatistics, Schema

from components.artifacts import DriftReport
from components.drift.measure import load_schema, load_statistics, measure, write_report
from components.drift.schema import fitted

SCHEMA_FILE = "schema.pbtxt"


@component
def RowsSchema(
    statistics: InputArtifact[ExampleStatistics],
    schema: OutputArtifact[Schema],
    curated: Parameter[str],
):
    """`curated`: path of the curated schema, `path#digest` where TFX's cache should see it change."""
    import tensorflow_data_validation as tfdv

    made = fitted(load_schema(curated.partition("#")[0]), load_statistics(statistics.uri))
    tfdv.write_schema_text(made, str(Path(schema.uri) / SCHEMA_FILE))


@component
def Drift(
    statistics: InputArtifact[ExampleStatistics],
    schema: InputArtifact[Schema],
    report: OutputArtifact[DriftReport],
    earlier: InputArtifact[List[ExampleStatistics]] = None,
):
    """Writes `report.json`; it never stops a day."""
    now = load_statistics(statistics.uri)
    before = {one.span: load_statistics(one.uri) for one in earlier or []}
    curated = load_schema(Path(schema.uri) / SCHEMA_FILE)
    write_report(report.uri, statistics.span, measure(statistics.span, now, before, fitted(curated, now)))
    report.span = statistics.span
