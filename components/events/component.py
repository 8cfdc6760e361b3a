"""TFX component: the day files of a stretch → unique typed events, quarantine and accounts."""

from tfx.dsl.component.experimental.annotations import OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component

from components.artifacts import DayEventsArtifact
from components.events.config import EventsConfig
from components.events.read import read_stretch


@component
def DayEvents(
    first_span: Parameter[int],
    last_span: Parameter[int],
    fingerprint: Parameter[str],
    folder: Parameter[str],
    config: Parameter[str],
    events: OutputArtifact[DayEventsArtifact],
):
    """`fingerprint` (of the day files) and `config` (EventsConfig as JSON) make TFX's cache see changes."""
    read_stretch(folder, first_span, last_span, events.uri, EventsConfig.model_validate_json(config))
    events.span = last_span
