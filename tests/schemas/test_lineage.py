import dataclasses
import json

import pytest

from schemas import lineage
from schemas.lineage import LEARNED, REFRESHED, ROLLED_BACK, Lineage
from schemas.signatures import LINEAGE_FILE


def version(number, spans, kind=LEARNED, **changes):
    return dataclasses.replace(
        Lineage(
            version=number,
            kind=kind,
            span=max(spans),
            parent=number - 1 or None,
            spans_learned=tuple(spans),
            model_uri=f"models/{number}",
            model_digest="m",
            data_uri="data",
            data_digest="d",
            data_versions={"2017-01-01": 1},
            verdict="blessed",
            config={"replay": {"share": 0.1}},
            config_digest="c",
            code_digest="k",
            run_id="r",
            mlflow_run_id="f",
            created="2017-01-02T00:00:00+00:00",
        ),
        **changes,
    )


@pytest.fixture
def serving(tmp_path):
    def write(*versions):
        for one in versions:
            folder = tmp_path / str(one.version)
            folder.mkdir()
            (folder / LINEAGE_FILE).write_text(one.to_json())
        return tmp_path

    return write


def test_json_gives_the_same_lineage_back():
    one = version(3, [1, 2], rolled_back=(2,))
    assert Lineage.from_json(one.to_json()) == one


def test_lineages_of_before_the_digest_are_read():
    fields = json.loads(version(1, [1]).to_json())
    del fields["files_digest"]
    assert Lineage.from_json(json.dumps(fields)).files_digest == ""


@pytest.fixture
def pushed(tmp_path):
    folder = tmp_path / "1"
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"graph")
    (folder / "variables" / "data").write_bytes(b"weights")
    one = version(1, [1], files_digest=lineage.digest_of(folder))
    (folder / LINEAGE_FILE).write_text(one.to_json())
    return folder


def test_what_was_pushed_is_not_damaged(pushed):
    assert lineage.damage(pushed) == ""


@pytest.mark.parametrize("name", ["saved_model.pb", "variables/data"])
def test_one_other_byte_is_damage(pushed, name):
    content = bytearray((pushed / name).read_bytes())
    content[-1] ^= 1
    (pushed / name).write_bytes(content)
    assert "are not those that were pushed" in lineage.damage(pushed)


def test_a_file_more_or_less_or_renamed_is_damage(pushed):
    (pushed / "more").touch()
    assert lineage.damage(pushed)
    (pushed / "more").unlink()
    assert not lineage.damage(pushed)
    (pushed / "variables" / "data").rename(pushed / "variables" / "other")
    assert lineage.damage(pushed)
    (pushed / "variables" / "other").unlink()
    assert lineage.damage(pushed)


def test_a_broken_lineage_is_damage(pushed):
    (pushed / LINEAGE_FILE).write_text("{")
    assert "no JSON" in lineage.damage(pushed)


@pytest.mark.parametrize("content", [None, "{}", "[1]", '{"files_digest": ""}'])
def test_folders_without_a_digest_are_taken_as_they_are(pushed, content):
    (pushed / LINEAGE_FILE).unlink()
    if content is not None:
        (pushed / LINEAGE_FILE).write_text(content)
    (pushed / "saved_model.pb").write_bytes(b"another")
    assert lineage.damage(pushed) == ""


def test_only_integer_folders_are_versions(serving, tmp_path):
    folder = serving(version(2, [1]), version(10, [1, 2]))
    (folder / ".pushing-x").mkdir()
    (folder / "9.tmp").mkdir()
    assert lineage.versions(folder) == [2, 10]
    assert lineage.versions(tmp_path / "nowhere") == []


def test_the_champion_is_the_highest_version(serving):
    assert lineage.champion(serving()) is None
    assert lineage.champion(serving(version(9, [1]), version(10, [1, 2]))).version == 10


def test_the_base_of_a_day_has_learned_nothing_of_it_or_later(serving):
    folder = serving(version(1, [1, 2]), version(2, [1, 2, 3]), version(3, [1, 2, 3, 4]))
    assert lineage.base_before(folder, 5).version == 3
    assert lineage.base_before(folder, 4).version == 2
    assert lineage.base_before(folder, 3).version == 1
    assert lineage.base_before(folder, 2) is None


def test_a_refreshed_champion_is_a_base_with_the_same_model(serving):
    folder = serving(version(1, [1]), version(2, [1], kind=REFRESHED, span=2, model_uri="models/1"))
    base = lineage.base_before(folder, 2)
    assert (base.version, base.model_uri) == (2, "models/1")


def test_what_was_rolled_back_is_never_a_base(serving):
    folder = serving(
        version(1, [1]),
        version(2, [1, 2]),
        version(3, [1], kind=ROLLED_BACK, rolled_back=(2,), model_uri="models/1"),
    )
    assert lineage.base_before(folder, 3).version == 3
    assert [one.version for one in lineage.standing(folder)] == [1, 3]
    before = lineage.base_before(folder, 3, until=2)  # as it was before version 3
    assert before.version == 2


def test_the_line_that_learned_passes_over_refreshed_and_rolled_back_versions(serving):
    folder = serving(
        version(1, [1]),
        version(2, [1], kind=REFRESHED),
        version(3, [1, 2]),
        version(4, [1], kind=ROLLED_BACK, parent=2, rolled_back=(3,)),
        version(5, [1, 2, 3]),
    )
    assert [one.version for one in lineage.chain(folder, 5)] == [1, 2, 4, 5]
    assert [one.version for one in lineage.learned_line(folder, 5)] == [1, 5]
