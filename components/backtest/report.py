"""The files of a backtest: tables, pictures, and a page that says what they mean."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from components.backtest import plots
from components.backtest.asked import ALL, NEW, TAKEN
from components.backtest.choice import RULE, Choice, choose
from components.backtest.config import BacktestConfig
from components.backtest.intervals import LEAST, Interval
from components.backtest.model_line import ModelLine
from components.backtest.peer_line import PeerLine
from components.backtest.strategies import DEFAULT
from components.backtest.summary import (
    FRESH,
    Line,
    Row,
    accuracy,
    daily,
    retrained,
    summary,
    write_csv,
)
from schemas.spans import date_of

OLD = "old_task_recall"
DEFINITION = """
{config.bootstrap_days} days are learned first; then each of {config.days} days is asked about before it is
learned: {rows:,} user-days of users seen before, all of them, held out or not, on {days} days. Relevant are
the distinct items of the day's positive events, items never seen before among them; recall@{k} = hits /
min({k}, relevant). *new*: items the user had before are taken out of lists and relevant sets, which leaves
{new_rows:,} user-days. Intervals: 95%, bootstrap over days, as wide as so few days ask for, and none below
{least}; gaps are to *{reference}*, paired by day.
""".strip()

MEMORY = """
Old-task recall: mean over the {old_rows:,} held-out rows of all earlier tasks after the last one was learned,
each task over the catalogue frozen at its end, intervals by bootstrap over users, gaps paired by row; a task
is {config.task_days} days, task 0 the last {config.first_task_days} of the bootstrap. Forgetting: best-ever
less final, mean over tasks. Overlap: share of a list of {k} that stays from one day to the next. Rows: rows
times epochs. Seconds were measured as the machine was, others' load included.
""".strip()


def write(
    out: Path, config: BacktestConfig, models: Sequence[ModelLine], peers: Sequence[PeerLine]
) -> list[Row]:
    """summary.csv, daily.csv, matrix.csv, PNGs and report.md in `out`; the summary's rows."""
    lines: list[Line] = [*models, *peers]
    reference = DEFAULT if any(one.name == DEFAULT for one in models) else lines[0].name
    rows = summary(lines, config, reference)
    write_csv(out / "summary.csv", rows)
    write_csv(out / "daily.csv", daily(lines))
    _matrices(out, config, models)
    k = config.k
    days = {one.name: one.journal.days for one in lines}
    for view in (ALL, NEW):
        key = f"recall_at_{k}_{view}"
        picture = plots.over_days(
            days, [one.name for one in peers], key, f"Next-day recall@{k}, {view} items"
        )
        picture.savefig(out / f"days_{view}.png")
    trained = [row for row in rows if row["kind"] == ModelLine.kind and not row["line"].endswith(FRESH)]
    if trained:
        title = f"Next-day recall@{k} against cost"
        plots.against_cost(trained, f"recall_at_{k}_{ALL}", title).savefig(out / "cost.png")
    # Trained anew only after the last day that was asked about, a line was never asked what it had learned.
    learning = {one.name for one in models if one.strategy.daily or retrained(one.journal.days[:-1])}
    candidates = [row for row in trained if row["line"] in learning]
    kept = {one.name: one.journal.old_task for one in models}
    choice = choose(candidates, days, kept, k, config.resamples, config.seed)
    says = {one.name: one.strategy.says for one in models}
    settings = {one.name: one.chosen() for one in peers}
    (out / "report.md").write_text(_page(config, rows, reference, choice, says, settings))
    return rows


def _matrices(out: Path, config: BacktestConfig, models: Sequence[ModelLine]) -> None:
    entries = [{"line": one.name, **entry} for one in models for entry in one.journal.matrix]
    matrices = {one.name: accuracy(one)[0] for one in models if one.journal.matrix}
    if entries:
        write_csv(out / "matrix.csv", entries)
        plots.accuracy_matrices(matrices, config.k).savefig(out / "forgetting.png")


