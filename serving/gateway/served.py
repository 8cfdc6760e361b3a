"""The log of what was served: JSON lines, a file a day, for `everlearn outcomes`."""

from __future__ import annotations

import datetime as dt
import threading
from pathlib import Path

import orjson

from schemas.home import Home


def folder(home: Home) -> Path:
    return home.root / "data" / "served"


class ServedLog:
    """For any thread; each line is one write, so that several processes may append."""

    def __init__(self, home: Home) -> None:
        self._folder = folder(home)
        self._lock = threading.Lock()
        self._torn = False

    def write(
        self,
        *,
        at: dt.datetime,
        time: int,
        request_id: str,
        user_id: str,
        version: int,
        source: str,
        items: list[str],
    ) -> None:
        """`time`: the moment as events have theirs; positions count from 1. OSError where it is not kept."""
        line = orjson.dumps(
            {
                "request_id": request_id, "at": at.isoformat(), "time": time, "user_id": user_id,
                "version": version, "source": source, "items": items,
                "positions": list(range(1, len(items) + 1)),
            }
        )  # fmt: skip
        path = self._folder / f"{at.date().isoformat()}.jsonl"
        with self._lock:
            self._folder.mkdir(parents=True, exist_ok=True)
            with path.open("ab", buffering=0) as file:
                # After half a line the next one begins anew: only what is torn is lost.
                whole = (b"\n" if self._torn else b"") + line + b"\n"
                written = file.write(whole)
                self._torn = written < len(whole)
            if self._torn:
                raise OSError(f"the disk of {path} is full")
