"""TFX components: the schema that fits the day's features, how far the day lies from earlier ones, and
whether the champion does worse on days that it has not learned yet. None of them stops a day."""

import json
from pathlib import Path
from typing import List

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import ExampleStatistics, ModelEvaluation, Schema

from components.artifacts import ConceptDriftReport, DriftReport
from components.drift.config import ConceptDriftConfig, DriftConfig
from components.drift.measure import (
    PLOT_FILE,
    REPORT_FILE,
    finding,
    load_schema,
    load_statistics,
    measure,
    write_report,
)
from components.drift.schema import fitted, unknown

SCHEMA_FILE = "schema.pbtxt"
STATE_FILE = "state.json"


@component
def RowsSchema(
    statistics: InputArtifact[ExampleStatistics],
    schema: OutputArtifact[Schema],
    curated: Parameter[str],
    config: Parameter[str],
):
    """`curated`: path of the curated schema, `path#digest` where TFX's cache should see it change;
    `config`: DriftConfig, whose thresholds the schema then holds."""
    import tensorflow_data_validation as tfdv

    settings = DriftConfig.model_validate_json(config)
    made = fitted(load_schema(curated.partition("#")[0]), load_statistics(statistics.uri), settings)
    tfdv.write_schema_text(made, str(Path(schema.uri) / SCHEMA_FILE))


@component
def Drift(
    statistics: InputArtifact[ExampleStatistics],
    schema: InputArtifact[Schema],
    report: OutputArtifact[DriftReport],
    config: Parameter[str],
    earlier: InputArtifact[List[ExampleStatistics]] = None,
):
    """Writes `report.json` and `drift.png`; the thresholds are the schema's."""
    from components.drift import plots

    settings, span = DriftConfig.model_validate_json(config), statistics.span
    distances, said = [], "Input drift: not measured (drift.enabled is off)."
    if settings.enabled:
        thresholds = load_schema(Path(schema.uri) / SCHEMA_FILE)
        before = {one.span: load_statistics(one.uri) for one in earlier or []}
        distances = measure(span, load_statistics(statistics.uri), before, thresholds, settings.window)
        said = " ".join([finding(distances), *unknown(thresholds, settings)])
    write_report(report.uri, span, distances, said)
    if distances:
        date = json.loads((Path(report.uri) / REPORT_FILE).read_text())["date"]
        plots.distances(distances, date).savefig(Path(report.uri) / PLOT_FILE)
    report.span = span


@component
def ConceptDrift(
    evaluation: InputArtifact[ModelEvaluation],
    report: OutputArtifact[ConceptDriftReport],
    config: Parameter[str],
    span: Parameter[int],
    before: InputArtifact[List[ConceptDriftReport]] = None,
) -> None:
    """Writes `report.json`, `state.json` (all days so far, for the next run) and a plot.

    before: the report of the newest span up to this one. A day that is run again counts once.
    """
    from components.drift import concept, plots
    from components.evaluator.files import read

    settings = ConceptDriftConfig.model_validate_json(config)
    per_row, summary = read(Path(evaluation.uri))
    metric, folder = summary["headline"], Path(report.uri)
    carried = concept.load([Path(one.uri) / STATE_FILE for one in before or []], metric)
    days = concept.merged(carried, concept.next_day(per_row, metric), span)
    watched = concept.watch(days, settings)
    if watched:
        plots.next_day_metric(watched, metric, settings.threshold).savefig(folder / "next_day_metric.png")
    concept.save(folder / STATE_FILE, metric, days)
    rows = int(days.get(span, {}).get("rows", 0))
    told = concept.report(span, metric, watched, settings, rows)
    (folder / REPORT_FILE).write_text(json.dumps(told, indent=1))
    report.span = span
