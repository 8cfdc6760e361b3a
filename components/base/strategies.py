"""TFX resolver strategies that think in spans, with the serving folder as the truth about models.

TFX's LatestBlessedModelStrategy sorts by artifact id: a re-run of day D would warm-start from D's own model.
"""

from pathlib import Path

import ml_metadata as mlmd
from tfx.dsl.components.common import resolver
from tfx.types.artifact import Artifact
from tfx.types.standard_artifacts import ExampleAnomalies, Examples, ExampleStatistics, Model, ModelEvaluation

from components.artifacts import DataStateArtifact, DayEventsArtifact, DriftReport, QualityReport
from components.base import lookup
from schemas import lineage

MONTH = 28
WEEK = 7


class DataBefore(resolver.ResolverStrategy):
    """`before`: the data state of the newest span before `span`; nothing on the first day."""

    def __init__(self, span: int):
        self._span = span

    def resolve_artifacts(self, store: mlmd.MetadataStore, input_dict: dict) -> dict[str, list[Artifact]]:
        return {"before": lookup.before_span(lookup.live(store, DataStateArtifact), self._span)}


class StatisticsBefore(resolver.ResolverStrategy):
    """`earlier`: statistics of the newest span before the stretch and of the same weekday a week ago."""

    def __init__(self, first_span: int, span: int):
        self._first_span, self._span = first_span, span

    def resolve_artifacts(self, store: mlmd.MetadataStore, input_dict: dict) -> dict[str, list[Artifact]]:
        statistics = lookup.live(store, ExampleStatistics)
        newest = lookup.before_span(statistics, self._first_span)
        same_weekday = lookup.at_span(statistics, self._span - WEEK)
        return {"earlier": newest + [one for one in same_weekday if one not in newest]}


class Base(resolver.ResolverStrategy):
    """Everything that learning up to `span` starts from.

    base: the newest standing version's model whose learned spans all lie before `span`;
    champion: the highest version's model; month_ago: the newest that had learned nothing of the last 28 days;
    rows: the newest validated rows of every span up to `span` that the base has not learned;
    data_state, quality, drift, anomalies: of `span`; events: of every span in rows;
    previous: the newest evaluation of an earlier span.
    """

    def __init__(self, span: int, serving: str):
        self._span, self._serving = span, Path(serving)

    def resolve_artifacts(self, store: mlmd.MetadataStore, input_dict: dict) -> dict[str, list[Artifact]]:
        models = lookup.live(store, Model)

        def model_of(version: lineage.Lineage | None) -> list[Artifact]:
            if version is None:
                return []
            found = lookup.by_uri(models, version.model_uri)
            if not found:
                raise ValueError(
                    f"version {version.version} was made from {version.model_uri}, which MLMD does not know: "
                    "restore metadata.sqlite beside it, or bootstrap into a fresh EVERLEARN_HOME"
                )
            return found

        base = lineage.base_before(self._serving, self._span)
        learned = set(base.spans_learned) if base else set()
        examples = lookup.feature_rows(lookup.live(store, Examples))
        validated = {span for one in examples for span in lookup.spans_of(one)}
        rows = lookup.covering(examples, {span for span in validated if span <= self._span} - learned)
        wanted = {one.span for one in rows}

        def of_this_span(kind: type[Artifact]) -> list[Artifact]:
            return lookup.at_span(lookup.live(store, kind), self._span)

        events = lookup.live(store, DayEventsArtifact)
        return {
            "base": model_of(base),
            "champion": model_of(lineage.champion(self._serving)),
            "month_ago": model_of(lineage.base_before(self._serving, self._span - MONTH + 1)),
            "rows": rows,
            "data_state": of_this_span(DataStateArtifact),
            "events": [one for span in sorted(wanted) for one in lookup.at_span(events, span)],
            "quality": of_this_span(QualityReport),
            "drift": of_this_span(DriftReport),
            "anomalies": of_this_span(ExampleAnomalies),
            "previous": _previous(lookup.live(store, ModelEvaluation), self._span),
        }


def _previous(evaluations: list[Artifact], span: int) -> list[Artifact]:
    """ModelEvaluation has no span of its own: Evaluator writes it as a custom property."""
    earlier = [one for one in evaluations if one.get_int_custom_property("span") < span]
    newest = max(earlier, key=lambda one: (one.get_int_custom_property("span"), one.id), default=None)
    return [newest] if newest else []
