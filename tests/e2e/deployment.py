"""A small deployment in a temporary folder: simulated days, and runs of the real pipelines over them."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.config import Config
from pipelines.plan import Plan, plan
from schemas import lineage
from schemas.home import Home
from schemas.spans import date_of
from tests.factories import FIRST_SPAN, make_events, make_items, make_users

STRETCH = 10
LAST_OF_STRETCH = FIRST_SPAN + STRETCH - 1
USERS, ITEMS = 120, 60


@dataclass
class Deployment:
    """Days of events on disk, and what became of each run."""

    home: Home
    config: Config

    @classmethod
    def create(cls, root: Path, days: int, *, per_day: int = 400, **sections: dict[str, Any]) -> Deployment:
        home = Home(root)
        for span, events in make_events(days, USERS, ITEMS, seed=7, per_day=per_day).items():
            write_day(home, span, events)
        pq.write_table(make_items(ITEMS), home.items)
        pq.write_table(make_users(USERS), home.users)
        return cls(home, Config.compose(sections))

    def learn(self, span: int, *, first: int | None = None, force: bool = False, **sections: Any) -> Run:
        """Runs a span through both pipelines, in this process, as `everlearn run` does."""
        config = self.config.model_copy(
            update={
                name: getattr(self.config, name).model_copy(update=fields)
                for name, fields in sections.items()
            }
        )
        planned = plan(self.home, span, first_span=first, force=force)
        return self.run(planned, config)

    def run(self, planned: Plan, config: Config) -> Run:
        from pipelines.run import run

        assert not planned.skip, planned.skip
        outcomes = run(self.home, config, planned, lambda step: None, lambda step, outcome: None)
        return Run(planned.run_id, {one.node: one for one in outcomes})

    def bootstrap(self) -> Run:
        return self.learn(LAST_OF_STRETCH, first=FIRST_SPAN)

    def champion(self) -> lineage.Lineage:
        served = lineage.champion(self.home.serving)
        assert served is not None
        return served


@dataclass
class Run:
    run_id: str
    outcomes: dict[str, Any]

    def folder(self, node: str, key: str) -> Path:
        (place,) = self.outcomes[node].outputs[key]
        return Path(place)

    def verdict(self) -> dict[str, Any]:
        return json.loads((self.folder("Gate", "blessing") / "verdict.json").read_text())

    def rows(self, node: str, key: str, split: str) -> pa.Table:
        return pq.read_table(self.folder(node, key) / f"Split-{split}")

    def state(self) -> Any:
        from components.trainer.state import ModelState

        return ModelState.load(self.folder("Trainer", "model") / "state")


def write_day(home: Home, span: int, events: pa.Table, version: int = 1) -> None:
    folder = home.events / date_of(span).isoformat() / f"ver-{version}"
    folder.mkdir(parents=True)
    pq.write_table(events, folder / "events.parquet")


def broken(events: pa.Table) -> pa.Table:
    """The day with hours of the next one in all rows but ten: nothing else of it is usable."""
    field = events.schema.field("timestamp")
    next_day = pc.add(events["timestamp"].slice(10), dt.timedelta(days=1)).combine_chunks()
    moments = pa.chunked_array([*events["timestamp"].slice(0, 10).chunks, next_day], field.type)
    return events.set_column(events.column_names.index("timestamp"), field, moments)


def values(table: pa.Table, column: str) -> list:
    """All values of a list column, flat."""
    return [value for row in table.column(column).to_pylist() for value in row]
