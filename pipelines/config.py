"""All settings of a deployment: each component's own section, composed. YAML and EVERLEARN_… variables.

`<EVERLEARN_HOME>/config.yaml` holds what differs from the defaults; a variable such as
`EVERLEARN_REPLAY__SHARE=0.2` (section, two underscores, field) comes before the file.
"""

from __future__ import annotations

import os
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from components.base.config import ChallengerConfig
from components.drift.config import ConceptDriftConfig, DriftConfig
from components.evaluator.config import EvaluatorConfig
from components.events.config import EventsConfig
from components.features.config import FeaturesConfig
from components.gate.config import GateConfig
from components.pusher.config import PusherConfig
from components.release.config import ReleaseConfig
from components.replay.config import ReplayConfig
from components.trainer.config import LearnConfig
from schemas.home import Home

PREFIX = "EVERLEARN_"
NOT_SETTINGS = ("EVERLEARN_HOME", "EVERLEARN_AIRFLOW_", "EVERLEARN_STACK_", "EVERLEARN_GATEWAY_")
"""Variables of that prefix which are read elsewhere: state folder, process supervision, gateway."""


SHARED = {
    "holdout_share": "features.holdout_share",
    "behavior_weights": "events.behavior_weights",
    "replay": "the section replay",
}


class ConfigError(ValueError):
    """A setting that is unknown or out of range: one line a setting, naming it, its value and its range."""


class Config(BaseModel):
    """Every section with its defaults."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    events: EventsConfig = Field(default_factory=EventsConfig)
    features: FeaturesConfig = Field(default_factory=FeaturesConfig)
    replay: ReplayConfig = Field(default_factory=ReplayConfig)
    challenger: ChallengerConfig = Field(default_factory=ChallengerConfig)
    learn: LearnConfig = Field(default_factory=LearnConfig)
    evaluator: EvaluatorConfig = Field(default_factory=EvaluatorConfig)
    gate: GateConfig = Field(default_factory=GateConfig)
    release: ReleaseConfig = Field(default_factory=ReleaseConfig)
    pusher: PusherConfig = Field(default_factory=PusherConfig)
    drift: DriftConfig = Field(default_factory=DriftConfig)
    concept_drift: ConceptDriftConfig = Field(default_factory=ConceptDriftConfig)

    @classmethod
    def compose(cls, settings: dict[str, Any]) -> Config:
        """Validates the sections; what `learn` shares with other sections is taken from their owners."""
        for field, owner in SHARED.items():
            if field in settings.get("learn", {}):
                raise ConfigError(f"learn.{field} is refused: set {owner}, which it follows")
        config = cls.model_validate(settings)
        shared = {
            "holdout_share": config.features.holdout_share,
            "behavior_weights": config.events.behavior_weights,
            "replay": config.replay,
        }
        return config.model_copy(update={"learn": config.learn.model_copy(update=shared)})


def load(home: Home) -> Config:
    """The settings in force; ConfigError names each wrong one, its value and what is allowed."""
    settings: dict[str, Any] = {}
    if home.config.exists():
        settings = _from_yaml(home)
    for section, fields in _from_environment().items():
        settings.setdefault(section, {}).update(fields)
    try:
        return Config.compose(settings)
    except ValidationError as error:
        raise ConfigError(sentences(error)) from None


def _from_yaml(home: Home) -> dict[str, Any]:
    try:
        settings = yaml.safe_load(home.config.read_text()) or {}
    except yaml.YAMLError as error:
        raise ConfigError(f"{home.config} is no YAML: {error}") from None
    if not isinstance(settings, dict) or not all(isinstance(section, dict) for section in settings.values()):
        raise ConfigError(f"{home.config} must hold sections ({', '.join(Config.model_fields)}) of settings")
    return settings


def _from_environment() -> dict[str, dict[str, Any]]:
    settings: dict[str, dict[str, Any]] = {}
    for name, text in os.environ.items():
        if not name.startswith(PREFIX) or name.startswith(NOT_SETTINGS):
            continue
        section, _, field = name.removeprefix(PREFIX).lower().partition("__")
        if not field:
            raise ConfigError(f"{name} is no setting: name it {PREFIX}SECTION__FIELD")
        settings.setdefault(section, {})[field] = yaml.safe_load(text)
    return settings


def sentences(error: ValidationError) -> str:
    """What is wrong with each setting, a line each."""
    return "\n".join(_sentence(problem) for problem in error.errors())


def _sentence(problem: Any) -> str:
    name = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return f"{name} is no setting: `everlearn config` lists them"
    return f"{name} = {problem['input']!r} is refused: {problem['msg']}"
