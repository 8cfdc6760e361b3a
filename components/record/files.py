"""What the record leaves in its artifact folder for the steps after it."""

from __future__ import annotations

RUN_FILE = "run.json"
"""run_id, experiment_id, path (below the MLflow UI's address), model_version."""
