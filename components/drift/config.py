"""Settings of drift: of what comes in, and of the champion's own quality. Drift informs, it never blocks."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Threshold = Annotated[float, Field(gt=0, le=1)]


class DriftConfig(BaseModel):
    """Input drift. L-infinity for text (largest change of one value's share), Jensen-Shannon for numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = Field(default=True, description="Off: a day is held against no other")
    window: int = Field(default=7, ge=1, le=60, description="Newest earlier spans that a day is held against")
    l_infinity: Threshold = Field(
        default=0.16, description="Threshold of text features that schemas/rows.pbtxt does not name"
    )
    jensen_shannon: Threshold = Field(
        default=0.2, description="Threshold of number features that schemas/rows.pbtxt does not name"
    )
    thresholds: dict[str, Threshold] = Field(
        default_factory=dict, description="Thresholds by column of the rows, before all others"
    )


class ConceptDriftConfig(BaseModel):
    """Page-Hinkley's test for a fall of the champion's next-day headline metric, in deviations of a day."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reference_days: int = Field(
        default=14, ge=3, le=365, description="Days that show what is usual, at first and after an alarm"
    )
    min_rows: int = Field(default=30, ge=1, description="Held-out rows of a day below which it says nothing")
    tolerance: float = Field(default=0.5, ge=0, le=5, description="Fall a day that is let pass (delta)")
    threshold: float = Field(default=8.0, gt=0, le=100, description="Summed fall at which to alarm (lambda)")
