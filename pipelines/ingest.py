"""The ingest pipeline: day files → unique typed events → quality → rows and data state → validation → drift.

Data only and idempotent: nodes whose files and settings are the same are taken from TFX's cache.
"""

from pathlib import Path

from tfx import v1 as tfx
from tfx.dsl.components.common.resolver import Resolver
from tfx.types.standard_artifacts import ExampleStatistics

import schemas
from components.artifacts import DataStateArtifact, DayEventsArtifact
from components.base.strategies import DataBefore, StatisticsBefore
from components.digests import of_file
from components.drift.component import Drift, RowsSchema
from components.events.component import DayEvents
from components.features.component import Features
from components.quality.component import Quality
from components.statistics.component import Statistics
from pipelines import metadata
from pipelines.config import Config
from pipelines.plan import Plan
from schemas.home import Home

NAME = "everlearn.ingest"
ROWS_SCHEMA = Path(schemas.__file__).parent / "rows.pbtxt"


def create(home: Home, config: Config, plan: Plan) -> tfx.dsl.Pipeline:
    """The pipeline of spans plan.first_span to plan.span."""
    events = DayEvents(
        first_span=plan.first_span,
        last_span=plan.span,
        fingerprint=plan.fingerprint,
        folder=str(home.events),
        config=config.events.model_dump_json(),
    ).with_id("DayEvents")
    before = Resolver(
        strategy_class=DataBefore,
        config={"span": plan.first_span, "last": plan.span, "folder": str(home.events)},
        before=tfx.dsl.Channel(type=DataStateArtifact),
        accepted=tfx.dsl.Channel(type=DayEventsArtifact),
    ).with_id("DataBefore")
    quality = Quality(
        events=events.outputs["events"],
        earlier=before.outputs["accepted"],
        broken=str(home.broken),
        bootstrap=int(plan.bootstrap),
    ).with_id("Quality")
    features = Features(
        events=quality.outputs["accepted"],
        before=before.outputs["before"],
        config=config.features.model_dump_json(),
        behavior_weights=config.events.behavior_weights.model_dump_json(),
        items=_file(home.items),
        users=_file(home.users),
    ).with_id("Features")
    statistics = Statistics(rows=features.outputs["rows"]).with_id("Statistics")
    schema = RowsSchema(
        statistics=statistics.outputs["statistics"],
        curated=_file(ROWS_SCHEMA),
        config=config.drift.model_dump_json(),
    ).with_id("Schema")
    validation = tfx.components.ExampleValidator(
        statistics=statistics.outputs["statistics"], schema=schema.outputs["schema"]
    ).with_id("Validation")
    earlier = Resolver(
        strategy_class=StatisticsBefore,
        config={"first_span": plan.first_span, "span": plan.span, "window": config.drift.window},
        earlier=tfx.dsl.Channel(type=ExampleStatistics),
    ).with_id("StatisticsBefore")
    drift = Drift(
        statistics=statistics.outputs["statistics"],
        earlier=earlier.outputs["earlier"],
        schema=schema.outputs["schema"],
        config=config.drift.model_dump_json(),
    ).with_id("Drift")
    return tfx.dsl.Pipeline(
        pipeline_name=NAME,
        pipeline_root=str(home.pipelines),
        components=[events, before, quality, features, statistics, schema, validation, earlier, drift],
        enable_cache=True,
        metadata_connection_config=metadata.connection(home),
    )


def _file(path: Path) -> str:
    """Place and content of an optional file: the cache must see a changed one. Empty where there is none."""
    if not path.exists():
        return ""
    return f"{path}#{of_file(path)}"
