"""TFX Smoke: infra validation of a release, as TFX's standard InfraBlessing."""

import dataclasses
import json
from pathlib import Path

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import InfraBlessing, Model

from components.pusher.draft import SAVED_MODEL
from components.smoke.smoke import SmokeResult, smoke


@component
def Smoke(
    release: InputArtifact[Model],
    infra: OutputArtifact[InfraBlessing],
    span: Parameter[int],
) -> None:
    """Blesses a release that a real model server answers with; raises otherwise, so that nothing is pushed.

    A release with nothing to push is blessed: there is nothing to smoke.
    """
    saved_model = Path(release.uri) / SAVED_MODEL
    if (saved_model / "saved_model.pb").is_file():
        result = smoke(saved_model)
    else:
        result = SmokeResult(passed=True, reason="Nothing to smoke: this release pushes nothing.")
    folder = Path(infra.uri)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ("INFRA_BLESSED" if result.passed else "INFRA_NOT_BLESSED")).touch()
    (folder / "reason.json").write_text(json.dumps(dataclasses.asdict(result), indent=2))
    # What TFX's own InfraValidator sets, so that stock components understand the blessing.
    infra.set_int_custom_property("blessed", int(result.passed))
    infra.set_int_custom_property("span", span)
    if not result.passed:
        raise RuntimeError(result.reason)
