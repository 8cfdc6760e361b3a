import multiprocessing
import os
import shutil
import signal
import sys
from pathlib import Path

import pytest

from components.pusher.push import push
from schemas import lineage
from schemas.lineage import ChampionMovedError
from schemas.signatures import LINEAGE_FILE
from tests.components.pusher.drafts import draft

FORK = multiprocessing.get_context("fork")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_first_push_is_version_1_with_model_and_lineage(saved_model, tmp_path):
    serving = tmp_path / "serving" / "everlearn"
    assert push(saved_model, draft("run 1"), serving, expected_champion=None) == 1
    pushed = contents(serving / "1")
    assert lineage.Lineage.from_json(pushed.pop(LINEAGE_FILE).decode()) == lineage.champion(serving)
    assert pushed == contents(saved_model)
    assert lineage.champion(serving).version == 1
    assert lineage.champion(serving).files_digest == lineage.digest_of(saved_model)
    assert lineage.damage(serving / "1") == ""
    assert [path.name for path in serving.iterdir() if not path.name.startswith(".push.lock")] == ["1"]


def test_a_byte_that_changes_after_the_push_is_noticed(saved_model, tmp_path):
    push(saved_model, draft("run 1"), tmp_path, None)
    weights = tmp_path / "1" / "variables" / "variables.data-00000-of-00001"
    weights.write_bytes(b"W" + weights.read_bytes()[1:])
    assert "are not those that were pushed" in lineage.damage(tmp_path / "1")


def test_each_run_gets_the_next_number_and_a_run_only_one(saved_model, tmp_path):
    assert push(saved_model, draft("run 1"), tmp_path, None) == 1
    assert push(saved_model, draft("run 2", parent=1), tmp_path, 1) == 2
    before = contents(tmp_path)
    assert push(saved_model, draft("run 1"), tmp_path, None) == 1
    assert push(saved_model, draft("run 2", parent=1), tmp_path, 1) == 2
    assert contents(tmp_path) == before
    assert [one.run_id for one in lineage.history(tmp_path)] == ["run 1", "run 2"]


def test_a_number_is_never_used_again_below_the_highest(saved_model, tmp_path):
    for number in range(3):
        push(saved_model, draft(f"run {number}"), tmp_path, number or None)
    shutil.rmtree(tmp_path / "2")
    assert push(saved_model, draft("run 4"), tmp_path, 3) == 4


def test_refused_when_the_champion_moved(saved_model, tmp_path):
    push(saved_model, draft("run 1"), tmp_path, None)
    push(saved_model, draft("run 2"), tmp_path, 1)
    with pytest.raises(
        ChampionMovedError, match="when version 1 was served, now version 2 is: run the day again"
    ):
        push(saved_model, draft("run 3"), tmp_path, expected_champion=1)
    with pytest.raises(ChampionMovedError, match="when no version was served"):
        push(saved_model, draft("run 3"), tmp_path, expected_champion=None)
    assert lineage.versions(tmp_path) == [1, 2]


def test_a_folder_without_a_saved_model_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"saved_model\.pb"):
        push(tmp_path / "nothing", draft("run 1"), tmp_path / "serving", None)
    assert not (tmp_path / "serving").exists()


def _kill_at(moment: int, saved_model: Path, serving: Path, events: list[str]) -> None:
    """Push in this process, and SIGKILL it just before its n-th act on the file system."""

    def count(event: str, arguments: tuple) -> None:
        if event in (
            "open",
            "os.rename",
            "os.mkdir",
            "os.scandir",
            "os.chmod",
            "os.utime",
            "os.remove",
            "os.rmdir",
        ):
            events.append(event)
            if len(events) == moment:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    push(saved_model, draft("run 2", parent=1), serving, expected_champion=1)


def _acts(queue, saved_model: Path, serving: Path) -> None:
    events: list[str] = []
    _kill_at(-1, saved_model, serving, events)
    queue.put(events)


def _whole(serving: Path, expected: dict[str, bytes]) -> None:
    """Only whole versions can be seen, killed or not."""
    for version in lineage.versions(serving):
        assert lineage.read(serving, version).version == version
        assert contents(serving / str(version)).keys() == {
            name[2:] for name in expected if name.startswith("1/")
        }


def test_killed_at_any_moment_and_retried_it_ends_as_if_undisturbed(saved_model, tmp_path):
    clean = tmp_path / "clean"
    push(saved_model, draft("run 1"), clean, None)
    shutil.copytree(clean, tmp_path / "counted")
    queue = FORK.SimpleQueue()
    counter = FORK.Process(target=_acts, args=(queue, saved_model, tmp_path / "counted"))
    counter.start()
    events = queue.get()
    counter.join()
    push(saved_model, draft("run 2", parent=1), clean, 1)
    expected = contents(clean)
    assert "os.rename" in events
    assert len(events) > 30
    seen = set()
    for moment in range(1, len(events) + 1):
        serving = tmp_path / f"killed {moment}"
        serving.mkdir()
        shutil.copytree(clean / "1", serving / "1")
        child = FORK.Process(target=_kill_at, args=(moment, saved_model, serving, []))
        child.start()
        child.join()
        assert child.exitcode == -signal.SIGKILL
        _whole(serving, expected)
        seen.add(len(lineage.versions(serving)))
        assert push(saved_model, draft("run 2", parent=1), serving, 1) == 2
        assert contents(serving) == expected
    assert seen == {1, 2}  # kills on both sides of the commit point


def _push_for(run_id: str, saved_model: Path, serving: Path, results) -> None:
    try:
        results.put(push(saved_model, draft(run_id), serving, None))
    except ChampionMovedError:
        results.put("refused")


def test_of_two_pushes_at_once_one_is_refused(saved_model, tmp_path):
    results = FORK.SimpleQueue()
    children = [
        FORK.Process(target=_push_for, args=(f"run {n}", saved_model, tmp_path, results)) for n in range(2)
    ]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert sorted(str(results.get()) for _ in children) == ["1", "refused"]
    assert lineage.versions(tmp_path) == [1]
