"""TFX component: Great Expectations on the raw days of a stretch; what is sound is handed on."""

import logging
from pathlib import Path
from typing import List

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component

from components.artifacts import DayEventsArtifact, QualityReport
from components.events import store
from components.quality import handing_on
from components.quality.validate import require, validate


@component
def Quality(
    events: InputArtifact[DayEventsArtifact],
    report: OutputArtifact[QualityReport],
    accepted: OutputArtifact[DayEventsArtifact],
    broken: Parameter[str] = "",
    bootstrap: Parameter[int] = 0,
    earlier: InputArtifact[List[DayEventsArtifact]] = None,
):
    """The node fails where the last day, or in a bootstrap every day, fails a critical expectation.

    `accepted`: the days that are sound; `earlier`: what was accepted of days that came anew; `broken`: the
    folder that keeps reports of broken days (TFX removes a failed node's outputs).
    """
    dates = list(store.accounts(events.uri))
    own = None if bootstrap else events.span
    result = validate(events.uri, report.uri, own)
    report.span = accepted.span = events.span
    kept = Path(report.uri)
    if result["broken"] and broken:
        kept = Path(broken) / dates[-1]
        handing_on.keep(Path(report.uri), kept)
    require(result, dates, kept, own)
    for line in handing_on.told(kept):
        logging.warning(line)
    handing_on.hand_on(
        Path(events.uri), result["broken"], [Path(one.uri) for one in earlier or []], Path(accepted.uri)
    )
