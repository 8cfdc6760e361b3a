"""A SavedModel folder to push."""

from pathlib import Path

import pytest


@pytest.fixture
def saved_model(tmp_path: Path) -> Path:
    folder = tmp_path / "release" / "Format-Serving"
    (folder / "variables").mkdir(parents=True)
    (folder / "assets.extra").mkdir()
    (folder / "saved_model.pb").write_bytes(b"graph")
    (folder / "variables" / "variables.index").write_bytes(b"index")
    (folder / "variables" / "variables.data-00000-of-00001").write_bytes(b"weights" * 1000)
    (folder / "assets.extra" / "smoke.json").write_text("[]")
    return folder
