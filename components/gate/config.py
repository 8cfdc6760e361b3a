"""Settings of the gate."""

from pydantic import BaseModel, ConfigDict, Field


class GateConfig(BaseModel):
    """Margins are relative: 0.02 lets 2% of the champion's recall go unpunished."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    metric: str = Field(
        default="recall_at_20", description="Metric that decides; the evaluator must measure it"
    )
    margin_old: float = Field(default=0.02, ge=0, lt=1, description="Loss on the old task that is let pass")
    margin_new: float = Field(default=0.03, ge=0, lt=1, description="Loss on the new task that is let pass")
    margin_best_ever: float = Field(
        default=0.22, ge=0, lt=1, description="Loss against the old task's best ever"
    )
    margin_month: float = Field(
        default=0.05, ge=0, lt=1, description="Loss against the champion 28 days ago, old task"
    )
    margin_protected: float = Field(
        default=0.05, ge=0, lt=1, description="Loss on a protected slice that is let pass"
    )
    floor: float = Field(default=0.001, ge=0, le=1, description="Lowest value of the metric over all rows")
    floor_rows: int = Field(default=100, ge=1, description="Rows below which the floor is not applied")
    confidence: float = Field(
        default=0.95, gt=0.5, lt=1, description="Confidence of the intervals, two-sided"
    )
    resamples: int = Field(default=2000, ge=200, le=100_000, description="Bootstrap draws of users")
    seed: int = Field(default=0, ge=0, description="Seed of the draws")
    min_users: int = Field(default=20, ge=2, description="Users below which nothing counts as proven")
