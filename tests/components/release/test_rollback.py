"""Which version a rollback serves again, and which it takes back."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from components.release.rollback import RollbackError, choose
from schemas.lineage import LEARNED, REFRESHED, ROLLED_BACK
from schemas.signatures import LINEAGE_FILE
from tests.components.pusher.drafts import DRAFT


@pytest.fixture
def serve(tmp_path: Path):
    def write(number: int, weights: str, kind: str = LEARNED, rolled_back: tuple[int, ...] = ()) -> Path:
        folder = tmp_path / str(number)
        folder.mkdir()
        one = dataclasses.replace(
            DRAFT, version=number, kind=kind, model_digest=weights, rolled_back=rolled_back
        )
        (folder / LINEAGE_FILE).write_text(one.to_json())
        return tmp_path

    return write


def chosen(serving: Path, to: int | None = None) -> tuple[int, tuple[int, ...]]:
    one, taken_back = choose(serving, to)
    return one.version, taken_back


def test_by_default_the_last_one_with_other_weights(serve):
    serve(1, "a")
    serve(2, "b")
    serve(3, "c")
    serving = serve(4, "c", REFRESHED)
    assert chosen(serving) == (2, (3, 4))
    assert chosen(serving, to=1) == (1, (2, 3, 4))
    assert chosen(serving, to=3) == (3, (4,))


def test_what_was_taken_back_does_not_come_back(serve):
    serve(1, "a")
    serve(2, "b")
    serve(3, "a", ROLLED_BACK, (2,))
    serving = serve(4, "d")
    assert chosen(serving) == (3, (4,))
    with pytest.raises(RollbackError, match=r"version 2 cannot .*: name an earlier one \(1, 3\)"):
        choose(serving, 2)


def test_there_must_be_something_to_go_back_to(serve, tmp_path):
    with pytest.raises(RollbackError, match="nothing is served yet"):
        choose(tmp_path / "nowhere", None)
    serving = serve(1, "a")
    with pytest.raises(RollbackError, match="no standing version has other weights than version 1"):
        choose(serving, None)
    with pytest.raises(RollbackError, match="version 1 cannot be gone back to"):
        choose(serving, 1)
