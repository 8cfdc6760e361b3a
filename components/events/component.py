"""TFX component: the day files of a stretch → unique typed events, quarantine and accounts."""

from tfx.dsl.component.experimental.annotations import OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component

from components.artifacts import DayEventsArtifact
from components.events.read import read_stretch


@component
def DayEvents(
    first_span: Parameter[int],
    last_span: Parameter[int],
    fingerprint: Parameter[str],
    folder: Parameter[str],
    events: OutputArtifact[DayEventsArtifact],
):
    """`fingerprint` (of `read.fingerprint`) is not read: it makes TFX's cache see changed files."""
    read_stretch(folder, first_span, last_span, events.uri)
    events.span = last_span
