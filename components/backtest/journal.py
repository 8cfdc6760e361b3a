"""What a line has done so far, on disk: a backtest that was stopped goes on after its last whole day."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from components.trainer.state import ModelState

Record = dict[str, Any]
OLD_TASK = "old_task.parquet"


class Journal:
    """Folder of one line: `days.jsonl` (a record a day), `matrix.jsonl`, `old_task.parquet`, `notes.json`,
    `state-<span>/`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.days = _read(folder / "days.jsonl")
        self.matrix = _read(folder / "matrix.jsonl")

    @property
    def last(self) -> int | None:
        """Span of the last day that is done."""
        return self.days[-1]["span"] if self.days else None

    def has(self, span: int) -> bool:
        return self.last is not None and span <= self.last

    def append(self, record: Record, state: ModelState | None = None, keep: tuple[int, ...] = ()) -> None:
        """The day is done once its record stands; states of other days than it and `keep` go after that."""
        span = record["span"]
        if state is not None:
            self._write_state(span, state)
        _append(self.folder / "days.jsonl", record)
        self.days.append(record)
        for old in self.folder.glob("state-*"):
            if int(old.name.removeprefix("state-")) not in (span, *keep):
                shutil.rmtree(old)

    def add_accuracy(self, after: int, task: int, value: float, rows: int, untrained: float) -> None:
        """One entry R[after, task]; a later one of the same place counts."""
        entry = {"after": after, "task": task, "value": value, "rows": rows, "untrained": untrained}
        _append(self.folder / "matrix.jsonl", entry)
        self.matrix.append(entry)

    def keep_old_task(self, rows: pa.Table) -> None:
        """The old task's rows after the newest task, in place of those after the one before."""
        part = self.folder / "old_task.part"
        pq.write_table(rows, part)
        part.replace(self.folder / OLD_TASK)

    @property
    def old_task(self) -> pa.Table | None:
        """What was kept last, where anything was."""
        path = self.folder / OLD_TASK
        return pq.read_table(path) if path.exists() else None

    def state(self, span: int) -> ModelState | None:
        """The state after a day, where it is kept."""
        folder = self.folder / f"state-{span}"
        return ModelState.load(folder) if folder.exists() else None

    def note(self, name: str, make: Callable[[], Any]) -> Any:
        """What `make` answers, made once for ever."""
        path = self.folder / "notes.json"
        notes = json.loads(path.read_text()) if path.exists() else {}
        if name not in notes:
            notes[name] = make()
            path.write_text(json.dumps(notes, indent=1, sort_keys=True))
        return notes[name]

    def belongs_to(self, what: Any) -> None:
        """ValueError where the folder's days are of a line that was made of something else (JSON)."""
        if self.note("made of", lambda: what) != json.loads(json.dumps(what)):
            raise ValueError(
                f"{self.folder} holds the days of another line of that name: give this one another name, or"
                " choose another folder for --out"
            )

    def _write_state(self, span: int, state: ModelState) -> None:
        target, part = self.folder / f"state-{span}", self.folder / "part"
        for folder in (target, part):
            shutil.rmtree(folder, ignore_errors=True)
        state.save(part)
        part.rename(target)


def _read(path: Path) -> list[Record]:
    """Whole lines only: what a killed process left of a line is cut off."""
    if not path.exists():
        return []
    text = path.read_text()
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        path.write_text(whole)
    return [json.loads(line) for line in whole.splitlines()]


def _append(path: Path, record: Record) -> None:
    with path.open("a") as file:
        file.write(json.dumps(record) + "\n")
