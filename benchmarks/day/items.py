"""Where the time of a day went: the wall clock shared out among the nodes that were running."""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from pipelines.anatomy import STEPS

START, DATA, TRAINING, EVALUATION = "start-up (imports)", "data", "training", "evaluation and gate"
SMOKE, RECORD, PUSH, REST = "export and smoke test", "record", "push", "orchestration and the rest"
ITEMS = (START, DATA, TRAINING, EVALUATION, SMOKE, RECORD, PUSH, REST)

_PLAIN = {"Trainer": TRAINING, "Gate": EVALUATION, "Pusher": PUSH}
_GROUPS = {
    "ingest": DATA,
    "prepare": DATA,
    "train": TRAINING,
    "judge": EVALUATION,
    "record": RECORD,
    "push": PUSH,
}
_NODES = {"Release": SMOKE, "Smoke": SMOKE}
ITEM_OF = {step.node: _NODES.get(step.node) or _GROUPS[step.group] for step in STEPS}


Shares = dict[tuple[str, str], float]
"""Seconds by (item, node); the node is "" where none ran."""


@dataclass(frozen=True)
class Ran:
    """One execution of a node, in seconds since the epoch."""

    node: str
    start: float
    end: float


def executions(database: Path, since: float) -> list[Ran]:
    """What MLMD noted of the nodes that began after `since`."""
    from ml_metadata import metadata_store
    from ml_metadata.proto import metadata_store_pb2

    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = str(database)
    store = metadata_store.MetadataStore(config)
    node_contexts = {context.id: context.name for context in store.get_contexts_by_type("node")}
    ran = []
    for run in store.get_executions():
        start, end = run.create_time_since_epoch / 1000, run.last_update_time_since_epoch / 1000
        if start < since:
            continue
        (name,) = [
            node_contexts[one.id]
            for one in store.get_contexts_by_execution(run.id)
            if one.id in node_contexts
        ]
        ran.append(Ran(name.rsplit(".", 1)[-1], start, end))
    return ran


def share_out(ran: list[Ran], total: float, imports: float) -> Shares:
    """The run's `total` seconds by item and node: nodes that overlap share the instant."""
    shares: Shares = defaultdict(float, {(START, ""): imports})
    instants = sorted({moment for one in ran for moment in (one.start, one.end)})
    for begin, end in itertools.pairwise(instants):
        running = [one.node for one in ran if one.start <= begin and end <= one.end]
        for node in running:
            item = ITEM_OF.get(node) or _PLAIN.get(node, DATA)
            shares[item, node] += (end - begin) / len(running)
    shares[REST, ""] = total - sum(shares.values())
    return dict(shares)


def by_item(shares: Shares) -> dict[str, float]:
    """Seconds of each of ITEMS."""
    return {item: sum(seconds for (of, _), seconds in shares.items() if of == item) for item in ITEMS}
