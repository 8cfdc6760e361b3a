"""Many days in a row: python -m benchmarks.soak --days 20 --kills 10 --disorder --seed 1

The days of a simulated shop, or the newest of an imported log (`--home DIR`), are delivered one evening after
another into a fresh state folder and learned by `everlearn run`. With `--disorder` most of them come late,
twice, corrected, tiny, empty, tenfold or never; `--kills` of the processes get SIGKILL at a random moment and
the command is given again. After each day accounts, audit, served answers and what is left are checked.
Writes soak.csv and soak.md into `--out`; the exit status is 1 where anything did not hold.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import astuple
from pathlib import Path

from pipelines import environment

environment.prepare()

import pyarrow as pa  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402
from rich.console import Console  # noqa: E402

from benchmarks.soak import checks  # noqa: E402
from benchmarks.soak.commands import Killer, Ran, free_port, run_until_done, sentence, server, size_of  # noqa: E402
from benchmarks.soak.disorder import Delivery, content, deliveries, in_order  # noqa: E402
from benchmarks.soak.table import Row, write  # noqa: E402
from components.events import sql  # noqa: E402
from components.events.read import available_spans, day_files, read_day  # noqa: E402
from components.importer.days import EVENTS, next_version  # noqa: E402
from schemas import lineage  # noqa: E402
from schemas.home import Home  # noqa: E402
from schemas.spans import date_of  # noqa: E402

console = Console(highlight=False, soft_wrap=True)


class Soak:
    """A state folder that lives through days, and what was delivered into it."""

    def __init__(self, source: Home, home: Home, seed: int) -> None:
        self.source, self.home, self.seed = source, home, seed
        self.delivered: dict[tuple[int, int], pa.Table] = {}

    def begin(self, spans: Sequence[int]) -> Ran:
        """The tables and the first days, and a first champion from them."""
        self.home.events.mkdir(parents=True)
        for name in ("items", "users", "config"):
            if (path := getattr(self.source, name)).exists():
                shutil.copy2(path, getattr(self.home, name))
        for span in spans:
            self.deliver(Delivery(span, span, "tidy"))
        stretch = ["--from", str(date_of(spans[0])), "--to", str(date_of(spans[-1]))]
        return run_until_done(self.home, ["bootstrap", *stretch])

    def deliver(self, delivery: Delivery) -> str:
        """Writes the next version of a day, also where it is what is there already; says what it was."""
        with sql.connect() as connection:
            events, _, _ = read_day(day_files(self.source.events, delivery.day), connection)
        events = content(delivery, events, self.seed)
        date = date_of(delivery.day).isoformat()
        with next_version(self.home.events / date) as (version, folder):
            pq.write_table(events, folder / f"{EVENTS}.parquet")
        self.delivered[delivery.day, version] = events
        return f"{date} {delivery.kind} ver-{version} ({events.num_rows:,})"

    def checked(self, url: str) -> dict[str, list[str]]:
        """By name what does not hold."""
        last = max(span for span, version in self.delivered if self.delivered[span, version].num_rows)
        user = self.delivered[last, 1]["user_id"][0].as_py()
        return {
            "account": list(checks.accounts(self.home, self.delivered)),
            "audit": list(checks.audit(self.home)),
            "answers": list(checks.answers(self.home, url, user)),
            "remains": list(checks.remains(self.home)),
        }

    def row(self, span: int, told: Sequence[str], ran: Ran, found: dict[str, list[str]]) -> Row:
        champion = lineage.champion(self.home.serving)
        assert champion is not None
        ours = champion.span == span
        refused = sentence(ran).replace(str(self.home.root), "EVERLEARN_HOME")
        verdict = f"{champion.verdict}, {champion.kind}" if ours else refused
        days = {day for day, _ in self.delivered}
        return Row(
            day=date_of(span).isoformat(),
            delivered="; ".join(told) or "nothing",
            killed_in=", ".join(ran.killed_in),
            verdict=verdict,
            version=champion.version,
            seconds=round(ran.seconds, 1),
            not_learned=len(days.difference(champion.spans_learned)),
            megabytes=size_of(self.home.root) // 2**20,
            **{name: "; ".join(sentences) or "holds" for name, sentences in found.items()},
        )


def days(
    soak: Soak, spans: Sequence[int], plan: list[Delivery], killer: Killer, usual: float
) -> Iterator[Row]:
    """Every evening: what comes is delivered, the day is run, everything is checked."""
    with server(soak.home, free_port()) as url:
        for span in spans:
            told = [soak.deliver(one) for one in plan if one.on == span]
            ran = run_until_done(soak.home, ["run", "--date", str(date_of(span))], killer, usual)
            if not ran.killed_in and ran.status == 0:
                usual = ran.seconds
            yield soak.row(span, told, ran, soak.checked(url))


def simulated(folder: Path, count: int, seed: int) -> Home:
    source = Home(folder / "source")
    source.root.mkdir(parents=True)
    done = run_until_done(source, ["simulate", "--days", str(count), "--seed", str(seed)])
    if done.status:
        raise SystemExit(done.said)
    return source


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.soak", description=__doc__)
    parser.add_argument("--days", type=int, default=20, help="days that are run one by one")
    parser.add_argument("--learned", type=int, default=14, help="days before them, learned at once")
    parser.add_argument("--kills", type=int, default=0, help="processes that get SIGKILL")
    parser.add_argument("--disorder", action="store_true", help="days come late, twice, corrected, …")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--home", type=Path, help="state folder of an imported log (it is only read)")
    parser.add_argument("--out", type=Path, default=Path(tempfile.gettempdir()) / "everlearn-soak")
    return parser.parse_args()


def main() -> int:
    asked = arguments()
    out = asked.out.absolute()
    if (out / "home").exists():
        raise SystemExit(f"{out / 'home'} is there already: remove it, or name another --out")
    out.mkdir(parents=True, exist_ok=True)
    count = asked.learned + asked.days
    source = Home(asked.home.absolute()) if asked.home else simulated(out, count, asked.seed)
    spans = available_spans(source.events)[-count:]
    if len(spans) < count:
        raise SystemExit(
            f"{source.root} has {len(spans)} days, {count} are asked for: lower --days or --learned"
        )
    first, then = spans[: asked.learned], spans[asked.learned :]
    soak = Soak(source, Home(out / "home"), asked.seed)
    plan = deliveries(then, asked.seed) if asked.disorder else in_order(then)
    began = soak.begin(first)
    if began.status:
        raise SystemExit(began.said)
    console.print(f"a champion from {asked.learned} days after {began.seconds:.0f} s")
    rows, killer = [], Killer(asked.kills, len(then), asked.seed)
    for row in days(soak, then, plan, killer, usual=began.seconds):
        rows.append(row)
        console.print("  ".join(f"{cell}" for cell in astuple(row)), markup=False)
    champion = lineage.champion(soak.home.serving)
    assert champion is not None
    again = run_until_done(soak.home, ["reproduce", str(champion.version)])
    broken = [row for row in rows if {row.account, row.audit, row.answers, row.remains} != {"holds"}]
    told = [
        f"{len(rows)} days, {asked.kills - killer.left} kills; something did not hold on {len(broken)} days.",
        f"Then `everlearn reproduce {champion.version}`: {sentence(again)}.",
    ]
    console.print("\n".join(told), markup=False)
    write(out, rows, told)
    console.print(f"{out / 'soak.csv'}, {out / 'soak.md'}")
    return int(bool(broken) or again.status != 0)


if __name__ == "__main__":
    sys.exit(main())
