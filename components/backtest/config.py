"""Settings of a backtest."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class BacktestConfig(BaseModel):
    """The window, what is measured in it, and what comes before it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    start: int = Field(description="span of the first day that is scored")
    days: int = Field(ge=1, le=3660, description="days that are scored")
    bootstrap_days: int = Field(ge=1, le=3660, description="days before the start that are learned first")

    k: int = Field(20, ge=1, le=1000, description="k of recall@k, NDCG@k and overlap@k")
    task_days: int = Field(7, ge=1, le=366, description="days that make a task of the accuracy matrix")
    first_task_days: int = Field(
        28, ge=1, le=366, description="last days of the bootstrap whose held-out rows make task 0"
    )
    task_rows: int = Field(1000, ge=1, le=1_000_000, description="held-out rows that a task keeps at most")
    churn_users: int = Field(100, ge=0, le=100_000, description="users whose lists are compared day by day")
    tune_days: tuple[int, ...] = Field(
        (1, 3, 5), description="days before the start on which peers choose their hyper-parameters"
    )
    tune_rows: int = Field(200, ge=0, description="user-days below which they choose on earlier days as well")
    resamples: int = Field(2000, ge=100, le=100_000, description="draws of the bootstrap over days")
    seed: int = Field(0, ge=0, lt=2**31, description="seed of samples, bootstraps and peers")

    @property
    def end(self) -> int:
        """The span after the last one that is scored."""
        return self.start + self.days

    @property
    def first(self) -> int:
        """The first span of the bootstrap."""
        return self.start - self.bootstrap_days

    def task_of(self, span: int) -> int:
        """1-based task of a day of the window; task 0 is the bootstrap."""
        return (span - self.start) // self.task_days + 1

    def ends_task(self, span: int) -> bool:
        """The last task may be shorter than the others."""
        return span + 1 == self.end or self.task_of(span + 1) != self.task_of(span)
