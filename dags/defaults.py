"""What all DAGs here have in common."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

DEFAULTS: dict[str, Any] = {
    "start_date": datetime(2000, 1, 1, tzinfo=timezone.utc),  # a backfill reaches any day from here on
    "catchup": False,
    "is_paused_upon_creation": False,  # what is scheduled waits for its day, and skips where none comes
    "max_active_runs": 1,
    "tags": ["everlearn"],
}
