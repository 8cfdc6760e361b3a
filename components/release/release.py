"""The SavedModel that will be served, and the lineage that it will carry."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components import digests
from components.features.data_state import DataState
from components.pusher.draft import DRAFT_FILE as DRAFT
from components.pusher.draft import SAVED_MODEL
from components.smoke.expectations import expectations
from components.smoke.warmup import write_warm_up
from components.trainer.export import export
from components.trainer.run_fn import STATE
from components.trainer.scoring import Scorer
from components.trainer.state import ModelState
from schemas import lineage
from schemas.signatures import SMOKE_FILE


@dataclass(frozen=True)
class Run:
    """Which run releases, and with what settings."""

    span: int
    run_id: str
    settings: dict[str, Any]
    """Every section of the configuration."""
    data_versions: dict[str, int]
    """Version of each day in the rows, by date."""
    champion: int | None = None
    """The version that was served when the run was planned, which the candidate was compared with."""
    rebuild: bool = False
    """The candidate learned all days anew: it has no parent."""


def release(
    *,
    candidate: Path,
    champion: Path | None,
    data: Path,
    verdict: str,
    blessed: bool,
    superseded: bool,
    serving: Path,
    run: Run,
    target: Path,
) -> dict[str, Any]:
    """Writes `target/Format-Serving` with its smoke expectations, and the lineage draft; returns the draft.

    A blessed candidate goes out as the trainer exported it. After a rejection the champion's unchanged
    weights are exported again with the data state of today: a rejection costs learning, not freshness.
    Nothing goes out (`kind` null) for a superseded run, nor where there is no champion to refresh.
    """
    target.mkdir(parents=True, exist_ok=True)
    kind = _kind(blessed=blessed, superseded=superseded, champion=champion)
    if kind is None:
        draft: dict[str, Any] = {"kind": None, "reason": verdict}
    else:
        source = candidate if kind == lineage.LEARNED or champion is None else champion
        state, known = ModelState.load(source / STATE), DataState.load(data)
        saved_model = target / SAVED_MODEL
        shutil.rmtree(saved_model, ignore_errors=True)
        if kind == lineage.LEARNED:
            shutil.copytree(source / SAVED_MODEL, saved_model, copy_function=os.link)
        else:
            export(state, known, saved_model, run.settings["release"]["list_length"])
        write_expectations(
            saved_model,
            state,
            known,
            list_length=run.settings["release"]["list_length"],
            users=run.settings["release"]["smoke_requests"],
            seed=run.span,
        )
        draft = _draft(kind, source, state, known, data, verdict, serving, run)
    (target / DRAFT).write_text(json.dumps(draft, indent=2, sort_keys=True))
    return draft


def _kind(*, blessed: bool, superseded: bool, champion: Path | None) -> str | None:
    if superseded:
        return None
    if blessed:
        return lineage.LEARNED
    return lineage.REFRESHED if champion else None


def write_expectations(
    saved_model: Path, state: ModelState, data: DataState, *, list_length: int, users: int, seed: int
) -> None:
    """The smoke test's requests with answers, and the same requests as the server's warm-up."""
    asked = expectations(Scorer(state, data), data, list_length=list_length, users=users, seed=seed)
    path = saved_model / SMOKE_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asked))
    write_warm_up(saved_model, asked)


def _draft(
    kind: str,
    source: Path,
    state: ModelState,
    data: DataState,
    place: Path,
    verdict: str,
    serving: Path,
    run: Run,
) -> dict[str, Any]:
    """Every field of Lineage except the version, which the push gives."""
    parent = lineage.read(serving, run.champion) if run.champion else None
    if kind == lineage.LEARNED:
        parent = None if run.rebuild else lineage.base_before(serving, run.span, until=run.champion)
    versions = dict(parent.data_versions) if parent else {}
    return {
        "kind": kind,
        "span": run.span,
        "parent": parent.version if parent else None,
        "champion": run.champion,
        "spans_learned": sorted(state.spans_learned),
        "model_uri": str(source),
        "model_digest": state.digest(),
        "data_uri": str(place),
        "data_digest": data.digest(),
        "data_versions": versions | run.data_versions if kind == lineage.LEARNED else versions,
        "verdict": verdict,
        "config": run.settings,
        "config_digest": digests.of_settings(run.settings),
        "code_digest": digests.of_code(),
        "run_id": run.run_id,
        "created": dt.datetime.now(dt.timezone.utc).isoformat(timespec="seconds"),
    }
