"""TFX Pusher: pushes what the release holds, moves the alias `champion`, waits for the server."""

import json
import logging
from pathlib import Path

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import InfraBlessing, Model, ModelBlessing, PushedModel

from components.artifacts import MlflowRun
from components.pusher.availability import wait_until_available
from components.pusher.config import PusherConfig
from components.pusher.draft import read_draft
from components.pusher.push import push
from components.pusher.repair import repair
from schemas.home import Home
from schemas.lineage import LEARNED, versions


@component
def Pusher(
    release: InputArtifact[Model],
    infra: InputArtifact[InfraBlessing],
    blessing: InputArtifact[ModelBlessing],
    run: InputArtifact[MlflowRun],
    pushed: OutputArtifact[PushedModel],
    config: Parameter[str],
    home: Parameter[str],
    span: Parameter[int],
) -> None:
    """Nothing is pushed where the release is empty; a release that failed its smoke test is an error."""
    place, settings = Home(Path(home)), PusherConfig.model_validate_json(config)
    pushed.set_int_custom_property("span", span)
    pushed.set_int_custom_property("pushed", 0)
    draft = read_draft(Path(release.uri), Path(run.uri))
    if draft is None:
        logging.info("nothing is pushed: the run was superseded, or there is no champion to refresh")
        return
    if infra.get_int_custom_property("blessed") != 1:
        raise RuntimeError("the release failed its smoke test, so it is not pushed: see the smoke step's log")
    if draft.lineage.kind == LEARNED and blessing.get_int_custom_property("blessed") != 1:
        raise RuntimeError(
            "the gate did not bless the candidate, yet the release holds it: run the release again"
        )
    draft.secure()
    version = push(draft.saved_model, draft.lineage, place.serving, draft.expected_champion)
    pushed.set_int_custom_property("pushed", 1)
    pushed.set_string_custom_property("pushed_destination", str(place.serving / str(version)))
    pushed.set_string_custom_property("pushed_version", str(version))
    Path(pushed.uri).mkdir(parents=True, exist_ok=True)
    (Path(pushed.uri) / "pushed.json").write_text(
        json.dumps({"version": version, "kind": draft.lineage.kind})
    )
    # A late retry may find its own version overtaken: the server serves the newest.
    newest = versions(place.serving)[-1]
    registered = repair(place.serving, place.mlflow_uri)
    state = wait_until_available(settings.serving_url, newest, settings.wait_seconds)
    logging.info(
        "pushed version %s (server: %s); MLflow's champion is model version %s", version, state, registered
    )
