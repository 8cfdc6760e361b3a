"""TFX component: events of a stretch of days + the data state before → rows and the data state after."""

import json
from typing import List

from tfx.components.util import examples_utils
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.proto import example_gen_pb2
from tfx.types.standard_artifacts import Examples

from components.artifacts import SPANS, DataStateArtifact, DayEventsArtifact
from components.events import store
from components.features import stretch
from components.features.config import FeaturesConfig
from components.features.data_state import DataState
from components.features.tables import read_table
from schemas.rows import HELD_OUT, LEARN


@component
def Features(
    events: InputArtifact[DayEventsArtifact],
    rows: OutputArtifact[Examples],
    data_state: OutputArtifact[DataStateArtifact],
    config: Parameter[str],
    behavior_weights: Parameter[str],
    items: Parameter[str],
    users: Parameter[str],
    before: InputArtifact[List[DataStateArtifact]] = None,
):
    """`config`: FeaturesConfig as JSON; `behavior_weights`: {behaviour: weight} as JSON; `items` and
    `users`: tables as `tables.read_table` takes them (a digest after `#` is for TFX's cache); `before`: one
    data state, or nothing on the first day. Rows carry the delivered spans as a custom property."""
    days = {span: store.read_events(events.uri, span) for span in store.spans_in(events.uri)}
    learn, held, state = stretch.advance_stretch(
        DataState.load(before[0].uri) if before else None,
        days,
        read_table(items),
        read_table(users),
        FeaturesConfig.model_validate_json(config),
        json.loads(behavior_weights),
    )
    stretch.write_splits(rows.uri, learn, held)
    rows.split_names = json.dumps([LEARN, HELD_OUT])
    rows.span = data_state.span = state.span
    delivered = [span for span in days if store.is_handed_on(store.read_account(events.uri, span))]
    rows.set_string_custom_property(SPANS, json.dumps(delivered))
    examples_utils.set_payload_format(rows, example_gen_pb2.PayloadFormat.FORMAT_PARQUET)
    state.save(data_state.uri)
