"""Digests of folders, code and settings: what lineage names so that a version can be traced and rebuilt."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent


def _of_files(root: Path, files: Iterable[Path]) -> str:
    total = hashlib.sha256()
    for path in sorted(files):
        total.update(path.relative_to(root).as_posix().encode() + b"\0")
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def of_folder(folder: Path) -> str:
    """SHA-256 over names and contents of all files below `folder`."""
    return _of_files(folder, (path for path in folder.rglob("*") if path.is_file()))


def of_code() -> str:
    """SHA-256 over the Python sources that decide what a model becomes: components and schemas."""
    parts = (REPOSITORY / part for part in ("components", "schemas"))
    return _of_files(REPOSITORY, (path for part in parts for path in part.rglob("*.py")))


def of_settings(settings: Any) -> str:
    """SHA-256 of settings as canonical JSON."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def of_file(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
