"""TFX Evaluator: reads the models, evaluates, writes `per_row.parquet` and `summary.json`."""

import json
from pathlib import Path
from typing import List

import pyarrow as pa
import pyarrow.parquet as pq
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.artifact import Artifact
from tfx.types.standard_artifacts import Model, ModelEvaluation

from components.artifacts import DataStateArtifact
from components.evaluator.churn import overlap_with_champion
from components.evaluator.config import EvaluatorConfig
from components.evaluator.evaluate import evaluate
from components.evaluator.files import PER_ROW, SUMMARY, read_best_ever
from components.evaluator.health import health
from components.evaluator.tasks import split
from components.features.rows import scalar


@component
def Evaluator(
    candidate: InputArtifact[Model],
    data_state: InputArtifact[DataStateArtifact],
    evaluation: OutputArtifact[ModelEvaluation],
    config: Parameter[str],
    span: Parameter[int],
    champion: InputArtifact[List[Model]] = None,
    month_ago: InputArtifact[List[Model]] = None,
    previous: InputArtifact[List[ModelEvaluation]] = None,
) -> None:
    """Candidate, champion and the champion of a month ago on the candidate's held-out rows.

    previous: the evaluation of an earlier span, whose best-ever values are carried on.
    """
    from components.features.data_state import DataState
    from components.trainer.probe import on_probe
    from components.trainer.run_fn import REPORT, STATE
    from components.trainer.scoring import Scorer
    from components.trainer.state import ModelState

    data = DataState.load(Path(data_state.uri))
    compared, month = _uris(champion), _uris(month_ago)
    states = {uri: ModelState.load(Path(uri) / STATE) for uri in {candidate.uri, *compared, *month}}
    scorers = {uri: Scorer(state, data) for uri, state in states.items()}
    ours = states[candidate.uri]
    learned_before = {one for uri in compared for one in states[uri].spans_learned}
    items = data.catalogue
    settings = EvaluatorConfig.model_validate_json(config)
    learned_now = set(ours.spans_learned) - learned_before if compared else set()
    tasks = split(scalar(ours.held_out, "span"), span, learned_now, settings.trailing_days)
    # By old rows of the probe half the candidate may have been chosen: they judge nothing.
    judged = ours.held_out.filter(pa.array(~(tasks.old & on_probe(ours.held_out, ours.config))))
    result = evaluate(
        scorers[candidate.uri],
        scorers[compared[0]] if compared else None,
        scorers[month[0]] if month else None,
        judged,
        span,
        learned_now,
        settings,
        dict(zip(items["item_id"].to_pylist(), items["first_span"].to_pylist(), strict=True)),
        read_best_ever(_uris(previous)),
    )
    report = json.loads((Path(candidate.uri) / STATE / REPORT).read_text())
    mine, served = scorers[candidate.uri], scorers[compared[0]] if compared else None
    summary = result.summary | {
        "health": health(report, mine, ours.held_out),
        "overlap": overlap_with_champion(mine, served, ours.held_out),
    }
    folder = Path(evaluation.uri)
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(result.per_row, folder / PER_ROW)
    (folder / SUMMARY).write_text(json.dumps(summary, indent=2))
    evaluation.set_int_custom_property("span", span)


def _uris(artifacts: List[Artifact]) -> list[str]:
    return [artifact.uri for artifact in artifacts or []]
