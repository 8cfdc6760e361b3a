"""Warm-up records, written here and read by the model server."""

from __future__ import annotations

import pytest

from components.smoke.warmup import write_warm_up
from schemas.signatures import WARM_UP_FILE
from serving.signature import read_signatures
from serving.warmup import MAX_RECORDS, warm_up_requests
from tests.serving import recommender


@pytest.fixture
def saved_model(tmp_path):
    return recommender.write(tmp_path / "model")


def read(saved_model):
    return list(warm_up_requests(saved_model, read_signatures(saved_model)))


def test_records_are_the_requests(saved_model):
    assert write_warm_up(saved_model, recommender.SMOKE) == 3
    requests = read(saved_model)
    assert [name for name, _ in requests] == [one["signature"] for one in recommender.SMOKE]
    assert requests[0][1]["user_id"].tolist() == [b"ann", b"bob", b"nobody"]
    assert requests[1][1]["recent_items"].tolist() == [[b"", b"eggs"]]


def test_no_more_records_than_a_server_takes(saved_model):
    assert write_warm_up(saved_model, recommender.SMOKE * 500) == MAX_RECORDS
    assert len(read(saved_model)) == MAX_RECORDS


def test_without_records_each_signature_is_warmed_once(saved_model):
    assert not (saved_model / WARM_UP_FILE).exists()
    assert sorted(name for name, _ in read(saved_model)) == sorted(
        {one["signature"] for one in recommender.SMOKE}
    )


def test_broken_records_fail_the_load(saved_model):
    from serving.model import Model

    Model(saved_model)
    (saved_model / WARM_UP_FILE).write_bytes(b"no records" * 10)
    with pytest.raises(Exception, match="corrupted record"):
        Model(saved_model)
