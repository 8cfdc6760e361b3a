"""From findings to a verdict that a person can read."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from components.gate.config import GateConfig
from components.gate.rules import (
    FINE,
    HARM,
    UNCLEAR,
    Finding,
    above_floor,
    comparisons,
    tells_users_apart,
    trained_soundly,
)

BLESSED, INCONCLUSIVE, REJECTED, SUPERSEDED = "blessed", "inconclusive", "rejected", "superseded"
_MEANING = {
    BLESSED: "The candidate may be served.",
    INCONCLUSIVE: "The candidate may be served: no harm is proven, though some could not have been seen.",
    REJECTED: "The candidate is not served: harm is proven. Its days will be learned again by the next run.",
    SUPERSEDED: "The candidate is not served: later days were learned since; this run is for the record.",
}


@dataclass(frozen=True)
class Verdict:
    """status: `blessed`, `inconclusive` (blessed too), `rejected` or `superseded`."""

    status: str
    reasons: tuple[str, ...]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()
    """What the verdict does not hang on but a reader should know: drift."""

    @property
    def blessed(self) -> bool:
        return self.status in (BLESSED, INCONCLUSIVE)

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self) | {"blessed": self.blessed}, indent=2)

    def to_markdown(self) -> str:
        lines = [f"# {self.status}", "", _MEANING[self.status], ""]
        lines += [f"- {reason}" for reason in self.reasons]
        lines += ["", "| rule | outcome | what was seen |", "|---|---|---|"]
        lines += [f"| {one.rule} | {one.outcome} | {one.sentence} |" for one in self.findings]
        lines += ["", "Beside the verdict:", "", *(f"- {note}" for note in self.notes)] if self.notes else []
        return "\n".join(lines) + "\n"


def judge(
    per_row: pa.Table,
    summary: Mapping,
    health: Mapping,
    config: GateConfig,
    superseded: bool = False,
    notes: Sequence[str] = (),
) -> Verdict:
    """Judge a candidate on an evaluation (components/evaluator): reject on proven harm, else bless.

    superseded: later days were learned already, so whatever is found, the candidate is not to be served;
    notes: told with the verdict, never part of it.
    """
    column = f"candidate/{config.metric}"
    if column not in per_row.column_names:
        measured = sorted(summary["models"]["candidate"]["new"])
        raise ValueError(
            f"gate.metric = {config.metric!r} was not evaluated: choose one of {', '.join(measured)}"
        )
    findings = [
        trained_soundly(health),
        tells_users_apart(health, config),
        above_floor(per_row[column].to_numpy(), config),
    ]
    compared = comparisons(per_row, config)
    if not compared:
        findings.append(
            Finding("champion", FINE, "There is no champion yet: only health and the floor are judged.")
        )
    findings += compared
    outcomes = {one.outcome for one in findings}
    status = REJECTED if HARM in outcomes else INCONCLUSIVE if UNCLEAR in outcomes else BLESSED
    deciding = {REJECTED: HARM, INCONCLUSIVE: UNCLEAR, BLESSED: FINE}[status]
    reasons = tuple(f"{one.rule}: {one.sentence}" for one in findings if one.outcome == deciding)
    if superseded:
        reasons = ("Later days have been learned since.", f"By itself it would be {status}.", *reasons)
    return Verdict(SUPERSEDED if superseded else status, reasons, tuple(findings), tuple(notes))
