"""TFX Record: gathers the day's artifacts and writes them into MLflow before anything is pushed."""

import json
from pathlib import Path
from typing import List

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.artifact import Artifact
from tfx.types.standard_artifacts import (
    ExampleAnomalies,
    Examples,
    InfraBlessing,
    Model,
    ModelBlessing,
    ModelEvaluation,
)
from tfx.utils.path_utils import serving_model_path

from components.artifacts import (
    CORRECTED,
    ConceptDriftReport,
    DataStateArtifact,
    DayEventsArtifact,
    DriftReport,
    MlflowRun,
    QualityReport,
)
from components.evaluator.files import SUMMARY
from components.record.files import RUN_FILE


@component
def Record(
    evaluation: InputArtifact[ModelEvaluation],
    blessing: InputArtifact[ModelBlessing],
    candidate: InputArtifact[Model],
    training_rows: InputArtifact[Examples],
    data_state: InputArtifact[DataStateArtifact],
    run: OutputArtifact[MlflowRun],
    config: Parameter[str],
    home: Parameter[str],
    run_id: Parameter[str],
    span: Parameter[int],
    airflow_run_id: Parameter[str] = "",
    quality: InputArtifact[List[QualityReport]] = None,
    drift: InputArtifact[List[DriftReport]] = None,
    concept_drift: InputArtifact[List[ConceptDriftReport]] = None,
    anomalies: InputArtifact[List[ExampleAnomalies]] = None,
    events: InputArtifact[List[DayEventsArtifact]] = None,
    infra: InputArtifact[List[InfraBlessing]] = None,
) -> None:
    """`config` is the whole composed configuration as JSON; all of it becomes params."""
    from components import digests
    from components.base import lookup
    from components.events.store import accounts
    from components.features.stretch import read_split
    from components.record import checks, gather
    from components.record.record import Day, record
    from components.replay.prepare import NEW, SPLITS, of_spans
    from components.trainer.run_fn import ATTEMPTS, REPORT, STATE
    from schemas.home import Home
    from schemas.rows import HELD_OUT

    place, model = Home(Path(home)), Path(candidate.uri)
    splits = {split: read_split(Path(training_rows.uri), split) for split in SPLITS}
    corrected = set(json.loads(training_rows.get_string_custom_property(CORRECTED) or "[]"))
    spans = set(lookup.spans_of(training_rows)) - corrected  # of a corrected day only a part is learned now
    new, held_out = (of_spans(splits[split], spans) for split in (NEW, HELD_OUT))
    accounted = [account for folder in _folders(events) for account in accounts(folder).values()]
    days = {account["span"]: account for account in accounted if account["span"] in spans}
    passed = [one.get_int_custom_property("blessed") == 1 for one in infra or []]
    attached = {
        "quality": quality,
        "drift": drift,
        "concept_drift": concept_drift,
        "anomalies": anomalies,
    }
    attempts = model / STATE / ATTEMPTS
    where = record(
        Day(
            run_id=run_id,
            airflow_run_id=airflow_run_id,
            config=json.loads(config),
            summary=_read(evaluation, SUMMARY),
            verdict=_read(blessing, "verdict.json"),
            report=_read(candidate, f"{STATE}/{REPORT}"),
            counts=gather.count(days.values(), new, held_out),
            rows={split: table.num_rows for split, table in splits.items()},
            training_rows=Path(training_rows.uri),
            rows_digest=digests.of_folder(Path(training_rows.uri)),
            model=model,
            saved_model=Path(serving_model_path(candidate.uri)),
            attempts=json.loads(attempts.read_text()) if attempts.exists() else (),
            further_metrics={
                "rows/of_corrected_days": float(splits[NEW].num_rows - new.num_rows),
                **checks.quality_metrics(_folders(quality)),
                **checks.anomaly_metrics(_folders(anomalies)),
                **checks.drift_metrics(_folders(drift)),
                **checks.concept_drift_metrics(_folders(concept_drift)),
            },
            further_tags={
                "data_state": data_state.uri,
                "model_uri": candidate.uri,
                **({"smoke": "passed" if all(passed) else "failed"} if passed else {}),
            },
            attachments={
                "evaluation": Path(evaluation.uri),
                "verdict": Path(blessing.uri),
                **{name: folder for name, one in attached.items() for folder in _folders(one)},
            },
        ),
        place.mlflow_uri,
        place.mlflow_artifacts,
    )
    run.span = span
    Path(run.uri).mkdir(parents=True, exist_ok=True)
    (Path(run.uri) / RUN_FILE).write_text(json.dumps(where, indent=2))


def _folders(artifacts: List[Artifact]) -> list[Path]:
    return [Path(artifact.uri) for artifact in artifacts or []]


def _read(artifact: Artifact, name: str) -> dict:
    return json.loads((Path(artifact.uri) / name).read_text())
