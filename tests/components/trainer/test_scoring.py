"""Ranks by hand, and what is served equal to what is scored."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf

from components.features.rows import flat, offsets, scalar
from components.trainer.export import export
from components.trainer.moment import push_rows, recent_rows
from components.trainer.scoring import Scorer
from components.trainer.vocabulary import Vocabulary
from schemas.signatures import RECOMMEND, RECOMMEND_RECENT, SCORE
from tests.components.trainer.conftest import World, world_of

LENGTH = 5


@pytest.fixture(scope="module")
def scorer(world: World) -> Scorer:
    return Scorer(world.base.state, world.first.data)


@pytest.fixture(scope="module")
def served(world: World, tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("export") / "1"
    export(world.base.state, world.first.data, folder, LENGTH)
    return tf.saved_model.load(str(folder))


def test_ranks_count_the_items_that_score_no_worse(world: World, scorer: Scorer) -> None:
    rows = world.first.held_out
    ranks = scorer.ranks(rows)
    items = world.first.data.catalogue.num_rows
    assert len(ranks) == len(flat(rows, "item_id"))
    assert ranks.min() >= 1
    assert ranks.max() <= items
    everything = rows.slice(0, 1)
    ids = world.first.data.catalogue.column("item_id").to_pylist()
    place = rows.column_names.index("item_id")
    everything = everything.set_column(place, "item_id", pa.array([ids], pa.list_(pa.string())))
    assert sorted(scorer.ranks(everything)) == list(range(1, items + 1))


def test_ties_take_the_worse_rank_and_unknown_items_rank_behind_all(world: World) -> None:
    state = world.base.state
    flat_state = replace(state, weights={name: np.zeros_like(array) for name, array in state.weights.items()})
    rows = world.first.held_out.slice(0, 1)
    place = rows.column_names.index("item_id")
    rows = rows.set_column(place, "item_id", pa.array([["i001", "never heard of"]], pa.list_(pa.string())))
    items = world.first.data.catalogue.num_rows
    assert Scorer(flat_state, world.first.data).ranks(rows).tolist() == [items, items + 1]


def test_an_item_is_a_candidate_up_to_its_last_day(world: World, scorer: Scorer) -> None:
    """Where the best item was withdrawn the day before, the others move up and it stands behind all."""
    data = world.first.data
    items = data.catalogue.column("item_id").to_pylist()
    rows = world.first.held_out.slice(0, 1)
    place = rows.column_names.index("item_id")
    rows = rows.set_column(place, "item_id", pa.array([items], pa.list_(pa.string())))
    before = scorer.ranks(rows)
    span = int(scalar(rows, "span")[0])
    for last_day, expected in (
        (span, before),
        (span - 1, np.where(before == 1, len(items) + 1, before - 1)),
    ):
        until = pa.array([last_day if rank == 1 else None for rank in before], pa.int64())
        changed = replace(data, catalogue=data.catalogue.append_column("available_until", until))
        assert Scorer(world.base.state, changed).ranks(rows).tolist() == expected.tolist()


@pytest.mark.contract
def test_an_announced_item_is_in_the_lists_of_its_first_day_and_in_none_before(
    world: World, tmp_path: Path
) -> None:
    data = world.first.data
    row = {"item_id": "coming", "first_span": data.span + 1, "announced": 1}
    coming = data.catalogue.slice(0, 1)
    for name, value in row.items():
        place = coming.column_names.index(name)
        coming = coming.set_column(place, name, pa.array([value], coming.schema.field(name).type))
    tonight = replace(data, catalogue=pa.concat_tables([data.catalogue, coming]))
    items = tonight.catalogue.num_rows
    export(world.base.state, tonight, tmp_path / "1", items)
    model = tf.saved_model.load(str(tmp_path / "1"))
    listed = model.signatures[RECOMMEND](user_id=tf.constant(["u001"]))["item_id"].numpy()[0]
    assert b"coming" in listed
    ranks = []
    for span in (data.span, data.span + 1):
        rows = world.first.held_out.slice(0, 1)
        for name, value in (("span", [span]), ("item_id", ["coming"])):
            place = rows.column_names.index(name)
            rows = rows.set_column(place, name, pa.array([value], rows.schema.field(name).type))
        ranks += Scorer(world.base.state, tonight).ranks(rows).tolist()
    assert ranks[0] == items + 1
    assert ranks[1] <= items


def test_rows_are_ranked_alike_alone_and_together(world: World, scorer: Scorer) -> None:
    rows = world.first.held_out
    bounds = offsets(rows, "item_id")
    together = scorer.ranks(rows)
    for row in range(0, rows.num_rows, 5):
        assert np.array_equal(scorer.ranks(rows.slice(row, 1)), together[bounds[row] : bounds[row + 1]])


def test_training_lifts_held_out_items(world: World) -> None:
    """The trained models rank held-out items better than ones that have learned nothing.

    One world holds out a score of items only, whose mean rank says little: several are taken together.
    """
    trained, untrained, at_random = [], [], []
    for each in (world, *map(world_of, range(1, 4))):
        rows, data = each.first.held_out, each.first.data
        weights = {name: np.zeros_like(array) for name, array in each.base.state.weights.items()}
        trained += Scorer(each.base.state, data).ranks(rows).tolist()
        untrained += Scorer(replace(each.base.state, weights=weights), data).ranks(rows).tolist()
        at_random += [(data.catalogue.num_rows + 1) / 2] * len(flat(rows, "item_id"))
    assert len(trained) > 100
    assert np.mean(trained) < 0.85 * np.mean(at_random)
    assert np.mean(at_random) < np.mean(untrained)


@pytest.mark.contract
def test_lists_of_known_and_unknown_users_equal_the_scorers(world: World, scorer: Scorer, served) -> None:
    users = [*world.first.data.users.column("user_id").to_pylist(), "stranger", ""]
    got = served.signatures[RECOMMEND](user_id=tf.constant(users))
    ids, scores = scorer.top_k(push_rows(world.first.data, users), LENGTH)
    assert got["item_id"].numpy().astype(str).tolist() == ids.tolist()
    np.testing.assert_allclose(got["score"], scores, atol=1e-5)
    assert (np.diff(scores, axis=1) <= 0).all()
    assert ids[-1].tolist() == ids[-2].tolist(), "an unknown user is somebody of whom nothing is known"
    assert len({tuple(one) for one in ids}) > 5


@pytest.mark.contract
def test_lists_of_recent_items_equal_the_scorers(world: World, scorer: Scorer, served) -> None:
    recent = [["i001", "i002", "i003"], ["", "i004", "i004"], ["", "", "no such item"], ["", "", ""]]
    got = served.signatures[RECOMMEND_RECENT](recent_items=tf.constant(recent))
    ids, scores = scorer.top_k(recent_rows(world.first.data, recent), LENGTH)
    assert got["item_id"].numpy().astype(str).tolist() == ids.tolist()
    np.testing.assert_allclose(got["score"], scores, atol=1e-5)


@pytest.mark.contract
def test_scores_of_pairs_equal_those_of_the_lists(world: World, scorer: Scorer, served) -> None:
    users = world.first.data.users.column("user_id").to_pylist()
    ids, scores = scorer.top_k(push_rows(world.first.data, users), 3)
    for place in range(3):
        got = served.signatures[SCORE](
            user_id=tf.constant(users), item_id=tf.constant(ids[:, place].tolist())
        )
        np.testing.assert_allclose(got["score"], scores[:, place], atol=1e-5)
        np.testing.assert_allclose(scorer.score(push_rows(world.first.data, users), ids[:, place].tolist()),
                                   scores[:, place], atol=1e-5)  # fmt: skip
    unknown = served.signatures[SCORE](
        user_id=tf.constant(["u001", ""]), item_id=tf.constant(["nothing", ""])
    )
    assert unknown["score"].numpy().tolist() == [-np.inf, -np.inf]


def test_a_repeat_offset_lifts_past_items_by_itself_and_no_others(world: World, scorer: Scorer) -> None:
    offset = 1.5
    config = world.config.model_copy(update={"repeat_offset": offset})
    lifted = Scorer(replace(world.base.state, config=config), world.first.data)
    row = next(
        one for n in range(30) if flat(one := push_rows(world.first.data, [f"u{n:03}"]), "history_item")
    )
    items = world.first.data.catalogue.column("item_id").to_pylist()
    rows = row.take(pa.array([0] * len(items)))
    past = np.isin(items, flat(row, "history_item").to_pylist())
    difference = lifted.score(rows, items) - scorer.score(rows, items)
    np.testing.assert_allclose(difference, np.where(past, offset, 0.0), atol=1e-5)
    top, scores = lifted.top_k(row, len(items))
    np.testing.assert_allclose(scores[0], lifted.score(rows, top[0].tolist()), atol=1e-5)


def test_an_item_nobody_took_is_scored_by_its_features(world: World) -> None:
    """Two items that nobody took differ only by category: users who like one category see the difference."""
    data = world.first.data
    fresh = data.catalogue.slice(0, 2).set_column(0, "item_id", pa.array(["new a", "new\nb"]))
    place = fresh.column_names.index("category")
    fresh = fresh.set_column(place, "category", pa.array(["shoes", "hats"]))
    catalogue = pa.concat_tables([data.catalogue, fresh])
    scorer = Scorer(world.base.state, replace(data, catalogue=catalogue))
    users = data.users.column("user_id").to_pylist()
    rows = push_rows(data, users)
    shoes, hats = (scorer.score(rows, [item] * len(users)) for item in ("new a", "new\nb"))
    assert np.isfinite(shoes).all()
    likes_shoes = np.array([int(user[1:]) % 4 == 0 for user in users])
    likes_hats = np.array([int(user[1:]) % 4 == 3 for user in users])
    assert (shoes - hats)[likes_shoes].mean() > (shoes - hats)[likes_hats].mean()


def test_ids_with_line_breaks_are_served(world: World, tmp_path: Path) -> None:
    data = world.first.data
    ids = [f"{one}\n" for one in data.catalogue.column("item_id").to_pylist()]
    odd = replace(data, catalogue=data.catalogue.set_column(0, "item_id", pa.array(ids)))
    state = replace(
        world.base.state, vocabularies={**world.base.state.vocabularies, "item": Vocabulary(tuple(ids))}
    )
    export(state, odd, tmp_path / "1", LENGTH)
    got = tf.saved_model.load(str(tmp_path / "1")).signatures[RECOMMEND](user_id=tf.constant(["u001"]))
    assert all(one.endswith(b"\n") for one in got["item_id"].numpy()[0])


def test_a_list_is_as_long_as_the_catalogue_at_most(world: World, scorer: Scorer) -> None:
    ids, _ = scorer.top_k(push_rows(world.first.data, ["u001"]), 10_000)
    assert sorted(ids[0]) == sorted(world.first.data.catalogue.column("item_id").to_pylist())


def test_the_users_hour_is_not_served(world: World, scorer: Scorer) -> None:
    rows = push_rows(world.first.data, ["u001"])
    hour = pa.array([[13]], pa.list_(pa.int64()))
    later = rows.set_column(rows.column_names.index("hour"), "hour", hour)
    assert scalar(later, "hour").tolist() != scalar(rows, "hour").tolist()
    assert np.array_equal(scorer.top_k(rows, 3)[1], scorer.top_k(later, 3)[1])
