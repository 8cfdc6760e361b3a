"""Whether categories say who takes an item."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from components.trainer.features import FeatureSpec
from components.trainer.labels import share_between, tell
from components.trainer.vocabulary import Vocabulary


def chunked(labels: object) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(labels, pa.string())])


def test_the_share_of_a_hand_worked_case() -> None:
    """Groups {0, 2} and {10, 12}: within 4 of 2 degrees, total 104 of 3; 1 - 2 / (104 / 3)."""
    wide = np.repeat([[0.0], [2.0], [10.0], [12.0]], 5, axis=0)
    labels = chunked(np.repeat(["a", "a", "b", "b"], 5))
    within, total = 20.0 / 18, 520.0 / 19
    assert share_between(wide, labels) == pytest.approx(1 - within / total)


@pytest.mark.parametrize("values", [2, 10, 100])
@pytest.mark.parametrize("seed", range(5))
def test_labels_at_random_tell_nothing_however_many_they_are(values: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    places, labels = rng.normal(size=(300, 4)), chunked([f"c{one}" for one in rng.integers(values, size=300)])
    assert share_between(places, labels) < 0.05


@pytest.mark.parametrize("values", [2, 10, 100])
def test_labels_by_place_tell_much(values: int) -> None:
    places = np.random.default_rng(0).normal(size=(300, 1))
    labels = chunked([f"c{one}" for one in places[:, 0].argsort().argsort() * values // 300])
    assert share_between(places, labels) > 0.5


@pytest.mark.parametrize("labels", [["a"] * 4, list("abcd"), [None] * 4])
def test_one_value_and_a_value_an_item_tell_nothing(labels: list[str | None]) -> None:
    assert share_between(np.arange(4.0)[:, None], chunked(labels)) == 0


def test_a_column_that_tells_is_enough_and_places_are_found_by_id() -> None:
    rng, ids = np.random.default_rng(0), [f"i{n}" for n in range(200)]
    order, group = rng.permutation(200), np.arange(200) % 4
    items = Vocabulary().append([ids[n] for n in order])
    places = np.zeros((items.size, 2))
    places[1:201] = rng.normal(size=(200, 2)) * 0.1 + np.eye(4)[group[order]][:, :2]
    told, chance = [f"c{one}" for one in group], [f"c{one}" for one in rng.integers(4, size=200)]
    catalogue = pa.table({"item_id": ids, "genre": told, "shelf": chance})
    assert tell(catalogue, ("genre", "shelf"), items, places)
    assert not tell(catalogue, ("shelf",), items, places)
    assert tell(catalogue, ("shelf",), items, np.zeros_like(places)), "nothing known speaks against it"


def test_a_spec_of_before_is_read_and_a_new_one_comes_back_as_it_was() -> None:
    spec = FeatureSpec((), ("age",), ("genre",), ("price",), labels_tell=False)
    assert FeatureSpec.from_json(spec.to_json()) == spec
    assert spec.ids_alone
    of_before = {name: list(one) for name, one in spec.to_json().items() if name != "labels_tell"}
    assert not FeatureSpec.from_json(of_before).ids_alone
