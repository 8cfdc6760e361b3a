"""Push a SavedModel as the next version: copy aside, make it durable, rename.

Killed at any moment and started again, a push ends as an undisturbed one: before the rename there is
only a leftover under a name that no model server reads, after it the version is found and returned.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import shutil
from collections.abc import Iterator
from pathlib import Path

from components.durable import make_durable, sync
from schemas import lineage
from schemas.signatures import LINEAGE_FILE

_ASIDE = ".pushing-"
_LOCK = ".push.lock"


def push(saved_model: Path, draft: lineage.Lineage, serving: Path, expected_champion: int | None) -> int:
    """Make `saved_model` the next version below `serving`; returns its number.

    draft: its lineage, whose `version` and `files_digest` are filled in here; expected_champion: the
    version that the gate compared with, None where there was none. A second push of the same `run_id`
    returns the first's version. `lineage.ChampionMovedError` if another was pushed in between;
    FileNotFoundError without a SavedModel.
    """
    if not (saved_model / "saved_model.pb").is_file():
        raise FileNotFoundError(f"{saved_model} holds no saved_model.pb: run the release step again")
    serving.mkdir(parents=True, exist_ok=True)
    with _alone(serving):
        _remove_leftovers(serving)
        earlier = [one.version for one in lineage.history(serving) if one.run_id == draft.run_id]
        if earlier:
            return earlier[-1]
        existing = lineage.versions(serving)
        champion = existing[-1] if existing else None
        lineage.check_champion(expected_champion, champion)
        version = (champion or 0) + 1
        aside = serving / f"{_ASIDE}{version}"
        shutil.copytree(saved_model, aside)
        # Of what was smoke-tested, not of the copy: a server then finds a bad copy, too.
        pushed = dataclasses.replace(draft, version=version, files_digest=lineage.digest_of(saved_model))
        (aside / LINEAGE_FILE).write_text(pushed.to_json())
        make_durable(aside)
        aside.rename(serving / str(version))
        sync(serving)
        return version


@contextlib.contextmanager
def _alone(serving: Path) -> Iterator[None]:
    """One push at a time; the lock goes with the process that holds it, however that ends."""
    with (serving / _LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _remove_leftovers(serving: Path) -> None:
    """What killed pushes left. Nobody else's push is under way: the lock is ours."""
    for leftover in serving.glob(f"{_ASIDE}*"):
        shutil.rmtree(leftover)
