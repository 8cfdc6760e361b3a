"""Signatures for more than the push's own history: the moment, exclusions, embeddings; the graph itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from components.features.rows import flat, offsets, scalar
from components.trainer.export import export
from components.trainer.inputs import Histories, Lookups, Users
from components.trainer.moment import push_rows
from components.trainer.ranker import Ranker
from components.trainer.scoring import Scorer
from schemas.signatures import (
    EMBED_ITEM,
    EMBED_USER,
    RECOMMEND,
    RECOMMEND_CONTEXT,
    RECOMMEND_RECENT,
    SCORE,
    SIGNATURES,
)
from schemas.spans import start_of
from tests.components.trainer.conftest import World
from tests.factories import FIRST_SPAN, make_events, user_ids

pytestmark = pytest.mark.contract
LENGTH = 5


@pytest.fixture(scope="module")
def folder(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("export") / "1"
    export(world.base.state, world.first.data, target, LENGTH)
    return target


@pytest.fixture(scope="module")
def loaded(folder: Path):
    return tf.saved_model.load(str(folder))


@pytest.fixture(scope="module")
def served(loaded):
    return loaded.signatures


def context(users: list[str], **given) -> dict[str, tf.Tensor]:
    """A whole request: what is not given means nothing."""
    rows = len(users)
    items = given.get("recent_items", [[]] * rows)
    width = len(items[0])
    values = {
        "user_id": (users, tf.string),
        "recent_items": (items, tf.string),
        "recent_times": (given.get("recent_times", [[0] * width] * rows), tf.int64),
        "recent_behaviors": (given.get("recent_behaviors", [[""] * width] * rows), tf.string),
        "user_features": (given.get("user_features", [[]] * rows), tf.string),
        "exclude": (given.get("exclude", [[]] * rows), tf.string),
        "now": (given.get("now", [0] * rows), tf.int64),
        "k": (given.get("k", [0] * rows), tf.int32),
    }
    return {name: tf.constant(value, dtype) for name, (value, dtype) in values.items()}


def ids(answer) -> list[list[str]]:
    return answer["item_id"].numpy().astype(str).tolist()


def test_nothing_given_is_what_the_user_id_alone_says(served) -> None:
    users = [*user_ids(30), "stranger", ""]
    got, plain = served[RECOMMEND_CONTEXT](**context(users)), served[RECOMMEND](user_id=tf.constant(users))
    assert ids(got) == ids(plain)
    np.testing.assert_allclose(got["score"], plain["score"], atol=1e-5)


def test_recent_items_alone_are_what_the_short_signature_says(served) -> None:
    recent = [["i001", "i002", "i003"], ["", "i004", "i004"], ["i007", "", "no such item"], ["", "", ""]]
    got = served[RECOMMEND_CONTEXT](**context([""] * 4, recent_items=recent))
    short = served[RECOMMEND_RECENT](recent_items=tf.constant(recent))
    assert ids(got) == ids(short)
    np.testing.assert_allclose(got["score"], short["score"], atol=1e-5)


def test_live_history_is_what_the_next_days_rows_say(world: World, served) -> None:
    """A user's events of the next day, given as recent items, count as they will when the day is learned."""
    data, rows = world.first.data, world.next_day.new
    day = make_events(days=5, users=30, per_day=120)[FIRST_SPAN + 4]
    events = list(zip(*(day.column(c).to_pylist() for c in ("user_id", "item_id", "behavior")), strict=True))
    times = day.column("timestamp").cast(pa.int64()).to_pylist()
    lookups = Lookups(world.base.state)
    ranker = Ranker(world.base.state, lookups, data, price="price")
    matrix = ranker.matrix(tf.constant(data.trends(data.span + 1)))
    users, histories = Users.encode(world.base.state, lookups, rows), Histories.encode(ranker.catalogue, rows)
    names, moments = scalar(rows, "user_id"), scalar(rows, "timestamp")
    longest = np.diff(offsets(rows, "history_item"))
    compared = 0
    for row in np.flatnonzero(moments > start_of(data.span + 1)):
        user, now = str(names[row]), int(moments[row])
        earlier = [n for n, (who, _, _) in enumerate(events) if who == user and times[n] < now]
        if not earlier:
            continue
        request = context(
            [user],
            recent_items=[[events[n][1] for n in earlier]],
            recent_times=[[times[n] for n in earlier]],
            recent_behaviors=[[events[n][2] for n in earlier]],
            now=[now],
            k=[data.catalogue.num_rows],
        )
        got = served[RECOMMEND_CONTEXT](**request)
        one = np.array([row])
        expected = np.sort(ranker.scores({**users.of(one), **histories.of(one)}, matrix).numpy()[0])[::-1]
        np.testing.assert_allclose(got["score"][0], expected, atol=2e-5)
        compared += int(longest[row] > 0)
    assert compared > 10


