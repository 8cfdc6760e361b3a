"""The blessing that the TFX node writes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tfx.types.standard_artifacts import InfraBlessing, Model

from components.smoke.component import Smoke
from schemas.signatures import SMOKE_FILE
from tests.serving import recommender


def run(release: Path, folder: Path) -> InfraBlessing:
    """Runs the node's function on artifacts, as TFX's executor does."""
    given, blessing = Model(), InfraBlessing()
    given.uri, blessing.uri = str(release), str(folder)
    function = Smoke.EXECUTOR_SPEC.executor_class._FUNCTION
    try:
        function(release=given, infra=blessing, span=7)
    finally:
        assert blessing.get_int_custom_property("span") == 7
    return blessing


def test_a_good_release_is_blessed(tmp_path):
    recommender.write(tmp_path / "release" / "Format-Serving")
    blessing = run(tmp_path / "release", tmp_path / "infra")
    assert blessing.get_int_custom_property("blessed") == 1
    assert (tmp_path / "infra" / "INFRA_BLESSED").exists()
    assert json.loads((tmp_path / "infra" / "reason.json").read_text())["requests"] == 3


def test_a_bad_release_raises_its_reason(tmp_path):
    saved_model = recommender.write(tmp_path / "release" / "Format-Serving")
    shutil.rmtree((saved_model / SMOKE_FILE).parent)
    with pytest.raises(RuntimeError, match=r"smoke\.json is missing"):
        run(tmp_path / "release", tmp_path / "infra")
    assert (tmp_path / "infra" / "INFRA_NOT_BLESSED").exists()
    assert "is missing" in json.loads((tmp_path / "infra" / "reason.json").read_text())["reason"]


def test_nothing_to_push_is_blessed(tmp_path):
    (tmp_path / "release").mkdir()
    run(tmp_path / "release", tmp_path / "infra")
    assert "Nothing to smoke" in (tmp_path / "infra" / "reason.json").read_text()
