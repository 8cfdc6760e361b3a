"""What the Pusher makes of a release, and what it leaves for MLMD to know."""

import dataclasses
import json
import shutil
from pathlib import Path

import pytest
from tfx.types.standard_artifacts import InfraBlessing, Model, ModelBlessing, PushedModel

from components.artifacts import MlflowRun
from components.pusher.component import Pusher
from schemas import lineage
from schemas.home import Home
from tests.components.pusher.drafts import draft

pusher = Pusher.EXECUTOR_SPEC.executor_class._FUNCTION


def artifact(kind: type, uri: Path, blessed: int | None = None):
    one = kind()
    one.uri = str(uri)
    if blessed is not None:
        one.set_int_custom_property("blessed", blessed)
    return one


def released(folder: Path, saved_model: Path, kind: str | None) -> None:
    folder.mkdir()
    places = {name: str(folder / name) for name in ("model_uri", "data_uri")}
    for place in places.values():
        Path(place).mkdir()
    fields = {**dataclasses.asdict(draft("run 1")), **places, "kind": kind, "champion": None}
    for name in ("version", "mlflow_run_id", "rolled_back"):
        del fields[name]
    (folder / "lineage_draft.json").write_text(json.dumps(fields if kind else {"kind": None}))
    shutil.copytree(saved_model, folder / "Format-Serving")
    (folder / "run.json").write_text(json.dumps({"run_id": "mlflow run"}))


def push(folder: Path, infra: int = 1, blessing: int = 1) -> PushedModel:
    pushed = artifact(PushedModel, folder / "pushed")
    pusher(
        release=artifact(Model, folder),
        infra=artifact(InfraBlessing, folder, infra),
        blessing=artifact(ModelBlessing, folder, blessing),
        run=artifact(MlflowRun, folder),
        pushed=pushed,
        config="{}",
        home=str(folder / "home"),
        span=9,
    )
    return pushed


@pytest.mark.parametrize(("kind", "blessed"), [(lineage.LEARNED, 1), (lineage.REFRESHED, 0)])
def test_a_release_becomes_a_version(kind, blessed, saved_model, tmp_path):
    released(tmp_path / "day", saved_model, kind)
    pushed = push(tmp_path / "day", blessing=blessed)
    champion = lineage.champion(Home(tmp_path / "day" / "home").serving)
    assert (champion.version, champion.kind, champion.mlflow_run_id) == (1, kind, "mlflow run")
    assert pushed.get_int_custom_property("pushed") == 1
    assert pushed.get_string_custom_property("pushed_version") == "1"


def test_an_empty_release_pushes_nothing(saved_model, tmp_path):
    released(tmp_path / "day", saved_model, None)
    assert push(tmp_path / "day").get_int_custom_property("pushed") == 0
    assert lineage.champion(Home(tmp_path / "day" / "home").serving) is None


@pytest.mark.parametrize(("infra", "blessing", "said"), [(0, 1, "smoke test"), (1, 0, "did not bless")])
def test_what_was_not_blessed_is_never_pushed(infra, blessing, said, saved_model, tmp_path):
    released(tmp_path / "day", saved_model, lineage.LEARNED)
    with pytest.raises(RuntimeError, match=said):
        push(tmp_path / "day", infra, blessing)
    assert lineage.champion(Home(tmp_path / "day" / "home").serving) is None
