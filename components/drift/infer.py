"""Proposes a schema of the rows: the curated one, with the features and categories that days show (TFDV)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa

from components.drift.measure import load_schema
from components.drift.schema import fitted
from schemas.rows import ITEM_PREFIX, USER_PREFIX, features_of

LARGEST_DOMAIN = 200
"""Text features of more values than this are names rather than categories: they get no domain."""


def propose(rows: pa.Table, curated: Path) -> Any:
    """A TFMD Schema for rows (`schemas.rows`); ValueError where there are none.

    Contract columns stay as curated; a text feature's domain lists what was seen: new categories are an
    anomaly that warns, a changed type is one that counts.
    """
    if not rows.num_rows:
        raise ValueError("these days make no rows: name days with events that count")
    import tensorflow_data_validation as tfdv
    from tensorflow_data_validation.statistics import stats_impl, stats_options

    (batch,) = rows.combine_chunks().to_batches()
    statistics = stats_impl.generate_statistics_in_memory(batch, stats_options.StatsOptions())
    schema = fitted(load_schema(curated), statistics)
    inferred = tfdv.infer_schema(statistics, max_string_domain_size=LARGEST_DOMAIN)
    seen = {feature.name: feature.domain for feature in inferred.feature if feature.domain}
    domains = {domain.name: domain for domain in inferred.string_domain}
    known = {domain.name for domain in schema.string_domain}
    for feature in schema.feature:
        name = seen.get(feature.name)
        is_feature = features_of([feature.name], USER_PREFIX) or features_of([feature.name], ITEM_PREFIX)
        if name is None or not is_feature or name in known:
            continue
        feature.domain = name
        schema.string_domain.add().CopyFrom(domains[name])
    return schema


def write(schema: Any, path: Path) -> None:
    """As text, to be edited and put in the place of `schemas/rows.pbtxt`."""
    from google.protobuf import text_format

    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text_format.MessageToString(schema))
