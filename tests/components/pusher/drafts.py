"""Lineage drafts, as the release step leaves them."""

from __future__ import annotations

import dataclasses

from schemas.lineage import LEARNED, Lineage

DRAFT = Lineage(
    version=0,
    kind=LEARNED,
    span=17_347,
    parent=None,
    spans_learned=(17_346, 17_347),
    model_uri="/models/1",
    model_digest="m",
    data_uri="/data/1",
    data_digest="d",
    data_versions={"2017-06-30": 1},
    verdict="blessed",
    config={},
    config_digest="c",
    code_digest="k",
    run_id="run 1",
    mlflow_run_id="abc",
    created="2017-07-01T00:00:00+00:00",
)


def draft(run_id: str, parent: int | None = None) -> Lineage:
    return dataclasses.replace(DRAFT, run_id=run_id, parent=parent)
