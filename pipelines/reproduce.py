"""`everlearn reproduce`: a served version trained again from its recorded base, rows and settings."""

from __future__ import annotations

from pathlib import Path

from components import digests
from components.base.training import training_of
from components.features.data_state import DataState
from components.trainer.reproduce import reproduce
from components.trainer.run_fn import STATE
from components.trainer.state import ModelState
from pipelines import metadata
from schemas import lineage
from schemas.home import Home


def again(home: Home, version: int) -> tuple[lineage.Lineage, list[str], list[str]]:
    """(the version that learned the weights, what differs, what has changed since and may be why).

    A refreshed or rolled-back version serves the weights of an earlier one: that one is trained again.
    FileNotFoundError where the version does not exist, ValueError where what it was made from is gone.
    """
    line = lineage.learned_line(home.serving, version)
    learned = line[-1]
    training = training_of(metadata.store(home), learned.model_uri)
    differences = reproduce(Path(learned.model_uri), training.splits(), training.base, training.told)
    changed = []
    if digests.of_code() != learned.code_digest:
        changed.append("the code is not that of then: its digest differs")
    if training.told["config"] != learned.config["learn"]:
        changed.append("the settings it was trained with are not those in its lineage")
    if DataState.load(Path(training.told["data_state"])).digest() != learned.data_digest:
        changed.append(f"the data state at {learned.data_uri} is not the recorded one")
    if ModelState.load(Path(learned.model_uri) / STATE).digest() != learned.model_digest:
        changed.append(f"the model at {learned.model_uri} is not the recorded one")
    if training.base and ModelState.load(training.base / STATE).digest() != line[-2].model_digest:
        changed.append(f"the base at {training.base} is not the recorded one")
    return learned, differences, changed
