"""What must hold after every day, whatever came and was killed: a check tells in sentences what does not."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from components.record.registry import CHAMPION, MODEL_URI
from pipelines import config as settings
from pipelines.audit import of_champion
from pipelines.day_account import day_account
from schemas import lineage
from schemas.home import MODEL_NAME, Home
from schemas.spans import date_of
from serving import client

SERVED_WITHIN = 30.0
"""Seconds from a push until the model server must answer with it."""

Delivered = Mapping[tuple[int, int], pa.Table]
"""By day and version of its files the events that are in them."""


def accounts(home: Home, delivered: Delivered) -> Iterator[str]:
    """Every day that was ingested: its account adds up, and counts what was really delivered."""
    weights = settings.load(home).events.behavior_weights.model_dump()
    counting = pa.array([name for name, weight in weights.items() if weight > 0])
    for span in sorted({span for span, _ in delivered}):
        account = day_account(home, span)
        if account is None:
            continue
        events = delivered[span, account.version]
        unique = len(pc.unique(events["event_id"]))
        quarantined = sum(account.quarantined.values())
        parts = account.accepted + account.duplicates + quarantined + account.capped
        if not account.received == parts == events.num_rows:
            yield f"{account.date}: received {account.received}, {parts} told of, {events.num_rows} delivered"
        if account.accepted + account.capped != unique:
            yield f"{account.date}: accepted {account.accepted} of {unique} different events"
        if account.learned_version is None:
            continue
        weighty = pc.sum(pc.is_in(events["behavior"], counting)).as_py() or 0
        told = (account.learned, account.held_out, account.not_yet_learned)
        if not account.capped and sum(told) != weighty:
            yield f"{account.date}: learned, held out and not yet learned {told}, but {weighty} events count"
        if account.not_yet_learned and events is delivered[span, account.learned_version]:
            yield f"{account.date}: {account.not_yet_learned} events not learned of a version that is"


def audit(home: Home) -> Iterator[str]:
    """`everlearn audit`: every accepted event learned first exactly once, held-out rows never, no future."""
    yield from of_champion(home)[1].broken


def answers(home: Home, url: str, user: str) -> Iterator[str]:
    """The model server answers with the champion, a known user and an unknown one."""
    champion = lineage.champion(home.serving)
    assert champion is not None
    deadline = time.monotonic() + SERVED_WITHIN
    while (served := _served(url)) != champion.version:
        if time.monotonic() > deadline:
            yield f"version {champion.version} is the champion, but the server has {served}"
            return
        time.sleep(0.2)
    for who in (user, "nobody"):
        if not client.recommend(url, who):
            yield f"the server has nothing for {who!r}"


def _served(url: str) -> int | None:
    try:
        told = client.status(url)
    except client.ServingError:
        return None
    available = [int(one["version"]) for one in told if one["state"] == "AVAILABLE"]
    return max(available, default=None)


def remains(home: Home) -> Iterator[str]:
    """Nothing half made is served or named: no push left aside, MLflow's champion is the served one."""
    import mlflow

    champion = lineage.champion(home.serving)
    assert champion is not None
    for left in home.serving.glob(".pushing-*"):
        yield f"{left.name} lies in the serving folder"
    registered = mlflow.MlflowClient(home.mlflow_uri).get_model_version_by_alias(MODEL_NAME, CHAMPION)
    if registered.tags[MODEL_URI] != champion.model_uri:
        yield f"MLflow's champion is not version {champion.version} of {date_of(champion.span)}"
    if (home.run / "lease.json").exists():
        yield "a run that is over still holds the lease"
