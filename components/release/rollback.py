"""An earlier model is served again: under a higher number, with the data state of today."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

from components import digests
from components.features.data_state import DataState
from components.release.release import SAVED_MODEL, STATE, write_expectations
from components.trainer.export import export
from components.trainer.state import ModelState
from schemas import lineage
from schemas.lineage import Lineage

VERDICT = "rolled back"


class RollbackError(ValueError):
    """There is nothing to go back to; the sentence says what there is."""


def choose(serving: Path, to: int | None) -> tuple[Lineage, tuple[int, ...]]:
    """The version to serve again, and the versions that are taken back by it: all that stand after it.

    By default the newest standing version with other weights than the champion's. RollbackError where
    there is none, or where `to` does not exist, is served now, or was taken back itself.
    """
    standing = lineage.standing(serving)
    if not standing:
        raise RollbackError("nothing is served yet: there is no version to go back to")
    *earlier, champion = standing
    if to is None:
        earlier = [one for one in earlier if one.model_digest != champion.model_digest]
        if not earlier:
            raise RollbackError(
                f"no standing version has other weights than version {champion.version}, which is served now"
            )
    else:
        numbers = ", ".join(str(one.version) for one in earlier) or "there is none"
        earlier = [one for one in earlier if one.version == to]
        if not earlier:
            raise RollbackError(f"version {to} cannot be gone back to: name an earlier one ({numbers})")
    chosen = earlier[-1]
    return chosen, tuple(one.version for one in standing if one.version > chosen.version)


def republish(
    chosen: Lineage,
    taken_back: tuple[int, ...],
    *,
    data: Path,
    list_length: int,
    smoke_requests: int,
    run_id: str,
    target: Path,
) -> Lineage:
    """Writes `target/Format-Serving`, the chosen weights with the data state; returns its lineage's draft.

    What was learned, and with which settings, stays the chosen version's.
    """
    state, known = ModelState.load(Path(chosen.model_uri) / STATE), DataState.load(data)
    saved_model = target / SAVED_MODEL
    export(state, known, saved_model, list_length)
    write_expectations(
        saved_model, state, known, list_length=list_length, users=smoke_requests, seed=known.span
    )
    return dataclasses.replace(
        chosen,
        version=0,
        kind=lineage.ROLLED_BACK,
        span=known.span,
        parent=chosen.version,
        data_uri=str(data),
        data_digest=known.digest(),
        verdict=VERDICT,
        code_digest=digests.of_code(),
        run_id=run_id,
        created=dt.datetime.now(dt.timezone.utc).isoformat(timespec="seconds"),
        rolled_back=taken_back,
    )
