"""The peers by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from components.backtest.peers import blend, ease, frequency, ials, item_knn, popularity, user_knn
from components.backtest.peers.past import Past, Scores


class Peer(Protocol):
    """A module of this package."""

    GRID: Sequence[Mapping[str, Any]]

    @staticmethod
    def fit(past: Past, **settings: Any) -> Scores: ...


PEERS: dict[str, Peer] = {
    "popularity": popularity,  # type: ignore[dict-item]
    "frequency": frequency,  # type: ignore[dict-item]
    "blend": blend,  # type: ignore[dict-item]
    "user-knn": user_knn,  # type: ignore[dict-item]
    "item-knn": item_knn,  # type: ignore[dict-item]
    "ease": ease,  # type: ignore[dict-item]
    "ials": ials,  # type: ignore[dict-item]
}


def peer(name: str) -> Peer:
    """ValueError names what there is."""
    if name not in PEERS:
        raise ValueError(f"{name!r} is no baseline: choose of {', '.join(PEERS)}")
    return PEERS[name]