def test_events_before_the_push_count_once(world: World, served) -> None:
    push = start_of(world.first.data.span + 1)
    before, after = [[push - 1_000_000]], [[push + 1_000_000]]
    plain = served[RECOMMEND_CONTEXT](**context(["u001"]))
    known = served[RECOMMEND_CONTEXT](**context(["u001"], recent_items=[["i003"]], recent_times=before))
    fresh = served[RECOMMEND_CONTEXT](**context(["u001"], recent_items=[["i003"]], recent_times=after))
    unknown = served[RECOMMEND_CONTEXT](**context(["new"], recent_items=[["i003"]], recent_times=before))
    assert np.array_equal(known["score"], plain["score"])
    assert not np.allclose(fresh["score"], plain["score"])
    assert not np.allclose(unknown["score"], served[RECOMMEND](user_id=tf.constant(["new"]))["score"])


def test_only_behaviours_that_count(world: World, served) -> None:
    asked = {"recent_items": [["i003"]], "recent_behaviors": [["frown"]]}
    plain = served[RECOMMEND_CONTEXT](**context(["u001"]))
    assert np.array_equal(served[RECOMMEND_CONTEXT](**context(["u001"], **asked))["score"], plain["score"])
    asked["recent_behaviors"] = [["click"]]
    assert not np.allclose(served[RECOMMEND_CONTEXT](**context(["u001"], **asked))["score"], plain["score"])


def test_excluded_items_leave_the_list_and_the_others_stay(served) -> None:
    (best,) = ids(served[RECOMMEND_CONTEXT](**context(["u002"], k=[9])))
    excluded = [best[0], "", "no such item", best[3], best[0]]
    (got,) = ids(served[RECOMMEND_CONTEXT](**context(["u002"], exclude=[excluded], k=[7])))
    assert got == [one for one in best if one not in excluded]


def test_each_row_has_its_own_k(world: World, served) -> None:
    items = world.first.data.catalogue.num_rows
    got = served[RECOMMEND_CONTEXT](**context(["u001"] * 4, k=[2, 0, 10_000, -1]))
    lists = [[one for one in row if one] for row in ids(got)]
    assert [len(one) for one in lists] == [2, LENGTH, items, LENGTH]
    assert got["item_id"].shape == (4, items)
    assert lists[2][:LENGTH] == lists[1]
    assert (got["score"].numpy()[0, 2:] == 0).all()
    rest = [[one for one in lists[2] if one != lists[2][0]]]
    (left,) = ids(served[RECOMMEND_CONTEXT](**context(["u001"], exclude=rest, k=[3])))
    assert left == [lists[2][0], "", ""]


