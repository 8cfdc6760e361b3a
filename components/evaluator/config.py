"""Settings of the evaluation."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator
from typing_extensions import Self

Slice = Annotated[str, Field(pattern=r"^(silent/\d+|(item|user)_[^/]+/.*)$")]


class EvaluatorConfig(BaseModel):
    """What is measured, and how held-out rows are parted into old and new tasks."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    recall_cutoffs: tuple[int, ...] = Field(default=(10, 20, 50), min_length=1, description="k of recall@k")
    ndcg_cutoffs: tuple[int, ...] = Field(default=(10, 20), description="k of NDCG@k")
    headline: str = Field(
        default="recall_at_20", description="The metric of slices, week tasks and forgetting"
    )
    trailing_days: int = Field(
        default=7, ge=0, le=60, description="Days before the span pooled into the new task"
    )
    new_item_days: int = Field(default=7, ge=0, le=365, description="An item is new for so many days")
    slice_by: str | None = Field(
        default=None,
        description="Item feature to slice by; else department, category or that of fewest values",
    )
    max_slices: int = Field(
        default=20, ge=0, le=1000, description="Values of that feature shown, most frequent first"
    )
    protected: tuple[Slice, ...] = Field(
        default=(),
        description="Slices whose proven loss blocks a promotion on its own:"
        " item_COLUMN/VALUE, user_COLUMN/VALUE, or silent/DAYS for items not taken for so long",
    )

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of all metrics, as columns and summaries carry them."""
        recalls = tuple(f"recall_at_{k}" for k in self.recall_cutoffs)
        return (*recalls, *(f"ndcg_at_{k}" for k in self.ndcg_cutoffs), "mrr")

    @model_validator(mode="after")
    def _headline_is_measured(self) -> Self:
        if self.headline not in self.metrics:
            raise ValueError(
                f"headline = {self.headline!r} is not measured: choose one of {', '.join(self.metrics)}"
            )
        return self
