"""The SavedModel contract between the trainer's export and whatever serves it.

Every input and output has a leading batch dimension B; TF Serving wants every input of a signature in each
request, so each has a value that means "nothing":

    user_id             ""   somebody of whom nothing is known
    recent_items        ""   padding: the place does not count, whatever stands at it in the aligned inputs
    recent_times        0    an unknown time: the item was taken so many days ago as places follow it, and one
    recent_behaviors    ""   an unknown behaviour: counts; one that is weighed 0 or has no such name does not
    user_features       ""   padding; `column=value` else, "column=" for a value that is missing
    exclude             ""   padding
    now                 0    the start of the day after the push, at an unknown hour
    k                   0    as many as `recommend` answers

In answers item_id "" with score 0 is padding: behind the end of a list that is shorter than K. An id that is
not in the model is no error. Times are microseconds since the epoch, as in events.
"""

from __future__ import annotations

RECOMMEND = "serving_default"
"""{user_id: string [B]} -> {item_id: string [B, K], score: float [B, K]}; history as of the push."""

RECOMMEND_RECENT = "recommend_recent"
"""{recent_items: string [B, N], newest last} -> {item_id: string [B, K], score: float [B, K]}."""

RECOMMEND_CONTEXT = "recommend_context"
"""Everything that is known at the moment `now`.

{user_id: string [B], recent_items: string [B, N], recent_times: int64 [B, N],
recent_behaviors: string [B, N], user_features: string [B, F], exclude: string [B, E],
now: int64 [B], k: int32 [B]}
-> {item_id: string [B, K], score: float [B, K]}, K the largest k of the batch.

The recent items come on top of the user's history as of the push; one whose time lies before the push is
taken as known where the model knows the user. Features given here replace those that the model knows.
"""

SCORE = "score"
"""{user_id: string [B], item_id: string [B]} -> {score: float [B]}; -inf for an item not in the catalogue."""

EMBED_USER = "embed_user"
"""{user_id: string [B]} -> {vector: float [B, D]}."""

EMBED_ITEM = "embed_item"
"""{item_id: string [B]} -> {vector: float [B, D]}, zeros for an item not in the catalogue.

The dot product of a user's and an item's vector is the score of an item that the user never took.
"""

SIGNATURES = (RECOMMEND, RECOMMEND_RECENT, RECOMMEND_CONTEXT, SCORE, EMBED_USER, EMBED_ITEM)
MAX_LIST = 1000
"""The longest list that one answer holds."""
LINEAGE_FILE = "lineage.json"
SMOKE_FILE = "assets.extra/smoke.json"
"""Requests and the trainer's own answers: [{"signature": s, "inputs": {...}, "outputs": {...}}]."""
WARM_UP_FILE = "assets.extra/tf_serving_warmup_requests"
"""Requests that a server answers before the version takes traffic: a TFRecord of PredictionLog."""
