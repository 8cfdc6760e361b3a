"""Digests of code and settings: what lineage names so that a version can be traced and rebuilt."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from schemas.digests import of_file, of_files, of_folder

__all__ = ["of_code", "of_file", "of_folder", "of_settings"]
REPOSITORY = Path(__file__).resolve().parent.parent


def of_code() -> str:
    """SHA-256 over the Python sources that decide what a model becomes: components and schemas."""
    parts = (REPOSITORY / part for part in ("components", "schemas"))
    return of_files(REPOSITORY, (path for part in parts for path in part.rglob("*.py")))


def of_settings(settings: Any) -> str:
    """SHA-256 of settings as canonical JSON."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
