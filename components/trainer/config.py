"""Settings of the trainer; the defaults are meant for any event log."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from components.events.config import BehaviorWeights
from components.replay.config import ReplayConfig

SHAPE_FIELDS = (
    "dimension",
    "hidden",
    "repeat_hidden",
    "half_lives",
    "temperature",
    "encoder",
    "recent_items",
    "cosine",
)
"""What decides the model's function: a base can be learned further only with the same values."""


class ReactionConfig(BaseModel):
    """When a day makes the model forget, it is learned again, with more of the past (`react.py`)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    attempts: int = Field(
        0,
        ge=0,
        le=2,
        description="further attempts at a day; with any, half of the old rows are put aside",
    )
    threshold: float = Field(
        0.05, gt=0, lt=1, description="loss against the best ever on the probe half from which on it reacts"
    )
    min_rows: int = Field(500, ge=1, le=1_000_000, description="rows of the probe half below which it waits")
    share: float = Field(0.2, ge=0, le=1, description="least share that is replayed at the first reaction")
    share_factor: float = Field(
        2.0, ge=1, le=100, description="share and cap of the replay grow by it with each attempt"
    )
    pull: float = Field(0.3, ge=0, le=1e12, description="least strength of the pull at the first reaction")
    pull_factor: float = Field(3.0, ge=1, le=1e6, description="the pull grows by it with each attempt")


class LearnConfig(BaseModel):
    """What `learn` needs beside the base and the rows."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int = Field(0, ge=0, lt=2**31, description="seed of initial weights, order and id dropout")

    dimension: int = Field(64, ge=2, le=1024, description="width of the embeddings")
    hidden: int = Field(128, ge=2, le=4096, description="width of the towers' hidden layers")
    repeat_hidden: int = Field(16, ge=1, le=512, description="width of the repeat term's hidden layer")
    half_lives: tuple[float, ...] = Field(
        (1.0, 7.0, 30.0, 180.0),
        min_length=1,
        max_length=8,
        description="days that halve a past item's weight",
    )
    temperature: float = Field(0.5, gt=0, le=100, description="divisor of the dot product")
    encoder: Literal["bags", "attention"] = Field(
        "bags", description="whether the order of a user's newest items counts, as in sessions: attention"
    )
    recent_items: int = Field(50, ge=1, le=1000, description="newest items that attention looks at")
    cosine: bool = Field(
        False, description="whether only the direction of vectors counts; ids then start at random"
    )

    likeness: float = Field(
        0.5, ge=0, le=10, description="weight of likeness to past items before anything is learned"
    )
    discovery: float = Field(
        0.3,
        ge=0,
        lt=1,
        description="share of the loss that sets new items against new ones: repeats or discovery",
    )
    row_power: float = Field(
        0.5,
        ge=0,
        le=1,
        description="a positive of a row of n weighs n^-power: 0 all positives alike, 1 all rows",
    )
    repeat_offset: float = Field(
        0.0,
        ge=-100,
        le=100,
        description="added to past items in lists, not in learning: above 0 repeats, below discovery",
    )
    first_epochs: int = Field(2, ge=1, le=100, description="passes over the rows of a first model")
    epochs: int = Field(1, ge=1, le=100, description="passes over new and replayed rows of a later one")
    table_rate: float | None = Field(
        None,
        gt=0,
        le=10,
        description="initial rate of embedding tables (Adagrad); null: .01, .03 where items have no category",
    )
    dense_rate: float = Field(0.003, gt=0, le=1, description="initial rate of dense layers (Adam)")
    later_rate: float = Field(0.4, gt=0, le=1, description="least share of these rates that later learns use")
    rate_steps: int = Field(
        1000,
        ge=0,
        le=1_000_000_000,
        description="steps up to which later learns use whole rates; beyond, these fall as the steps grow",
    )
    average_steps: int = Field(
        60,
        ge=1,
        le=1_000_000,
        description="newest steps over which user tower and encoder are averaged; 1: as of the last step",
    )
    pull: float = Field(
        0.0, ge=0, le=1e12, description="strength of the pull of a later learn toward its base's weights"
    )
    pull_by: Literal["l2", "ewc"] = Field(
        "l2", description="what is pulled harder: nothing (l2), or what mattered to what was learned (ewc)"
    )
    old_share: float | None = Field(
        None, ge=0, le=1, description="share of replayed rows in the objective; null: their share of the rows"
    )
    distill: float = Field(
        0.0,
        ge=0,
        le=1e6,
        description="weight of the base's scores as targets of replayed rows, or of all",
    )
    distill_temperature: float = Field(1.0, gt=0, le=100, description="divisor of scores in soft targets")
    evict_days: int | None = Field(
        730, ge=1, le=36_500, description="days unseen after which an id gives its row back; null: never"
    )
    batch_rows: int = Field(64, ge=1, le=65_536, description="user-moments in a training step")
    uniform_negatives: int = Field(512, ge=0, le=65_536, description="items drawn from the catalogue a step")
    dropout: float = Field(
        0.0, ge=0, lt=1, description="share of the query's and the encoder's numbers that a step drops"
    )
    unknown_rate: float = Field(
        0.05, ge=0, lt=1, description="share of ids that a step sees as unknown, so that unknown is learned"
    )

    behavior_weights: BehaviorWeights = Field(
        default_factory=BehaviorWeights, description="weight of a positive by its behaviour"
    )
    holdout_share: float = Field(0.10, ge=0, le=0.5, description="share of user-days that are never learned")
    recent_spans: int = Field(7, ge=1, le=366, description="spans whose held-out rows are all kept")
    old_task_rows: int = Field(4000, ge=0, le=10_000_000, description="held-out rows kept of earlier spans")
    reaction: ReactionConfig = Field(
        default_factory=ReactionConfig, description="further attempts at a day that makes the model forget"
    )
    replay: ReplayConfig = Field(default_factory=ReplayConfig, description="the reservoir of learned rows")
