"""A day's new version is on the disk before it counts."""

import os
from pathlib import Path

import pyarrow as pa
import pytest

from components.importer.days import write_day


def test_files_then_folders_before_the_name_that_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    synced, fsync, rename = [], os.fsync, Path.rename

    def watched(descriptor: int) -> None:
        fsync(descriptor)
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink())

    def renamed(self: Path, target: Path) -> Path:
        synced.append(target)
        return rename(self, target)

    monkeypatch.setattr(os, "fsync", watched)
    monkeypatch.setattr(Path, "rename", renamed)
    assert write_day(tmp_path / "events", "2024-03-04", pa.table({"user_id": ["u"]})) == 1
    day = tmp_path / "events" / "2024-03-04"
    file, aside, version, *after = synced
    assert (file.name, file.parent, aside.parent) == ("events-000001.parquet", aside, day)
    assert (version, after) == (day / "ver-1", [day, day.parent])
