"""Artifact types that TFX does not have. Each carries the span (the last one, for a stretch of days)."""

from tfx.types.artifact import Artifact, Property, PropertyType

SPANS, CORRECTED = "spans", "corrected"
"""Custom properties of Examples, JSON lists. The spans whose days were delivered (rows that Features writes),
or that are learned with them (training rows that Replay writes); of these the ones learned before."""

_SPAN = {"span": Property(type=PropertyType.INT)}


class DayEventsArtifact(Artifact):
    """Unique typed events and quarantined rows, a folder a span, each with its account."""

    TYPE_NAME = "DayEvents"
    PROPERTIES = _SPAN


class QualityReport(Artifact):
    """Great Expectations' results and data docs of the raw days."""

    TYPE_NAME = "QualityReport"
    PROPERTIES = _SPAN


class DataStateArtifact(Artifact):
    """Histories, catalogue, users and item counts as of the end of a span."""

    TYPE_NAME = "DataState"
    PROPERTIES = _SPAN


class DriftReport(Artifact):
    """TFDV's comparators against earlier spans."""

    TYPE_NAME = "DriftReport"
    PROPERTIES = _SPAN


class ConceptDriftReport(Artifact):
    """The champion's next-day metric up to a span, and whether it has fallen."""

    TYPE_NAME = "ConceptDriftReport"
    PROPERTIES = _SPAN


class MlflowRun(Artifact):
    """Where the day stands in MLflow."""

    TYPE_NAME = "MlflowRun"
    PROPERTIES = _SPAN
