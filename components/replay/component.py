"""TFX wrapper of the replay step: everything that the Trainer reads, in one Examples artifact."""

import json
from pathlib import Path
from typing import List

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import Examples, HyperParameters, Model

from components.artifacts import CORRECTED, SPANS, DataStateArtifact
from components.base import lookup
from components.features.data_state import changed_spans
from components.replay import prepare


@component
def Replay(
    new_rows: InputArtifact[List[Examples]],
    data_state: InputArtifact[DataStateArtifact],
    training_rows: OutputArtifact[Examples],
    hyperparameters: OutputArtifact[HyperParameters],
    config: Parameter[str],
    span: Parameter[int],
    list_length: Parameter[int] = 50,
    days_at_once: Parameter[int] = 0,
    base: InputArtifact[List[Model]] = None,
    base_data: InputArtifact[List[DataStateArtifact]] = None,
    corrected_before: InputArtifact[List[Examples]] = None,
):
    """`config` is the trainer's configuration as JSON; its section `replay` is this step's own.

    `list_length`: how many items one answer of the exported model holds. `base_data`: the data state as of
    which the base learned; `corrected_before`: training rows of learned days that have other events now.
    `days_at_once`: of a rebuild, the days that are learned at once before the others follow; 0: all are.
    """
    settings = json.loads(config)
    base_state = Path(base[0].uri) / "state" if base else None
    days = [prepare.Days(Path(one.uri), tuple(lookup.spans_of(one))) for one in new_rows]
    changed = changed_spans(Path(base_data[0].uri), Path(data_state.uri)) if base_data else set()
    corrections = prepare.Corrections(
        frozenset(changed & prepare.spans_learned(base_state)),
        tuple(Path(one.uri) for one in corrected_before or []),
    )
    splits, spans = prepare.training_rows(days, base_state, settings, span, corrections)
    prepare.write(splits, Path(training_rows.uri))
    training_rows.split_names = json.dumps(list(splits))
    training_rows.span = span
    training_rows.set_string_custom_property("payload_format", "FORMAT_PARQUET")
    told = {"config": settings, "data_state": data_state.uri, "span": span, "list_length": list_length}
    corrected = sorted(corrections.spans)
    training_rows.set_string_custom_property(SPANS, json.dumps([*spans, *corrected]))
    training_rows.set_string_custom_property(CORRECTED, json.dumps(corrected))
    spans_told = {"spans": spans, "corrected": corrected, "days_at_once": days_at_once}
    prepare.write_hyperparameters(Path(hyperparameters.uri), told | spans_told)