def _page(
    config: BacktestConfig,
    rows: Sequence[Row],
    reference: str,
    choice: Choice,
    says: Mapping[str, str],
    settings: Mapping[str, Any],
) -> str:
    k = config.k
    last = date_of(config.end - 1)
    parts = [
        f"# Backtest {date_of(config.start)} to {last}",
        DEFINITION.format(
            config=config,
            k=k,
            rows=rows[0]["rows_all"],
            new_rows=rows[0]["rows_new"],
            days=rows[0]["days"],
            reference=reference,
            least=LEAST,
        ),
        "## Which strategy",
        f"**{choice.name or 'None stands out'}.** {RULE}",
        "\n".join(f"- {reason}" for reason in [*choice.reasons, *_better_peers(rows, reference, k)]),
        "## Against what one would use instead",
        "\n".join(_against_peers(rows, reference, k)),
        "## Next-day quality",
        _quality(rows, k),
        _untaken(rows, reference, k),
        "![recall over days](days_all.png)\n![recall of new items over days](days_new.png)",
        "## Memory and cost",
        _memory(rows),
        MEMORY.format(config=config, k=k, old_rows=_old_rows(rows)),
        "![quality against cost](cost.png)\n![accuracy matrix](forgetting.png)",
        "## Lines",
        "\n".join(f"- {name}: {text}" for name, text in says.items()),
        "\n".join(f"- {name}: {json.dumps(chosen)}" for name, chosen in settings.items()),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _best_peers(rows: Sequence[Row], reference: str, k: int) -> Iterator[tuple[str, Row, Interval]]:
    """Of each view its best peer, and the reference's gap to it."""
    peers = [row for row in rows if row["kind"] == PeerLine.kind and row["line"] != reference]
    for view in (ALL, NEW) if peers else ():
        key = f"recall_at_{k}_{view}"
        best = max(peers, key=lambda row, key=key: np.nan_to_num(row[key]))  # type: ignore[misc]
        yield view, best, Interval(-best[f"{key}_gap"], -best[f"{key}_gap_high"], -best[f"{key}_gap_low"])


def _better_peers(rows: Sequence[Row], reference: str, k: int) -> list[str]:
    return [
        f"In view *{view}* {best['line']}, which learns nothing of this, is above {reference}: see below."
        for view, best, gap in _best_peers(rows, reference, k)
        if gap.high < 0
    ]


def _against_peers(rows: Sequence[Row], reference: str, k: int) -> list[str]:
    sentences = []
    for view, best, gap in _best_peers(rows, reference, k):
        verdict = "above" if gap.low > 0 else "below" if gap.high < 0 else "not told apart from"
        bounds = (
            "too few days for an interval" if gap.low != gap.low else f"[{gap.low:+.4f}, {gap.high:+.4f}]"
        )
        sentences.append(
            f"- *{view}*: {reference} is {verdict} the best of them, {best['line']}"
            f" ({best[f'recall_at_{k}_{view}']:.4f}): {gap.estimate:+.4f} {bounds}."
        )
    return sentences or ["No baseline was asked for."]


def _quality(rows: Sequence[Row], k: int) -> str:
    columns = [f"recall_at_{k}", f"ndcg_at_{k}", "mrr"]
    heads = [f"{name.replace('_at_', '@')} {view}" for view in (ALL, NEW) for name in columns]
    table = [["line", "days", *heads, "recall gap all", "recall gap new"]]
    for row in rows:
        cells = [_told(row, f"{name}_{view}") for view in (ALL, NEW) for name in columns]
        gaps = [_told(row, f"recall_at_{k}_{view}_gap", "+.4f") for view in (ALL, NEW)]
        table.append([row["line"], str(row["days"]), *cells, *gaps])
    return _markdown(table)


def _untaken(rows: Sequence[Row], reference: str, k: int) -> str:
    """What hits of items that nobody had taken before are worth, where there are any."""
    everything, taken = f"recall_at_{k}_{ALL}", f"recall_at_{k}_{TAKEN}"
    told = {row["line"]: row for row in rows if taken in row}
    if reference not in told or told[reference][taken] >= told[reference][everything]:
        return ""
    peers = [row for row in told.values() if row["kind"] == PeerLine.kind]
    shown = [told[reference], *sorted(peers, key=lambda row: row[taken])[-1:]]
    figures = ", ".join(f"{row['line']} {_told(row, taken)}" for row in shown)
    return (
        "Items that nobody had taken before can be hit where the item table tells of them. Were they out of"
        f" reach, recall@{k} of all items would be: {figures}."
    )


def _old_rows(rows: Sequence[Row]) -> int:
    return max((row.get("old_task_rows", 0) for row in rows), default=0)


def _memory(rows: Sequence[Row]) -> str:
    old, *names = OLD, "forgetting", "average_accuracy", "backward_transfer", "forward_transfer"
    heads = ["old task recall", "old task gap", *(name.replace("_", " ") for name in names)]
    table = [["line", *heads, "overlap", "rows", "seconds", "rows before"]]
    for row in rows:
        if row["kind"] == ModelLine.kind and "rows_trained" in row:
            cells = [_number(row.get(name, float("nan"))) for name in (*names, "overlap")]
            cost = [f"{row['rows_trained']:,}", f"{row['seconds']:.0f}", f"{row['rows_trained_before']:,}"]
            table.append([row["line"], _told(row, old), _told(row, f"{old}_gap", "+.4f"), *cells, *cost])
    return _markdown(table) if len(table) > 1 else ""


def _told(row: Row, key: str, form: str = ".4f") -> str:
    value = row.get(key, float("nan"))
    if value != value:
        return "–"
    low = row.get(f"{key}_low", float("nan"))  # a line of before rows of the old task were kept has none
    if low != low:
        return f"{value:{form}}"
    return f"{row[key]:{form}} [{row[f'{key}_low']:{form}}, {row[f'{key}_high']:{form}}]"


def _number(value: float) -> str:
    return "–" if value != value else f"{value:.4f}"


def _markdown(table: Sequence[Sequence[str]]) -> str:
    head, *body = table
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
