"""The digit tasks, and a learner of them on few digits."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.classic import classifier
from benchmarks.classic.classifier import Learner, Method
from benchmarks.classic.tasks import CLASSES, TASKS, Task, moving, tasks
from components.features.rows import scalar
from components.replay import reservoir
from components.trainer.config import ReactionConfig


@pytest.mark.parametrize("kind", ["permuted", "domains"])
def test_ten_tasks_of_the_same_digits_that_differ(kind: str) -> None:
    found = tasks(kind, seed=0)
    assert len(found) == TASKS
    for one in found:
        assert one.train.shape == found[0].train.shape
        assert (one.train.min(), one.train.max()) == (0.0, 1.0)
        assert np.array_equal(one.train_labels, found[0].train_labels)
    images = {one.train[:50].tobytes() for one in found}
    assert len(images) == TASKS
    again = tasks(kind, seed=0)
    assert all(np.array_equal(a.train, b.train) for a, b in zip(found, again, strict=True))
    assert not np.array_equal(tasks(kind, seed=1)[0].test, found[0].test)


def test_a_permutation_only_moves_pixels() -> None:
    plain, moved = tasks("permuted", seed=0)[:2]
    np.testing.assert_array_equal(np.sort(plain.train, axis=1), np.sort(moved.train, axis=1))
    seen = {digit.tobytes() for digit in plain.train}
    assert sum(digit.tobytes() in seen for digit in plain.test) < 0.01 * len(plain.test)


def test_every_second_uneven_task_is_a_tenth() -> None:
    uneven, permuted = tasks("uneven", seed=0), tasks("permuted", seed=0)
    whole = len(permuted[0].train)
    assert [len(one.train) for one in uneven] == [whole, whole // 10] * (TASKS // 2)
    for one in uneven:
        assert len(one.train_labels) == len(one.train)
        assert len(one.test) == len(permuted[0].test)


def test_labels_move_two_at_a_time_in_both_domains() -> None:
    found = moving(seed=0)
    meanings = [
        [one.train_labels[np.flatnonzero(found[0].train_labels == label)[0]] for label in range(CLASSES)]
        for one in found
    ]
    for plain, turned, after in zip(meanings[::2], meanings[1::2], meanings[2::2], strict=False):
        assert plain == turned
        assert sorted(after) == list(range(CLASSES))
        assert sum(a != b for a, b in zip(plain, after, strict=True)) == 2
    np.testing.assert_array_equal(found[0].train, found[2].train)
    np.testing.assert_array_equal(np.sort(found[0].test, axis=1), np.sort(found[1].test, axis=1))
    assert not np.array_equal(found[0].test, found[1].test)


def few(kind: str = "permuted") -> list[Task]:
    return [
        Task(one.train[:300], one.train_labels[:300], one.test, one.test_labels) for one in tasks(kind, 0)[:3]
    ]


def taught(method: Method) -> Learner:
    learner = Learner(method, seed=0)
    for one in few():
        learner.learn(one)
    return learner


def test_what_is_remembered_is_a_bounded_sample_of_all_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classifier, "EPOCHS", 1)  # what is kept does not depend on it
    learner = taught(Method("replay", memory=60))
    assert learner.buffer.num_rows == 60
    assert set((np.asarray(scalar(learner.buffer, "span")) // reservoir.WEEK).tolist()) == {0, 1, 2}
    assert taught(Method("nothing")).buffer.num_rows == 0


def test_an_even_memory_keeps_as_much_of_a_small_task(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classifier, "EPOCHS", 1)  # what is kept does not depend on it
    large, small, last = few()
    small = Task(small.train[:30], small.train_labels[:30], small.test, small.test_labels)
    kept = {}
    for by in ("uniform", "stratified"):
        learner = Learner(Method(by, memory=60, memory_by=by), seed=0)
        for one in (large, small, last):
            learner.learn(one)
        tasks_kept = np.asarray(scalar(learner.buffer, "span")) // reservoir.WEEK
        kept[by] = np.bincount(tasks_kept).tolist()
    assert kept["stratified"] == [20, 20, 20]
    assert kept["uniform"][1] < 10


def test_replay_remembers_what_fine_tuning_forgets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classifier, "EPOCHS", 20)  # three tiny tasks: enough to forget, in seconds
    first = few()[0]
    forgot, kept = taught(Method("fine-tune")), taught(Method("replay", memory=150))
    assert forgot.accuracy(first) < 0.6
    assert kept.accuracy(first) > forgot.accuracy(first) + 0.15


def test_a_task_that_makes_it_forget_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classifier, "EPOCHS", 20)  # three tiny tasks: enough to forget, in seconds
    monkeypatch.setattr(classifier, "PROBE", 1 / 6)  # 50 of 300 digits a task
    careless, reacting = (
        taught(Method("replay", memory=400, share=0.02, reaction=ReactionConfig(attempts=attempts)))
        for attempts in (0, 2)
    )
    first = few()[0]
    assert reacting.accuracy(first) > careless.accuracy(first) + 0.15
    # Three tasks of 250 new digits, the later two at least twice; the others learn 300 once.
    assert careless.digits < 1000 < 5 * 250 < reacting.digits


def test_a_pull_without_end_learns_the_first_task_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classifier, "EPOCHS", 2)  # enough to move what nothing holds
    once = Learner(Method("first"), seed=0)
    once.learn(few()[0])
    held = taught(Method("L2", pull=1e12))
    for name, array in once.weights.items():
        np.testing.assert_allclose(held.weights[name], array, atol=1e-6)
