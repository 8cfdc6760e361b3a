"""Digests of files: what lineage names, and what a server compares before a version takes traffic."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

_CHUNK = 2**20


def of_file(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    return _of_file(path).hexdigest()


def of_files(root: Path, files: Iterable[Path]) -> str:
    """SHA-256 over the names below `root` and the contents of the files, in whatever order they are given."""
    total = hashlib.sha256()
    for path in sorted(files):
        total.update(path.relative_to(root).as_posix().encode() + b"\0")
        total.update(_of_file(path).digest())
    return total.hexdigest()


def of_folder(folder: Path) -> str:
    """SHA-256 over names and contents of all files below `folder`."""
    return of_files(folder, (path for path in folder.rglob("*") if path.is_file()))


def _of_file(path: Path) -> hashlib._Hash:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest
