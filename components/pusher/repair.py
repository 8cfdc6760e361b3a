"""MLflow follows the serving folder: whatever a crash left, the alias is set from what is served."""

from __future__ import annotations

from pathlib import Path

from components.record.registry import move_champion
from schemas import lineage


def repair(serving: Path, mlflow_uri: str) -> str | None:
    """Move MLflow's alias `champion` to the registered model that the highest version serves.

    Returns the registered version's number, None where nothing is served or the model was never
    registered (an MLflow database that was thrown away). Safe to call at any time, any number of times.
    """
    champion = lineage.champion(serving)
    if champion is None:
        return None
    return move_champion(mlflow_uri, champion.model_uri, champion.version)
