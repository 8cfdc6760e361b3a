"""Prometheus metrics under TF Serving's names, and latency by model version beside them."""

from __future__ import annotations

import prometheus_client as prometheus
from prometheus_client import CollectorRegistry, Counter, Histogram

_MICROSECONDS = tuple(round(10 * 1.8**power, 3) for power in range(33))
"""TF Serving's buckets."""


class Metrics:
    """What happened to requests, for one server."""

    def __init__(self) -> None:
        prometheus.disable_created_metrics()
        self._registry = CollectorRegistry()
        self._requests = Counter(
            ":tensorflow:serving:request_count", "The total number of requests.",
            ["model_name", "status"], registry=self._registry,
        )  # fmt: skip
        self._latency = Histogram(
            ":tensorflow:serving:request_latency", "Distribution of wall time (in microseconds).",
            ["model_name", "API", "entrypoint"], registry=self._registry, buckets=_MICROSECONDS,
        )  # fmt: skip
        self._by_version = Histogram(
            ":everlearn:serving:version_latency", "Wall time (in microseconds) by model version.",
            ["model_name", "version", "API"], registry=self._registry, buckets=_MICROSECONDS,
        )  # fmt: skip

    def answered(self, model: str, method: str, version: int, seconds: float) -> None:
        """A request that `version` of `model` answered."""
        self._requests.labels(model, "OK").inc()
        self._latency.labels(model, method.capitalize(), "REST").observe(seconds * 1e6)
        self._by_version.labels(model, str(version), method.capitalize()).observe(seconds * 1e6)

    def refused(self, model: str, status: str) -> None:
        """A request that got an error; `status` is the canonical code's name."""
        self._requests.labels(model, status).inc()

    def page(self) -> bytes:
        """The text format. TF Serving's counters have no `_total` in their names."""
        page = prometheus.generate_latest(self._registry)
        return page.replace(b":request_count_total", b":request_count")
