"""What the smoke test asks, and the trainer's own answers, written beside the SavedModel."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.features.data_state import DataState
from components.trainer.moment import push_rows, recent_rows
from components.trainer.scoring import Scorer
from schemas.signatures import RECOMMEND, RECOMMEND_CONTEXT, RECOMMEND_RECENT, SCORE

USERS_A_REQUEST = 8
NOBODY = ""


def expectations(
    scorer: Scorer, data: DataState, *, list_length: int, users: int, seed: int
) -> list[dict[str, Any]]:
    """Requests with answers: `schemas.signatures.SMOKE_FILE`.

    By user id: `users` known ones, drawn by `seed` among those with a history, an unknown one, and nobody.
    From recent items: one, several with a repetition, an unknown one, none. By pair: known users with
    items, one of which does not exist (score -inf). With everything: what nothing else says than the user id
    is answered as by user id.
    """
    rng = np.random.default_rng(seed)
    known = _draw(rng, pc.unique(data.history.column("user_id")), users)
    items = _draw(rng, data.catalogue.column("item_id"), 8)
    asked = [*known, _absent("unknown-user", data.users.column("user_id")), NOBODY]
    groups = [asked[start : start + USERS_A_REQUEST] for start in range(0, len(asked), USERS_A_REQUEST)]
    unknown_item = _absent("unknown-item", data.catalogue.column("item_id"))
    return [
        *(_by_user(scorer, data, group, list_length) for group in groups),
        _by_recent_items(scorer, data, _baskets(items, unknown_item), list_length),
        _by_pair(scorer, data, [*known, NOBODY], [*items, unknown_item]),
        _by_context(scorer, data, groups[0], list_length),
    ]


def _by_user(scorer: Scorer, data: DataState, users: list[str], length: int) -> dict[str, Any]:
    outputs = _lists(scorer, push_rows(data, users), length)
    return {"signature": RECOMMEND, "inputs": {"user_id": users}, "outputs": outputs}


def _by_recent_items(
    scorer: Scorer, data: DataState, baskets: list[list[str]], length: int
) -> dict[str, Any]:
    width = max(map(len, baskets))
    padded = [[""] * (width - len(basket)) + basket for basket in baskets]
    outputs = _lists(scorer, recent_rows(data, padded), length)
    return {"signature": RECOMMEND_RECENT, "inputs": {"recent_items": padded}, "outputs": outputs}


def _by_pair(scorer: Scorer, data: DataState, users: list[str], items: list[str]) -> dict[str, Any]:
    """Every item with some user, every user with some item."""
    count = max(len(users), len(items))
    paired_users = [users[n % len(users)] for n in range(count)]
    paired_items = [items[n % len(items)] for n in range(count)]
    scores = scorer.score(push_rows(data, paired_users), paired_items)
    inputs = {"user_id": paired_users, "item_id": paired_items}
    return {"signature": SCORE, "inputs": inputs, "outputs": {"score": scores.tolist()}}


def _by_context(scorer: Scorer, data: DataState, users: list[str], length: int) -> dict[str, Any]:
    """One place of padding everywhere; half of the k are written out, half are the default."""
    nothing, zeros = [[""]] * len(users), [0] * len(users)
    inputs = {
        "user_id": users,
        "recent_items": nothing,
        "recent_times": [[0]] * len(users),
        "recent_behaviors": nothing,
        "user_features": nothing,
        "exclude": nothing,
        "now": zeros,
        "k": [length * (place % 2) for place in range(len(users))],
    }
    outputs = _lists(scorer, push_rows(data, users), length)
    return {"signature": RECOMMEND_CONTEXT, "inputs": inputs, "outputs": outputs}


def _lists(scorer: Scorer, rows: pa.Table, length: int) -> dict[str, list]:
    ids, scores = scorer.top_k(rows, length)
    return {"item_id": ids.tolist(), "score": scores.tolist()}


def _baskets(items: list[str], unknown: str) -> list[list[str]]:
    return [items[:1], [*items[:3], items[0]], [unknown], [unknown, items[-1]], []]


def _draw(rng: np.random.Generator, values: pa.ChunkedArray | pa.Array, count: int) -> list[str]:
    """Up to `count` of the values, each at most once; sorted first, so that only the seed decides."""
    ordered = sorted(values.to_pylist())
    return [ordered[n] for n in rng.choice(len(ordered), min(count, len(ordered)), replace=False)]


def _absent(name: str, ids: pa.ChunkedArray) -> str:
    """An id that is not among `ids`."""
    taken = set(ids.to_pylist())
    while name in taken:
        name += "-"
    return name
