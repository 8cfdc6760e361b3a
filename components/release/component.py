"""TFX wrapper of the release."""

import json
from pathlib import Path
from typing import List

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import Model, ModelBlessing

from components.artifacts import DataStateArtifact, DayEventsArtifact
from components.events.store import accounts, is_handed_on
from components.release import release as releasing


@component
def Release(
    candidate: InputArtifact[Model],
    data_state: InputArtifact[DataStateArtifact],
    events: InputArtifact[List[DayEventsArtifact]],
    blessing: InputArtifact[ModelBlessing],
    release: OutputArtifact[Model],
    serving: Parameter[str],
    settings: Parameter[str],
    run_id: Parameter[str],
    span: Parameter[int],
    served: Parameter[int],
    rebuild: Parameter[int] = 0,
    champion: InputArtifact[List[Model]] = None,
):
    """Writes what the push will copy: SavedModel, smoke expectations, lineage draft.

    `served`: the version that was served when the run was planned, 0 for none; `rebuild`: 1 where the
    candidate came from no base.
    """
    verdict = json.loads((Path(blessing.uri) / "verdict.json").read_text())
    versions = {
        date: account["version"]
        for one in events
        for date, account in accounts(Path(one.uri)).items()
        if is_handed_on(account)
    }
    releasing.release(
        candidate=Path(candidate.uri),
        champion=Path(champion[0].uri) if champion else None,
        data=Path(data_state.uri),
        verdict=verdict["status"],
        blessed=blessing.get_int_custom_property("blessed") == 1,
        superseded=verdict["status"] == "superseded",
        serving=Path(serving),
        run=releasing.Run(span, run_id, json.loads(settings), versions, served or None, bool(rebuild)),
        target=Path(release.uri),
    )
