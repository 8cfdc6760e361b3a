"""A schema proposed from rows: contract columns as curated, features with the types and categories seen."""

from __future__ import annotations

from pathlib import Path

import pytest

import schemas
from components.drift.infer import propose, write
from components.drift.measure import load_schema
from components.features.advance import DEFAULT_WEIGHTS
from components.features.config import FeaturesConfig
from components.features.rows import empty_rows
from components.features.stretch import advance_stretch
from tests.factories import CATEGORIES, make_events, make_items, make_users

CURATED = Path(schemas.__file__).parent / "rows.pbtxt"


def test_features_get_types_and_domains_and_the_contract_stays(tmp_path):
    rows, _, _ = advance_stretch(
        None, make_events(2), make_items(), make_users(), FeaturesConfig(), DEFAULT_WEIGHTS
    )
    write(propose(rows, CURATED), tmp_path / "rows.pbtxt")
    proposed, curated = load_schema(tmp_path / "rows.pbtxt"), load_schema(CURATED)
    features = {feature.name: feature for feature in proposed.feature}
    domains = {domain.name: set(domain.value) for domain in proposed.string_domain}
    assert set(CATEGORIES) <= domains[features["item_category"].domain]
    assert domains[features["user_income"].domain] == {"low", "high"}
    assert "item_weight" in features
    before = {feature.name: feature for feature in curated.feature}
    for name in ("user_id", "item_id", "behavior", "timestamp"):
        assert features[name] == before[name]


def test_no_rows_are_told_in_a_sentence():
    with pytest.raises(ValueError, match="these days make no rows"):
        propose(empty_rows(), CURATED)
