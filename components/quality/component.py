"""TFX component: Great Expectations on the raw days of a stretch; a critical failure fails the node."""

import logging
import shutil
from pathlib import Path

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component

from components.artifacts import DayEventsArtifact, QualityReport
from components.events import store
from components.quality.validate import require, validate


@component
def Quality(
    events: InputArtifact[DayEventsArtifact],
    report: OutputArtifact[QualityReport],
    broken: Parameter[str] = "",
):
    """`broken`: the folder that keeps reports of days that failed (TFX removes a failed node's outputs)."""
    dates = list(store.accounts(events.uri))
    result = validate(events.uri, report.uri)
    report.span = events.span
    kept = Path(report.uri)
    if not result["success"]:
        logging.error("quality of %s: %s", dates[-1], result)
        if broken:
            kept = Path(broken) / dates[-1]
            shutil.copytree(report.uri, kept, dirs_exist_ok=True)
    require(result, dates, kept)
