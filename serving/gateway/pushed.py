"""What the gateway reads of the state folder: names of items, popular items of the push."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from schemas.home import Home
from schemas.lineage import versions
from schemas.signatures import RECOMMEND, SMOKE_FILE
from serving.gateway.model import Answer

log = logging.getLogger(__name__)


class Pushed:
    """Each file is read again when it has changed; one that cannot be read leaves what was known."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._known: dict[str, tuple[tuple[str, int], Any]] = {}

    def names(self) -> dict[str, str]:
        """Display names by item id, where the item table has them."""
        return self._fresh("names", self._home.items, _read_names) or {}

    def popular(self, k: int) -> Answer | None:
        """The best items for somebody of whom nothing is known, as of the newest push; None before one."""
        found = versions(self._home.serving)
        if not found:
            return None
        version = max(found)
        path = self._home.serving / str(version) / SMOKE_FILE
        best = self._fresh("popular", path, _read_popular)
        return Answer(version, best[0][:k], best[1][:k]) if best else None

    def _fresh(self, name: str, path: Path, read: Callable[[Path], Any]) -> Any:
        stamp, value = self._known.get(name, (None, None))
        try:
            now = (str(path), path.stat().st_mtime_ns)
            if stamp != now:
                value = read(path)
                self._known[name] = (now, value)
        except (OSError, ValueError) as error:
            log.warning("%s cannot be read: %s", path, error)
        return value


def _read_names(path: Path) -> dict[str, str]:
    import pyarrow.parquet as pq

    if "name" not in pq.read_schema(path).names:
        return {}
    table = pq.read_table(path, columns=["item_id", "name"]).to_pydict()
    return {str(item): name for item, name in zip(table["item_id"], table["name"], strict=True) if name}


def _read_popular(path: Path) -> tuple[list[str], list[float]] | None:
    """The answer to the empty user id among the trainer's own ones."""
    for asked in json.loads(path.read_text()):
        if asked["signature"] == RECOMMEND and "" in asked["inputs"]["user_id"]:
            row = asked["inputs"]["user_id"].index("")
            pairs = zip(asked["outputs"]["item_id"][row], asked["outputs"]["score"][row], strict=True)
            items = [(item, score) for item, score in pairs if item]
            return [item for item, _ in items], [score for _, score in items]
    return None
