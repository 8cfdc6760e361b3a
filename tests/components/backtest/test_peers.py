"""Each peer on logs whose right answer is known, and the rules that all share."""

import numpy as np
import pyarrow as pa
import pytest

from components.backtest.peer_line import past_before
from components.backtest.peers import blend, ease, frequency, ials, item_knn, popularity, user_knn
from components.backtest.peers.past import Past, strongest
from components.backtest.peers.ranker import PeerRanker
from components.backtest.peers.registry import PEERS
from components.backtest.walk import TAKES

SPAN = 100
CATALOGUE = pa.array(["tea", "milk", "bread", "salt", "oil"])
Take = tuple[str, str, int]


def past(*takes: Take, catalogue: pa.Array = CATALOGUE) -> Past:
    user, item, age = zip(*takes, strict=True)
    columns = [list(user), list(item), [SPAN - one for one in age], [1.0] * len(takes)]
    return Past(pa.table(columns, schema=TAKES), catalogue, SPAN)


def best(scores, of: Past, user: str) -> list[str]:
    row = scores(np.array([of.users.to_pylist().index(user)]))[0]
    return [of.catalogue[int(n)].as_py() for n in np.argsort(-row, kind="stable")]


def test_counts_decay_by_half_lives() -> None:
    one = past(("ann", "tea", 10), ("ann", "tea", 20), ("bob", "milk", 10))
    counts = one.counts(10.0).toarray()
    ann = one.users.to_pylist().index("ann")
    assert counts[ann].tolist() == pytest.approx([0.5 + 0.25, 0, 0, 0, 0])


def test_takes_of_the_day_and_after_are_unseen() -> None:
    takes = [["ann"] * 3, ["tea", "milk", "bread"], [SPAN - 1, SPAN, SPAN + 1], [1.0] * 3]
    one = Past(pa.table(takes, schema=TAKES), CATALOGUE, SPAN)
    assert one.item.tolist() == [0]


def test_the_candidates_of_a_day_are_what_the_evening_before_knew() -> None:
    catalogue = pa.table(
        {
            "item_id": CATALOGUE,
            "first_span": [SPAN - 1, SPAN, SPAN, SPAN + 1, SPAN - 9],
            "announced": [0, 1, 0, 1, 1],
        }
    )
    nothing = pa.table([[], [], [], []], schema=TAKES)
    assert past_before(nothing, catalogue, SPAN, seed=0).catalogue.to_pylist() == ["tea", "milk", "oil"]


def test_popularity_counts_the_last_days_only() -> None:
    one = past(("ann", "salt", 20), ("bob", "salt", 21), ("ann", "milk", 7), ("bob", "tea", 8))
    assert best(popularity.fit(one, days=7), one, "ann")[0] == "milk"


def test_frequency_prefers_what_is_taken_often_and_lately() -> None:
    one = past(("ann", "tea", 1), ("ann", "milk", 40), ("ann", "milk", 41), ("bob", "oil", 1))
    assert best(frequency.fit(one, half_life=7.0), one, "ann")[:2] == ["tea", "milk"]
    assert best(frequency.fit(one, half_life=1e6), one, "ann")[:2] == ["milk", "tea"]


def test_blend_fills_up_with_popularity() -> None:
    one = past(("ann", "tea", 1), ("bob", "oil", 1), ("cid", "oil", 2), ("cid", "milk", 2))
    assert best(blend.fit(one, half_life=30.0, share=0.1, days=7), one, "ann")[:2] == ["tea", "oil"]


TASTES = [
    *[(f"hot{n}", item, age) for n in range(6) for age, item in enumerate(("tea", "milk"), 1)],
    *[(f"dry{n}", item, age) for n in range(6) for age, item in enumerate(("salt", "oil"), 1)],
    ("ann", "tea", 1),
]
"""Those who take tea take milk, too; ann only tea so far."""


@pytest.mark.parametrize(
    ("peer", "settings"),
    [
        (user_knn, {"half_life": 60.0, "neighbours": 5, "own": 0.5}),
        (item_knn, {"half_life": 60.0, "neighbours": 3}),
        (ease, {"half_life": 1e6, "ridge": 1.0}),
        (ials, {"half_life": 1e6, "factors": 8, "ridge": 0.1, "confidence": 10.0}),
    ],
)
def test_collaborative_peers_find_what_goes_together(peer, settings) -> None:
    one = past(*TASTES)
    order = best(peer.fit(one, **settings), one, "ann")
    assert order.index("milk") < min(order.index("salt"), order.index("oil"), order.index("bread"))


def test_ease_is_the_closed_form() -> None:
    one = past(*TASTES)
    taken = (one.counts(1e6).toarray() > 0).astype(float)
    inverse = np.linalg.inv(taken.T @ taken + 2.0 * np.eye(5))
    weights = np.eye(5) - inverse / np.diag(inverse)
    users = np.arange(len(one.users))
    np.testing.assert_allclose(ease.fit(one, half_life=1e6, ridge=2.0)(users), taken @ weights, atol=1e-4)


def test_what_was_taken_counts_for_more_than_what_was_not_however_long_ago() -> None:
    one = past(("ann", "tea", 600), ("bob", "milk", 1))
    found = ials.confidences(one, half_life=60.0, confidence=3.0)
    assert (found.data > 1.0).all(), "an absent pair has 1"
    assert found.data.max() == pytest.approx(1.0 + 3.0 * 2 ** (-1 / 60))


def test_settings_mean_the_same_where_there_are_clicks_alone() -> None:
    takes = [["ann", "bob"], ["tea", "milk"], [SPAN - 1, SPAN - 2], [0.3, 0.15]]
    assert Past(pa.table(takes, schema=TAKES), CATALOGUE, SPAN).weight.tolist() == [1.0, 0.5]


def test_strongest_keeps_the_largest_positive_entries() -> None:
    found = strongest(np.array([[0.1, 0.9, 0.5], [-1.0, 0.0, 0.2]]), 2)
    np.testing.assert_allclose(found.toarray(), [[0.0, 0.9, 0.5], [0.0, 0.0, 0.2]])


@pytest.mark.parametrize("name", PEERS)
def test_every_peer_fits_every_setting_of_its_grid_and_knows_nothing_of_strangers(name: str) -> None:
    one = past(*TASTES)
    for settings in PEERS[name].GRID:
        scores = PEERS[name].fit(one, **settings)(np.array([0, 1, -1]))
        assert scores.shape == (3, 5)
        assert np.isfinite(scores).all()


def test_of_equal_scores_the_worse_rank_counts_and_unheard_items_come_last() -> None:
    one = past(("ann", "tea", 1))
    rows = pa.table({"user_id": [["ann"]], "item_id": [["tea", "milk", "unheard of"]]})
    ranker = PeerRanker(one, lambda users: np.array([[3.0, 1.0, 1.0, 2.0, 0.0]] * len(users), np.float32))
    assert ranker.ranks(rows).tolist() == [1, 4, 6]


def test_a_withdrawn_item_is_no_candidate() -> None:
    gone = np.array([False, False, True, True, False])
    one = Past(pa.table([[], [], [], []], schema=TAKES), CATALOGUE, SPAN, gone=gone)
    rows = pa.table({"user_id": [["ann"]], "item_id": [["tea", "bread", "oil"]]})
    ranker = PeerRanker(one, lambda users: np.array([[1.0, 3.0, 9.0, 8.0, 2.0]] * len(users), np.float32))
    assert ranker.ranks(rows).tolist() == [3, 6, 2]
