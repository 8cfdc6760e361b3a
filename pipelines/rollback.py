"""Going back to an earlier model: export, smoke test, push, alias; seconds, and no training.

It takes no lease on purpose: who rolls back does not wait for a run that is under way. That run was planned
against a champion that is none any more, so its push refuses, and its day is learned by the next run.
"""

from __future__ import annotations

import datetime as dt
import secrets
import sys
import tempfile
from pathlib import Path

from components.artifacts import DataStateArtifact
from components.base import lookup
from components.pusher.availability import wait_until_available
from components.pusher.push import push
from components.pusher.repair import repair
from components.release.release import SAVED_MODEL
from components.release.rollback import choose, republish
from components.smoke.smoke import smoke
from pipelines import metadata
from pipelines.config import Config
from pipelines.supervised import pushing
from schemas import lineage
from schemas.home import Home
from schemas.lineage import Lineage


def rollback(home: Home, config: Config, to: int | None = None, run_id: str = "") -> Lineage:
    """Serves version `to` (by default the last one with other weights) again, as the highest version.

    run_id: whose rollback it is; one that was done under that id already is found and not done twice.
    RollbackError where there is nothing to go back to, RuntimeError where the smoke test fails.
    """
    run_id = run_id or f"{dt.datetime.now(dt.timezone.utc):%Y%m%dT%H%M%S}.{secrets.token_hex(3)}"
    name = f"rollback.{run_id}"
    done = [one for one in lineage.history(home.serving) if one.run_id == name]
    version = done[0].version if done else _publish(home, config, to, name)
    repair(home.serving, home.mlflow_uri)
    settings = pushing(home, config.pusher)
    wait_until_available(settings.serving_url, lineage.versions(home.serving)[-1], settings.wait_seconds)
    return lineage.read(home.serving, version)


def _publish(home: Home, config: Config, to: int | None, name: str) -> int:
    champion = lineage.champion(home.serving)
    chosen, taken_back = choose(home.serving, to)
    states = lookup.live(metadata.store(home), DataStateArtifact)
    (newest,) = lookup.before_span(states, sys.maxsize)
    with tempfile.TemporaryDirectory(prefix="rollback-", dir=home.root) as folder:
        draft = republish(
            chosen,
            taken_back,
            data=Path(newest.uri),
            list_length=config.release.list_length,
            smoke_requests=config.release.smoke_requests,
            run_id=name,
            target=Path(folder),
        )
        saved_model = Path(folder) / SAVED_MODEL
        tested = smoke(saved_model)
        if not tested.passed:
            raise RuntimeError(f"version {chosen.version} was not published again: {tested.reason}")
        return push(saved_model, draft, home.serving, champion.version if champion else None)
