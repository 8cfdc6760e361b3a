"""The SavedModel contract between the trainer's export and whatever serves it.

Every input and output has a leading batch dimension. `""` as an id means "nothing": an empty user id
is somebody of whom nothing is known, an empty item id is padding.
"""

from __future__ import annotations

RECOMMEND = "serving_default"
"""{user_id: string [B]} -> {item_id: string [B, K], score: float [B, K]}; history as of the push."""

RECOMMEND_RECENT = "recommend_recent"
"""{recent_items: string [B, N], newest last} -> {item_id: string [B, K], score: float [B, K]}."""

SCORE = "score"
"""{user_id: string [B], item_id: string [B]} -> {score: float [B]}; -inf for an item not in the catalogue."""

SIGNATURES = (RECOMMEND, RECOMMEND_RECENT, SCORE)
LINEAGE_FILE = "lineage.json"
SMOKE_FILE = "assets.extra/smoke.json"
"""Requests and the trainer's own answers: [{"signature": s, "inputs": {...}, "outputs": {...}}]."""
WARM_UP_FILE = "assets.extra/tf_serving_warmup_requests"
"""Requests that a server answers before the version takes traffic: a TFRecord of PredictionLog."""
