"""The blessing as TFX's stock resolvers and a reader of the artifact find it."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tfx.types.standard_artifacts import Model, ModelBlessing, ModelEvaluation

from components.evaluator.files import PER_ROW, SUMMARY
from components.gate.component import Gate
from components.gate.power import HEALTHY, plant_loss, simulated_pair

gate = Gate.EXECUTOR_SPEC.executor_class._FUNCTION
PAIR = simulated_pair(seed=1, old_rows=3000, new_rows=600, users=1500, churn=0.0)


def judged(per_row: pa.Table, folder: Path, superseded: int = 0) -> ModelBlessing:
    evaluation, candidate, blessing = ModelEvaluation(), Model(), ModelBlessing()
    evaluation.uri, candidate.uri, blessing.uri = str(folder), "/models/7", str(folder / "blessing")
    candidate.id = 7
    folder.mkdir(exist_ok=True)
    pq.write_table(per_row, folder / PER_ROW)
    (folder / SUMMARY).write_text(json.dumps({"health": HEALTHY}))
    gate(
        evaluation=evaluation,
        candidate=candidate,
        blessing=blessing,
        config="{}",
        span=9,
        superseded=superseded,
    )
    return blessing


@pytest.mark.parametrize(
    ("per_row", "superseded", "status", "blessed"),
    [
        (PAIR, 0, "blessed", 1),
        (plant_loss(PAIR, "old", 0.3, seed=1), 0, "rejected", 0),
        (PAIR, 1, "superseded", 0),
    ],
)
def test_the_blessing_says_so_in_every_form(per_row, superseded, status, blessed, tmp_path):
    blessing = judged(per_row, tmp_path, superseded)
    assert blessing.get_int_custom_property("blessed") == blessed
    assert blessing.get_string_custom_property("status") == status
    assert blessing.get_int_custom_property("current_model_id") == 7
    assert blessing.get_int_custom_property("span") == 9
    folder = Path(blessing.uri)
    assert (folder / "BLESSED").exists() == bool(blessed)
    assert (folder / "NOT_BLESSED").exists() != bool(blessed)
    assert json.loads((folder / "verdict.json").read_text())["status"] == status
    assert (folder / "verdict.md").read_text().startswith(f"# {status}")
