"""`everlearn backtest`: one's own log, day by day, under several strategies and beside simpler methods."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import ValidationError
from rich.console import Console

from components import digests
from components.events import sql
from components.events.read import available_spans, day_files, fingerprint, read_day
from components.features.tables import read_table
from pipelines import config as settings
from schemas.home import Home
from schemas.spans import date_of, parse_date, span_of

if TYPE_CHECKING:
    from components.backtest.walk import Source

app = typer.Typer()
console = Console(highlight=False, soft_wrap=True)

STRATEGIES = "default,stale,finetune,full-7"
BASELINES = "popularity,frequency,blend,user-knn,item-knn,ease,ials"


@app.command()
def backtest(
    start: Annotated[str, typer.Option(help="First day that is scored, YYYY-MM-DD")],
    days: Annotated[int, typer.Option(help="Days that are scored")],
    out: Annotated[Path, typer.Option(help="Folder of results; a backtest that was stopped goes on there")],
    bootstrap_days: Annotated[
        int | None,
        typer.Option(help="Days before the start that are learned first; by default all there are"),
    ] = None,
    strategies: Annotated[
        str, typer.Option(help="Of default, stale, finetune, replay-PERCENT, full-DAYS, NAME:field=value+…")
    ] = STRATEGIES,
    baselines: Annotated[
        str, typer.Option(help="Peers, refitted daily and tuned before the window; empty for none")
    ] = BASELINES,
    holdout_share: Annotated[
        float | None,
        typer.Option(
            help="Share of user-days never learned, for the old task; 0 allowed; default: as in force"
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of samples, models and peers")] = 0,
) -> None:
    """Walk forward through the log, scoring each day before learning it; say what to use."""
    home = Home.from_environment()
    first = span_of(parse_date(start))
    spans = available_spans(home.events)
    _check(spans, first, days, home)
    all_before = first - spans[0]
    given = {"bootstrap_days": all_before if bootstrap_days is None else bootstrap_days, "seed": seed}
    run(home, {"start": first, "days": days, **given}, strategies, baselines, out, holdout_share)


def run(
    home: Home,
    window: dict,
    strategies: str,
    baselines: str,
    out: Path,
    holdout_share: float | None = None,
) -> None:
    """`window`: fields of BacktestConfig. The settings are those in force in `home`."""
    from components.backtest.config import BacktestConfig
    from components.backtest.run import Plan, backtest
    from components.backtest.strategies import named

    config = settings.load(home)
    features, learn = config.features, config.learn
    if holdout_share is not None:
        features = features.model_copy(update={"holdout_share": holdout_share})
        learn = learn.model_copy(update={"holdout_share": holdout_share})
    learn = learn.model_copy(update={"seed": window.get("seed", 0)})
    log = source(home, features, config.events.behavior_weights.model_dump())
    try:
        plan = Plan(
            BacktestConfig.model_validate(window),
            learn,
            [named(name) for name in _names(strategies)],
            _names(baselines),
        )
        backtest(log, plan, out, console.print)
    except ValidationError as error:
        raise settings.ConfigError(settings.sentences(error)) from None
    console.print(f"done: [bold]{out / 'report.md'}[/], summary.csv, daily.csv")


def _names(listed: str) -> list[str]:
    return [name.strip() for name in listed.split(",") if name.strip()]


def source(home: Home, features: settings.FeaturesConfig, weights: dict[str, float]) -> Source:
    """The log in `home`, read day by day by the rules of ingest."""
    from components.backtest.walk import Source

    connection = sql.connect()
    return Source(
        events=lambda span: read_day(day_files(home.events, span), connection)[0],
        items=read_table(home.items),
        users=read_table(home.users),
        features=features,
        weights=weights,
        fingerprint=lambda first, last: _fingerprint(home, first, last),
    )


def _fingerprint(home: Home, first: int, last: int) -> str:
    tables = [digests.of_file(path) if path.is_file() else "" for path in (home.items, home.users)]
    return digests.of_settings([fingerprint(home.events, first, last), *tables])


def _check(spans: list[int], first: int, days: int, home: Home) -> None:
    if not spans:
        raise ValueError(f"there are no events in {home.events}: import a log first")
    if not spans[0] < first <= spans[-1]:
        raise ValueError(
            f"--start {date_of(first)} leaves nothing to learn or to score: the log goes from"
            f" {date_of(spans[0])} to {date_of(spans[-1])}"
        )
    if first + days - 1 > spans[-1]:
        raise ValueError(f"--days {days} goes beyond the log's end, {date_of(spans[-1])}: choose fewer")
