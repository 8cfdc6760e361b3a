"""The learn pipeline: base → replay → train → evaluate → gate → release → smoke → record → push."""

import json

from tfx import v1 as tfx
from tfx.dsl.components.common.resolver import Resolver
from tfx.types.standard_artifacts import ExampleAnomalies, Examples, Model, ModelEvaluation

from components.artifacts import (
    ConceptDriftReport,
    DataStateArtifact,
    DayEventsArtifact,
    DriftReport,
    QualityReport,
)
from components.base import strategies
from components.drift.component import ConceptDrift
from components.evaluator.component import Evaluator
from components.gate.component import Gate
from components.pusher.component import Pusher
from components.record.component import Record
from components.release.component import Release
from components.replay.component import Replay
from components.smoke.component import Smoke
from pipelines import metadata
from pipelines.config import Config
from pipelines.plan import Plan
from pipelines.supervised import pushing
from schemas.home import Home

NAME = "everlearn.learn"
INPUTS = {
    "base": Model,
    "champion": Model,
    "month_ago": Model,
    "rows": Examples,
    "base_data": DataStateArtifact,
    "corrected_before": Examples,
    "data_state": DataStateArtifact,
    "events": DayEventsArtifact,
    "quality": QualityReport,
    "drift": DriftReport,
    "anomalies": ExampleAnomalies,
    "concept_drift": ConceptDriftReport,
    "previous": ModelEvaluation,
}


def create(home: Home, config: Config, plan: Plan) -> tfx.dsl.Pipeline:
    """The pipeline that learns every validated span up to plan.span that the base has not learned."""
    settings = json.dumps(config.model_dump(mode="json"), sort_keys=True)
    base = Resolver(
        strategy_class=strategies.Base,
        config={
            "span": plan.span,
            "serving": str(home.serving),
            "champion": plan.champion,
            "rebuild": int(plan.rebuild),
        },
        **{key: tfx.dsl.Channel(type=kind) for key, kind in INPUTS.items()},
    ).with_id("Base")
    replay = Replay(
        new_rows=base.outputs["rows"],
        data_state=base.outputs["data_state"],
        base=base.outputs["base"],
        base_data=base.outputs["base_data"],
        corrected_before=base.outputs["corrected_before"],
        config=config.learn.model_dump_json(),
        list_length=config.release.list_length,
        days_at_once=plan.days_at_once,
        span=plan.span,
    ).with_id("Replay")
    trainer = tfx.components.Trainer(
        run_fn="components.trainer.run_fn.run_fn",
        examples=replay.outputs["training_rows"],
        base_model=base.outputs["base"],
        hyperparameters=replay.outputs["hyperparameters"],
        train_args=tfx.proto.TrainArgs(splits=["new", "replay"]),
        eval_args=tfx.proto.EvalArgs(splits=["held_out"]),
    ).with_id("Trainer")
    candidate = trainer.outputs["model"]
    evaluator = Evaluator(
        candidate=candidate,
        data_state=base.outputs["data_state"],
        champion=base.outputs["champion"],
        month_ago=base.outputs["month_ago"],
        previous=base.outputs["previous"],
        config=config.evaluator.model_dump_json(),
        span=plan.span,
    ).with_id("Evaluator")
    concept_drift = ConceptDrift(
        evaluation=evaluator.outputs["evaluation"],
        before=base.outputs["concept_drift"],
        config=config.concept_drift.model_dump_json(),
        span=plan.span,
    ).with_id("ConceptDrift")
    gate = Gate(
        evaluation=evaluator.outputs["evaluation"],
        candidate=candidate,
        config=config.gate.model_dump_json(),
        span=plan.span,
        superseded=int(plan.superseded),
        quality=base.outputs["quality"],
        drift=base.outputs["drift"],
        concept_drift=concept_drift.outputs["report"],
    ).with_id("Gate")
    release = Release(
        candidate=candidate,
        data_state=base.outputs["data_state"],
        events=base.outputs["events"],
        blessing=gate.outputs["blessing"],
        champion=base.outputs["champion"],
        serving=str(home.serving),
        settings=settings,
        run_id=plan.run_id,
        span=plan.span,
        served=plan.champion,
        rebuild=int(plan.rebuild),
    ).with_id("Release")
    smoke = Smoke(release=release.outputs["release"], span=plan.span).with_id("Smoke")
    record = Record(
        evaluation=evaluator.outputs["evaluation"],
        blessing=gate.outputs["blessing"],
        candidate=candidate,
        training_rows=replay.outputs["training_rows"],
        data_state=base.outputs["data_state"],
        quality=base.outputs["quality"],
        drift=base.outputs["drift"],
        concept_drift=concept_drift.outputs["report"],
        anomalies=base.outputs["anomalies"],
        events=base.outputs["events"],
        infra=smoke.outputs["infra"],
        config=settings,
        home=str(home.root),
        run_id=plan.run_id,
        airflow_run_id=plan.airflow_run_id,
        span=plan.span,
    ).with_id("Record")
    pusher = Pusher(
        release=release.outputs["release"],
        infra=smoke.outputs["infra"],
        blessing=gate.outputs["blessing"],
        run=record.outputs["run"],
        config=pushing(home, config.pusher).model_dump_json(),
        home=str(home.root),
        span=plan.span,
    ).with_id("Pusher")
    return tfx.dsl.Pipeline(
        pipeline_name=NAME,
        pipeline_root=str(home.pipelines),
        components=[base, replay, trainer, evaluator, concept_drift, gate, release, smoke, record, pusher],
        enable_cache=False,
        metadata_connection_config=metadata.connection(home),
    )
