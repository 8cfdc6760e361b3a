"""TFX Gate: the verdict as a standard ModelBlessing with `verdict.json` and `verdict.md` beside it."""

from pathlib import Path
from typing import List

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import Model, ModelBlessing, ModelEvaluation

from components.artifacts import ConceptDriftReport, DriftReport, QualityReport
from components.drift.measure import sentences
from components.evaluator.files import read
from components.gate.config import GateConfig
from components.gate.verdict import judge
from components.quality.handing_on import told as left_out


@component
def Gate(
    evaluation: InputArtifact[ModelEvaluation],
    candidate: InputArtifact[Model],
    blessing: OutputArtifact[ModelBlessing],
    config: Parameter[str],
    span: Parameter[int],
    superseded: Parameter[int] = 0,
    quality: InputArtifact[List[QualityReport]] = None,
    drift: InputArtifact[List[DriftReport]] = None,
    concept_drift: InputArtifact[List[ConceptDriftReport]] = None,
) -> None:
    """Bless or reject the candidate; `superseded` = 1 where later days were learned already.

    Broken days that were left out, and drift, inform the reader of the verdict and decide nothing.
    """
    per_row, summary = read(Path(evaluation.uri))
    settings = GateConfig.model_validate_json(config)
    notes = [line for one in quality or [] for line in left_out(Path(one.uri))]
    notes += sentences(Path(one.uri) for one in [*(drift or []), *(concept_drift or [])])
    verdict = judge(per_row, summary, summary["health"], settings, bool(superseded), notes)
    folder = Path(blessing.uri)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "verdict.json").write_text(verdict.to_json())
    (folder / "verdict.md").write_text(verdict.to_markdown())
    (folder / ("BLESSED" if verdict.blessed else "NOT_BLESSED")).touch()
    # The properties that TFX's own Evaluator sets, so that stock resolvers understand the blessing.
    blessing.set_int_custom_property("blessed", int(verdict.blessed))
    blessing.set_string_custom_property("current_model", candidate.uri)
    blessing.set_int_custom_property("current_model_id", candidate.id)
    blessing.set_string_custom_property("status", verdict.status)
    blessing.set_int_custom_property("span", span)
