"""TFX resolver strategies that think in spans, with the serving folder as the truth about models.

TFX's LatestBlessedModelStrategy sorts by artifact id: a re-run of day D would warm-start from D's own model.
"""

from pathlib import Path

import ml_metadata as mlmd
from tfx.dsl.components.common import resolver
from tfx.types.artifact import Artifact
from tfx.types.standard_artifacts import ExampleAnomalies, Examples, ExampleStatistics, Model, ModelEvaluation

from components.artifacts import (
    ConceptDriftReport,
    DataStateArtifact,
    DriftReport,
    QualityReport,
)
from components.base import lookup
from components.base.training import training_of
from components.events.read import day_files
from components.events.store import read_account
from components.features.data_state import changed_spans
from schemas import lineage

MONTH = 28
WEEK = 7


class DataBefore(resolver.ResolverStrategy):
    """What earlier runs left for a stretch from `span` to `last`, whose files lie below `folder`.

    before: the data state of the newest span before `span`; nothing on the first day; accepted: the events
    that were handed on of days whose files have another version now, oldest first.
    """

    def __init__(self, span: int, last: int, folder: str):
        self._span, self._last, self._folder = span, last, Path(folder)

    def resolve_artifacts(self, store: mlmd.MetadataStore, input_dict: dict) -> dict[str, list[Artifact]]:
        return {
            "before": lookup.before_span(lookup.live(store, DataStateArtifact), self._span),
            "accepted": self._accepted(store),
        }

    def _accepted(self, store: mlmd.MetadataStore) -> list[Artifact]:
        examples = lookup.feature_rows(lookup.live(store, Examples))
        found: dict[int, Artifact] = {}
        for span in range(self._span, self._last + 1):
            for rows in lookup.covering(examples, {span}):
                events = lookup.handed_on(store, rows)
                if read_account(events.uri, span)["version"] != day_files(self._folder, span).version:
                    found[events.id] = events
        return [found[number] for number in sorted(found)]


class StatisticsBefore(resolver.ResolverStrategy):
    """`earlier`: statistics of the `window` newest spans before the stretch and of the same weekday."""

    def __init__(self, first_span: int, span: int, window: int):
        self._first_span, self._span, self._window = first_span, span, window

    def resolve_artifacts(self, store: mlmd.MetadataStore, input_dict: dict) -> dict[str, list[Artifact]]:
        statistics = lookup.live(store, ExampleStatistics)
        newest = lookup.newest_before(statistics, self._first_span, self._window)
        same_weekday = lookup.at_span(statistics, self._span - WEEK)
        return {"earlier": newest + [one for one in same_weekday if one not in newest]}


class Base(resolver.ResolverStrategy):
    """Everything that learning up to `span` starts from.

    base: the newest standing version's model whose learned spans all lie before `span`;
    champion: the highest version's model; month_ago: the newest that had learned nothing of the last 28 days;
    rows: the newest validated rows of every span up to `span` that the base has not learned, or has learned
    from other events than are there now; data_state, quality, drift, anomalies: of `span`; events: of rows;
    base_data: the data state as of which the base learned; corrected_before: the training rows from which
    its line learned the spans that have other events now;
    previous: the newest evaluation of an earlier span; concept_drift: the newest report up to `span`, whose
    days are a mapping by span, so that a day that is run again is carried on but counts once.
    ChampionMovedError where another version is served by now than when the run was planned.
    """

    def __init__(self, span: int, serving: str, champion: int, rebuild: int = 0):
        """champion: the version that was served when the run was planned, 0 for none.

        rebuild: 1 where all is learned anew, from no base.
        """
        self._span, self._serving, self._rebuild = span, Path(serving), rebuild
        self._champion = champion

    def resolve_artifacts(self, store: mlmd.MetadataStore, input_dict: dict) -> dict[str, list[Artifact]]:
        champion = lineage.champion(self._serving)
        lineage.check_champion(self._champion or None, champion.version if champion else None)
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

        def of_this_span(kind: type[Artifact]) -> list[Artifact]:
            return lookup.at_span(lookup.live(store, kind), self._span)

        base = None if self._rebuild else lineage.base_before(self._serving, self._span)
        learned = set(base.spans_learned) if base else set()
        all_rows, data_state = lookup.live(store, Examples), of_this_span(DataStateArtifact)
        base_data = lookup.learned_with(store, self._serving, base.version) if base else []
        corrected = set()
        if base_data and data_state:
            corrected = learned & changed_spans(Path(base_data[0].uri), Path(data_state[0].uri))
        examples = lookup.feature_rows(all_rows)
        validated = {span for one in examples for span in lookup.spans_of(one)}
        unlearned = {span for span in validated if span <= self._span} - learned
        rows = lookup.covering(examples, unlearned | corrected)
        return {
            "base": model_of(base),
            "champion": model_of(champion),
            "month_ago": model_of(lineage.base_before(self._serving, self._span - MONTH + 1)),
            "rows": rows,
            "base_data": base_data,
            "corrected_before": self._learned_from(store, base, all_rows, corrected),
            "data_state": data_state,
            "events": [lookup.handed_on(store, one) for one in rows],
            "quality": of_this_span(QualityReport),
            "drift": of_this_span(DriftReport),
            "anomalies": of_this_span(ExampleAnomalies),
            "concept_drift": lookup.before_span(lookup.live(store, ConceptDriftReport), self._span + 1),
            "previous": _previous(lookup.live(store, ModelEvaluation), self._span),
        }

    def _learned_from(
        self, store: mlmd.MetadataStore, base: lineage.Lineage | None, rows: list[Artifact], spans: set[int]
    ) -> list[Artifact]:
        """Training rows from which the base's line learned any of the spans, or what changed in them."""
        if base is None or not spans:
            return []
        line = lineage.learned_line(self._serving, base.version)
        places = [str(training_of(store, one.model_uri).rows) for one in line]
        found = [one for place in places for one in lookup.by_uri(rows, place)]
        return [one for one in found if spans.intersection(lookup.spans_of(one))]


def _previous(evaluations: list[Artifact], span: int) -> list[Artifact]:
    """ModelEvaluation has no span of its own: Evaluator writes it as a custom property."""
    earlier = [one for one in evaluations if one.get_int_custom_property("span") < span]
    newest = max(earlier, key=lambda one: (one.get_int_custom_property("span"), one.id), default=None)
    return [newest] if newest else []
