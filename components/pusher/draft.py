"""The release's lineage draft, made whole but for the version."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from components.durable import make_durable
from components.record.files import RUN_FILE
from schemas.lineage import Lineage

DRAFT_FILE = "lineage_draft.json"
SAVED_MODEL = "Format-Serving"


@dataclass(frozen=True)
class Draft:
    """What to push, and after which version."""

    saved_model: Path
    lineage: Lineage
    """Its version is 0 until the push gives it one."""
    expected_champion: int | None

    def secure(self) -> None:
        """Syncs what the version will name: the next one starts from it."""
        for place in (self.lineage.model_uri, self.lineage.data_uri):
            make_durable(Path(place))


def read_draft(release: Path, run: Path) -> Draft | None:
    """The draft in a release folder with the run id of an MlflowRun folder; None: push nothing."""
    fields = json.loads((release / DRAFT_FILE).read_text())
    if fields["kind"] is None:
        return None
    expected = fields.pop("champion")
    fields |= {"version": 0, "mlflow_run_id": json.loads((run / RUN_FILE).read_text())["run_id"]}
    return Draft(
        release / SAVED_MODEL, Lineage.from_json(json.dumps({"rolled_back": [], **fields})), expected
    )