def test_given_features_stand_for_the_known_ones(world: World, served) -> None:
    """A stranger with somebody's features and recent items is that user but for the id's own row."""
    data = world.first.data
    known = {name: data.users.column(name).to_pylist() for name in data.users.column_names}
    user = known["user_id"].index("u003")
    features = [f"age={known['age'][user]:g}", f"income={known['income'][user]}", "", "shoe size=44"]
    rows = push_rows(data, ["stranger"])
    for name, value in (("user_age", known["age"][user]), ("user_income", known["income"][user])):
        column = pa.array([[value]], rows.schema.field(name).type)
        rows = rows.set_column(rows.column_names.index(name), name, column)
    expected = Scorer(world.base.state, data).top_k(rows, LENGTH)[1]
    asked = context(["stranger"], user_features=[features])
    np.testing.assert_allclose(served[RECOMMEND_CONTEXT](**asked)["score"], expected, atol=1e-5)
    plain = served[RECOMMEND_CONTEXT](**context(["stranger"]))
    assert not np.allclose(plain["score"], expected)
    missing = context(["stranger"], user_features=[["age=", "age=old", "income=unheard of", "age"]])
    np.testing.assert_allclose(served[RECOMMEND_CONTEXT](**missing)["score"], plain["score"], atol=1e-5)


def test_vectors_multiply_to_the_score_of_items_new_to_the_user(world: World, served) -> None:
    items = [*world.first.data.catalogue.column("item_id").to_pylist(), "nothing"]
    vectors = served[EMBED_ITEM](item_id=tf.constant(items))["vector"].numpy()
    assert (vectors[-1] == 0).all()
    for user in ("u001", "stranger"):
        query = served[EMBED_USER](user_id=tf.constant([user]))["vector"].numpy()
        pairs = {"user_id": tf.constant([user] * len(items)), "item_id": tf.constant(items)}
        scores = served[SCORE](**pairs)["score"].numpy()
        rows = push_rows(world.first.data, [user])
        new = [
            n for n, item in enumerate(items[:-1]) if item not in set(flat(rows, "history_item").to_pylist())
        ]
        np.testing.assert_allclose((vectors @ query[0])[new], scores[new], atol=1e-5)


def test_a_withdrawn_item_is_never_listed_and_still_tells_a_taste(world: World, tmp_path: Path) -> None:
    data, state = world.first.data, world.base.state
    items = data.catalogue.column("item_id").to_pylist()
    today = data.span + 1
    until = pa.array([today - 1 if n % 3 == 0 else today if n % 3 == 1 else None for n in range(len(items))])
    gone = {item for n, item in enumerate(items) if n % 3 == 0}
    changed = replace(data, catalogue=data.catalogue.append_column("available_until", until.cast(pa.int64())))
    export(state, changed, tmp_path / "1", len(items))
    model = tf.saved_model.load(str(tmp_path / "1"))
    users = [*user_ids(10), ""]
    got = model.signatures[RECOMMEND](user_id=tf.constant(users))
    for one in ids(got):
        assert {item for item in one if item} == set(items) - gone
    top, scores = Scorer(state, changed).top_k(push_rows(changed, users), len(items))
    assert ids(got) == top.tolist()
    np.testing.assert_allclose(got["score"], scores, atol=1e-5)
    pairs = {"user_id": tf.constant([""] * len(items)), "item_id": tf.constant(items)}
    finite = np.isfinite(model.signatures[SCORE](**pairs)["score"].numpy())
    assert {item for item, listed in zip(items, finite, strict=True) if not listed} == gone
    taste = sorted(gone)[0]
    liked = model.signatures[RECOMMEND_RECENT](recent_items=tf.constant([[taste]]))
    assert not np.allclose(liked["score"], got["score"][-1:])


