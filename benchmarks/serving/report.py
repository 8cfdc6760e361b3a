"""The results as CSV and Markdown."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.serving.measure import AT_ONCE, BATCHING, PLAIN, RAW, SWITCH, Measured, Row
from benchmarks.serving.model import K
from benchmarks.serving.precision import AGAIN, Precision
from benchmarks.serving.servers import QUESTIONS

RESULTS = Path(__file__).parent.parent / "results"


def write(measured: Measured, precisions: Sequence[Precision], bandwidth: float, about: str) -> None:
    """`serving.md`, and a `serving*.csv` a table, below benchmarks/results."""
    _csv("serving", measured.rows)
    _csv("serving-starts", measured.starts)
    _csv("serving-precision", precisions)
    parts = [about, *_findings(measured), _table(measured.rows), _table(measured.starts)]
    if precisions:
        parts += [_precision(precisions, bandwidth), _table(precisions)]
    (RESULTS / "serving.md").write_text("\n\n".join(parts) + "\n")


def _findings(measured: Measured) -> Iterable[str]:
    """What the goals are about, a line a catalogue."""
    lines = []
    for items in dict.fromkeys(row.items for row in measured.rows):
        of = {(row.way, row.clients): row for row in measured.rows if row.items == items}
        raw, alone = of[RAW, 1], of[PLAIN, 1]
        many, none = of[BATCHING, 32], of[PLAIN, 32]
        added = sorted(measured.added[items])
        line = (
            f"- **{items:,} items**: one client's p50 is {alone.p50_ms} ms, {alone.p50_ms - raw.p50_ms:.2f} "
            f"ms more than the raw call ({raw.p50_ms} ms); {added[0]:.2f} to {added[-1]:.2f} in "
            f"{len(added)} turns. Batching costs a client who is alone "
            f"{of[AT_ONCE, 1].p50_ms - alone.p50_ms:.2f} ms, {of[BATCHING, 1].p50_ms - alone.p50_ms:.2f} ms "
            f"where it waits for others. At 32 clients it gives {many.per_second / none.per_second:.1f} "
            "times the throughput of none"
        )
        if peers := [of[name, 32] for name in QUESTIONS if (name, 32) in of]:
            best = max(peers, key=lambda row: row.per_second)
            line += f", {many.per_second / best.per_second:.1f} times that of the best peer, {best.way}"
            line += f" (whose requests cost {best.cpu_ms / many.cpu_ms:.1f} times the CPU)"
        lines.append(f"{line}. {_switched(of[SWITCH, 32], many)}")
    yield "\n".join(lines)


def _switched(switch: Row, steady: Row) -> str:
    return (
        f"A switch under 32 clients: {switch.failed} of {switch.failed + switch.answered:,} requests failed, "
        f"the slowest took {switch.worst_ms:.0f} ms (steady {steady.worst_ms:.0f} ms)."
    )


def _precision(precisions: Sequence[Precision], bandwidth: float) -> str:
    served = precisions[0]
    return (
        f"The product over a large catalogue and its best {K}, alone: a dot product reads "
        f"{bandwidth:.1f} GB/s here, the served product {served.gigabytes_per_second:.1f} GB/s "
        f"({served.gigabytes_per_second / bandwidth:.0%}). With fewer bits the best {AGAIN} are scored again "
        "in float32. The fastest of some runs each; random vectors."
    )


def _csv(name: str, rows: Sequence[Any]) -> None:
    if not rows:
        return
    with (RESULTS / f"{name}.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, [one.name for one in dataclasses.fields(rows[0])], lineterminator="\n")
        writer.writeheader()
        writer.writerows(dataclasses.asdict(row) for row in rows)


def _table(rows: Sequence[Any]) -> str:
    names = [one.name for one in dataclasses.fields(rows[0])]
    lines = [f"| {' | '.join(names)} |", f"|{'---|' * len(names)}"]
    return "\n".join(lines + [f"| {' | '.join(str(getattr(row, name)) for name in names)} |" for row in rows])
