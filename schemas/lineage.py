"""What a served version is: `lineage.json` beside its SavedModel, and how versions are read.

The serving folder is the one commit point: a version exists from the rename that makes its folder
appear. The champion is the highest version; MLMD and MLflow follow and are repaired from here.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path

from schemas import digests
from schemas.signatures import LINEAGE_FILE

LEARNED, REFRESHED, ROLLED_BACK = "learned", "refreshed", "rolled_back"
KINDS = (LEARNED, REFRESHED, ROLLED_BACK)


@dataclass(frozen=True)
class Lineage:
    """A served version = model state + data state.

    kind: `learned` (a blessed candidate), `refreshed` (a champion's weights with fresh data state)
    or `rolled_back` (an earlier model published again).
    """

    version: int
    kind: str
    span: int
    """The span whose run pushed this version: data state is as of its end."""
    parent: int | None
    """The version whose model state was the base (learned) or is served again (refreshed)."""
    spans_learned: tuple[int, ...]
    model_uri: str
    """Artifact folder of the Model whose `state/` holds the model state."""
    model_digest: str
    data_uri: str
    data_digest: str
    data_versions: dict[str, int]
    """Version of each day that was learned, by date."""
    verdict: str
    config: dict
    config_digest: str
    code_digest: str
    run_id: str
    """The TFX pipeline run id."""
    mlflow_run_id: str
    created: str
    """UTC, ISO 8601."""
    rolled_back: tuple[int, ...] = field(default=())
    """Versions that this one takes back: never a base again."""
    files_digest: str = ""
    """`digest_of` the version's files, set by the push; "" in versions of before."""

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), indent=2, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Lineage:
        fields = json.loads(text)
        for name in ("spans_learned", "rolled_back"):
            fields[name] = tuple(fields[name])
        return cls(**fields)


def versions(serving: Path) -> list[int]:
    """The numbers of the versions that exist, ascending (TF Serving's rule: integer names count)."""
    if not serving.is_dir():
        return []
    return sorted(int(p.name) for p in serving.iterdir() if p.name.isdigit() and p.is_dir())


def read(serving: Path, version: int) -> Lineage:
    """The lineage of a version; FileNotFoundError where it has none."""
    return Lineage.from_json((serving / str(version) / LINEAGE_FILE).read_text())


def digest_of(saved_model: Path) -> str:
    """SHA-256 over names and contents of all files below a SavedModel's folder but its lineage."""
    files = (path for path in saved_model.rglob("*") if path.is_file() and path.name != LINEAGE_FILE)
    return digests.of_files(saved_model, files)


def damage(version: Path) -> str:
    """Why a version's folder is not what was pushed, "" where nothing speaks against it.

    A folder without a lineage, or with one that names no digest, is somebody else's or an older one: "".
    """
    path = version / LINEAGE_FILE
    if not path.is_file():
        return ""
    try:
        told = json.loads(path.read_bytes())
    except ValueError:
        return f"{path} is no JSON: push the version again"
    wanted = told.get("files_digest", "") if isinstance(told, dict) else ""
    if not wanted or wanted == digest_of(version):
        return ""
    return f"the files below {version} are not those that were pushed (files_digest of {LINEAGE_FILE})"


def history(serving: Path, until: int | None = None) -> list[Lineage]:
    """All versions' lineages, oldest first; with `until` as they were when that version was the highest."""
    return [read(serving, version) for version in versions(serving) if until is None or version <= until]


def champion(serving: Path) -> Lineage | None:
    """The highest version, or None before the first push."""
    existing = versions(serving)
    return read(serving, existing[-1]) if existing else None


class ChampionMovedError(RuntimeError):
    """Another version is served than the one that a run was planned against."""


def check_champion(planned: int | None, served: int | None) -> None:
    """ChampionMovedError unless both are the same version, None for none."""
    if planned != served:
        raise ChampionMovedError(
            f"the run was planned when {_named(planned)} was served, now {_named(served)} is:"
            " run the day again"
        )


def _named(version: int | None) -> str:
    return "no version" if version is None else f"version {version}"


def standing(serving: Path, until: int | None = None) -> list[Lineage]:
    """Versions that no later one has taken back, oldest first; until: as in `history`."""
    lineages = history(serving, until)
    taken_back = {version for lineage in lineages for version in lineage.rolled_back}
    return [lineage for lineage in lineages if lineage.version not in taken_back]


def chain(serving: Path, version: int) -> list[Lineage]:
    """The version and all that it came from, oldest first; FileNotFoundError where one is gone."""
    line = [read(serving, version)]
    while (parent := line[-1].parent) is not None:
        line.append(read(serving, parent))
    return line[::-1]


def learned_line(serving: Path, version: int) -> list[Lineage]:
    """Of the chain the versions that learned: each came from the weights of the one before it."""
    return [one for one in chain(serving, version) if one.kind == LEARNED]


def learner(serving: Path, version: int) -> Lineage:
    """The version that learned the weights that `version` serves: itself, or an ancestor."""
    one = read(serving, version)
    while one.kind != LEARNED and one.parent is not None:
        one = read(serving, one.parent)
    return one


def base_before(serving: Path, span: int, until: int | None = None) -> Lineage | None:
    """The newest standing version whose learned spans all lie before `span`; until: as in `history`."""
    fitting = [
        one for one in standing(serving, until) if all(learned < span for learned in one.spans_learned)
    ]
    return fitting[-1] if fitting else None