def test_a_large_catalogue_is_listed_by_blocks(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, state = world.first.data, world.base.state
    scorer, users = Scorer(state, data), [*user_ids(10), ""]
    items = data.catalogue.num_rows
    for length in (5, items):
        top, scores = scorer.top_k(push_rows(data, users), length)
        with monkeypatch.context() as patch:
            patch.setattr("components.trainer.top.BLOCK", 16)
            patch.setattr("components.trainer.top._LONG", 20)
            export(state, data, tmp_path / str(length), length)
        got = tf.saved_model.load(str(tmp_path / str(length))).signatures[RECOMMEND](
            user_id=tf.constant(users)
        )
        assert ids(got) == top.tolist()
        np.testing.assert_allclose(got["score"], scores, atol=1e-5)


def test_a_session_answers_as_often_as_it_is_asked(world: World, folder: Path) -> None:
    """Stock TensorFlow Serving runs the graph in a session: resources are found by name, run after run."""
    known = world.first.data.users.column("user_id").to_pylist()[:3]
    asked = tf.saved_model.load(str(folder)).signatures[RECOMMEND](user_id=tf.constant(known))
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        graph = tf.compat.v1.saved_model.load(session, ["serve"], str(folder))
        signature = graph.signature_def[RECOMMEND]
        names = {name: info.name for name, info in signature.outputs.items()}
        for _ in range(2):
            got = session.run(names, {signature.inputs["user_id"].name: known})
            assert got["item_id"].tolist() == asked["item_id"].numpy().tolist()
            np.testing.assert_allclose(got["score"], asked["score"], atol=1e-5)


def test_the_graph_is_stock_tensorflow(folder: Path) -> None:
    model = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    (graph,) = model.meta_graphs
    assert set(SIGNATURES) <= set(graph.signature_def)
    functions = [function.signature.name for function in graph.graph_def.library.function]
    for method in ("recommend_recent", "recommend_context", "score", "embed_user", "embed_item"):
        assert sum(f"__inference_{method}_" in name for name in functions) == 1, "the graph holds each once"
    nodes = [*graph.graph_def.node, *(n for f in graph.graph_def.library.function for n in f.node_def)]
    ops = {node.op for node in nodes} - set(functions)
    assert len(ops) > 20
    assert not {op for op in ops if not hasattr(tf.raw_ops, op)}  # the list that TensorFlow itself ships
    assert not ops & {"PyFunc", "PyFuncStateless", "EagerPyFunc"}
    # A session makes an anonymous table anew, and empty, at every run: tables must have names.
    assert "HashTableV2" in ops
    assert not {op for op in ops if "Anonymous" in op}


@pytest.mark.parametrize("name", [RECOMMEND, RECOMMEND_RECENT, RECOMMEND_CONTEXT])
def test_one_product_over_the_catalogue(world: World, loaded, name: str) -> None:
    """Of all matrix products of the graph one has a factor with a column an item."""
    graph = loaded.signatures[name].graph
    items = world.first.data.catalogue.num_rows
    inner = [graph, *(function.graph for function in _functions(graph))]
    products = [op for one in inner for op in one.get_operations() if "MatMul" in op.type]
    assert len(products) > 3
    over_items = [op for op in products if items in (op.inputs[1].shape.as_list() or [])[-1:]]
    assert len(over_items) == 1


@pytest.mark.parametrize("name", SIGNATURES)
def test_what_is_gathered_from_is_never_read_whole(loaded, name: str) -> None:
    """From the first gather on TensorFlow copies a variable at each whole read: all users, every request."""
    gathered_any = False
    graph = loaded.signatures[name].graph
    for one in [graph, *(function.graph for function in _functions(graph))]:
        gathered, read = (
            {op.inputs[0].name for op in one.get_operations() if op.type in kinds}
            for kinds in ({"ResourceGather", "ResourceGatherNd"}, {"ReadVariableOp"})
        )
        assert not gathered & read
        gathered_any |= bool(gathered)
    assert gathered_any or name == EMBED_ITEM


def _functions(graph) -> list:
    """Every function that the graph calls, however deep."""
    found, names = (
        [],
        {op.get_attr("f").name for op in graph.get_operations() if op.type.endswith("PartitionedCall")},
    )
    for name in names:
        function = graph._get_function(name)
        found += [function, *_functions(function.graph)]
    return found
