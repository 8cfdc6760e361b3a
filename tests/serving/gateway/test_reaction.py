"""Shoes in the morning, bottles in the afternoon: a simulated shop's user before a real model and gateway."""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

from components.events.config import BehaviorWeights
from components.features.config import FeaturesConfig
from components.features.stretch import advance_stretch
from components.simulator.config import SimulatorConfig
from components.simulator.simulate import simulate
from components.simulator.world import World
from components.trainer.config import LearnConfig
from components.trainer.export import export
from components.trainer.learn import TrainingRows, learn
from schemas.home import MODEL_NAME, Home
from serving.gateway.app import create
from serving.gateway.settings import Settings
from tests.serving import servers

pytestmark = pytest.mark.slow
DAYS, K, USERS, CLICKS = 14, 20, 12, 5


@pytest.fixture(scope="module")
def shop() -> World:
    start = dt.datetime.now(dt.timezone.utc).date() - dt.timedelta(days=DAYS)
    return World(
        SimulatorConfig(
            days=DAYS,
            start=start,
            users=150,
            items=200,
            events_per_day=1200,
            categories=6,
            drift=0.0,
            focus=3.0,
        )
    )


@pytest.fixture(scope="module")
def home(shop: World, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """What two weeks of that shop push."""
    home = Home(tmp_path_factory.mktemp("home"))
    by_span = {day.span: day.events for day in simulate(shop.config, shop)}
    tables = shop.item_table(), shop.user_table(), FeaturesConfig(), BehaviorWeights().model_dump()
    new, held_out, data = advance_stretch(None, by_span, *tables)
    config = LearnConfig(dimension=16, hidden=32, uniform_negatives=64)
    state = learn(None, TrainingRows(new, new.slice(0, 0), held_out, data), config).state
    home.serving.mkdir(parents=True)
    export(state, data, home.serving / "1", K)
    return home


def share(answer: dict, category: dict[str, str], wanted: str) -> float:
    return float(np.mean([category[one["item_id"]] == wanted for one in answer["items"]]))


def test_the_list_follows_within_a_second_and_keeps_the_old_taste(
    shop: World, home: Home, tmp_path: Path
) -> None:
    table = shop.item_table().to_pydict()
    category = dict(zip(table["item_id"], table["category"], strict=True))
    last_day = shop.probabilities(shop.users.taste, DAYS - 1)
    here = np.array([category[one] for one in table["item_id"][: last_day.shape[1]]])
    names = sorted(set(category.values()))
    by_category = np.stack([last_day[:, here == name].sum(axis=1) for name in names], axis=1)
    settled = np.argsort(-by_category.max(axis=1))[:USERS]
    before, after, old_before, old_after, seconds = [], [], [], [], []
    with servers.running(home.serving, MODEL_NAME, tmp_path / "server") as server:
        model_url = f"{server.url}/v1/models/{MODEL_NAME}"
        with TestClient(create(Settings(home=home.root, model_url=model_url, timeout_seconds=5))) as client:
            for user in settled:
                old, new = names[int(by_category[user].argmax())], names[int(by_category[user].argmin())]
                name = f"u{user:06d}"
                path = f"/recommendations/{name}?k={K}"
                first = client.get(path).json()
                clicked = [item for item in category if category[item] == new][:CLICKS]
                started = time.monotonic()
                events = [
                    {"event_id": f"{name}-{item}", "user_id": name, "item_id": item, "behavior": "click"}
                    for item in clicked
                ]
                assert client.post("/events", json=events).json()["live"]
                then = client.get(path).json()
                seconds.append(time.monotonic() - started)
                before.append(share(first, category, new))
                after.append(share(then, category, new))
                old_before.append(share(first, category, old))
                old_after.append(share(then, category, old))
    told = (
        f"share of the new category {np.mean(before):.2f} -> {np.mean(after):.2f}, "
        f"of the old taste {np.mean(old_before):.2f} -> {np.mean(old_after):.2f}, "
        f"slowest {max(seconds):.3f} s"
    )
    print(told)
    assert max(seconds) < 1.0, told
    assert np.mean(after) > np.mean(before) + 0.1, told
    assert np.mean(old_after) > 0.5 * np.mean(old_before), told
    assert np.mean(old_after) > 1 / len(names), told
