"""The life cycle of versions, with folders that load at once."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from serving.errors import ApiError
from serving.versions import Versions, latest, on_disk


def load(folder: Path) -> str:
    """A stand-in for a SavedModel: a text file."""
    return (folder / "model").read_text()


def push(base: Path, version: int | str, text: str | None = "ok") -> None:
    folder = base / str(version)
    folder.mkdir(parents=True)
    if text is not None:
        (folder / "model").write_text(text)


def states(versions: Versions) -> dict[str, str]:
    return {one["version"]: one["state"] for one in versions.statuses()}


@pytest.fixture
def versions(tmp_path: Path) -> Versions:
    return Versions("m", tmp_path, load, retries=1, retry_seconds=0)


def test_only_integer_folders_count(tmp_path):
    for name in ("1", "007", "10", "x", "5.new", "-3", "9" * 20):
        (tmp_path / name).mkdir()
    (tmp_path / "99").write_text("a file")
    assert on_disk(tmp_path) == [1, 7, 10]


def test_latest_takes_over_and_the_old_one_ends(versions, tmp_path):
    push(tmp_path, 1, "one")
    versions.poll()
    push(tmp_path, 2, "two")
    versions.poll()
    with versions.lease() as leased:
        assert leased == (2, "two")
    assert states(versions) == {"2": "AVAILABLE", "1": "END"}
    with pytest.raises(ApiError, match=r"Specific\(m, 1\)"), versions.lease(1):
        pass


def test_broken_version_is_tried_again_then_given_up(versions, tmp_path):
    push(tmp_path, 1)
    versions.poll()
    push(tmp_path, 2, None)
    versions.poll()
    assert states(versions) == {"2": "LOADING", "1": "AVAILABLE"}
    versions.poll()
    versions.poll()
    assert states(versions) == {"2": "END", "1": "AVAILABLE"}
    told = versions.statuses(2)[0]["status"]
    assert told["error_code"] == "NOT_FOUND"
    assert "No such file" in told["error_message"]
    with versions.lease() as (number, _):
        assert number == 1


def test_half_written_version_serves_once_complete(versions, tmp_path):
    push(tmp_path, 1)
    push(tmp_path, 2, None)
    versions.poll()
    (tmp_path / "2" / "model").write_text("now")
    versions.poll()
    assert states(versions) == {"2": "AVAILABLE"}


def test_broken_version_is_overtaken(versions, tmp_path):
    push(tmp_path, 1, None)
    versions.poll()
    push(tmp_path, 2)
    versions.poll()
    assert states(versions) == {"2": "AVAILABLE", "1": "END"}
    assert versions.statuses(1)[0]["status"]["error_message"]


def test_a_removed_folder_brings_the_earlier_version_back(versions, tmp_path):
    push(tmp_path, 1)
    versions.poll()
    push(tmp_path, 2)
    versions.poll()
    (tmp_path / "2").rename(tmp_path / "withdrawn")
    versions.poll()
    assert states(versions) == {"2": "END", "1": "AVAILABLE"}


def test_a_missing_base_path_changes_nothing_and_is_told_once(versions, tmp_path, caplog):
    push(tmp_path, 1)
    versions.poll()
    tmp_path.rename(tmp_path.with_name("moved"))
    versions.poll()
    versions.poll()
    assert states(versions) == {"1": "AVAILABLE"}
    assert caplog.text.count(f"Could not find base path {tmp_path} for servable m") == 1


def test_a_base_path_without_versions_is_told(versions, caplog):
    versions.poll()
    assert "Did you forget to name your leaf directory as a number" in caplog.text
    with pytest.raises(ApiError, match=r"Servable not found for request: Latest\(m\)"), versions.lease():
        pass


def test_unload_waits_for_running_requests(versions, tmp_path):
    push(tmp_path, 1, "one")
    versions.poll()
    push(tmp_path, 2, "two")
    with versions.lease() as (_, model):
        poller = threading.Thread(target=versions.poll)
        poller.start()
        while states(versions)["1"] != "UNLOADING":
            pass
        assert model == "one"
        with versions.lease() as (number, _):
            assert number == 2
        assert states(versions)["1"] == "UNLOADING"
    poller.join(10)
    assert states(versions) == {"2": "AVAILABLE", "1": "END"}


def test_policy_may_keep_several(tmp_path):
    versions = Versions("m", tmp_path, load, policy=latest(2))
    for number in (1, 2, 3):
        push(tmp_path, number)
    versions.poll()
    assert versions.available() == [2, 3]
    with versions.lease(2) as (number, _):
        assert number == 2


def test_statuses_of_the_unknown(versions):
    with pytest.raises(ApiError, match="Could not find any versions of model m"):
        versions.statuses()
    with pytest.raises(ApiError, match="Could not find version 3 of model m"):
        versions.statuses(3)
