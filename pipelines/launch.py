"""Runs one TFX node of a plan through TFX's own portable launcher."""

from __future__ import annotations

import itertools
import logging
import shutil
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from tfx.dsl.compiler import compiler
from tfx.orchestration import metadata as tfx_metadata
from tfx.orchestration.local import runner_utils
from tfx.orchestration.portable import inputs_utils, launcher, runtime_parameter_utils
from tfx.proto.orchestration import pipeline_pb2

from pipelines import ingest, learn, metadata
from pipelines.anatomy import INGEST, STEPS, Step
from pipelines.config import Config
from pipelines.plan import Plan
from schemas.home import Home

CREATE = {step.pipeline: ingest.create if step.pipeline == INGEST else learn.create for step in STEPS}
RUN_ID_PARAMETER = "pipeline-run-id"
FAILED = "failed"


class StepError(RuntimeError):
    """A node failed; the sentence is the innermost error's."""


@dataclass(frozen=True)
class Outcome:
    """What a node did: complete, or cached (the same work is in MLMD from an earlier run)."""

    node: str
    state: str
    seconds: float
    outputs: dict[str, list[str]]
    """Places of the output artifacts by key."""


class _Launcher(launcher.Launcher):
    """TFX's, but a retry begins with empty outputs, not among what a killed attempt left in them."""

    def _run_executor(self, execution_info: Any) -> Any:
        for output in itertools.chain(*execution_info.output_dict.values()):
            shutil.rmtree(output.uri, ignore_errors=True)
        return super()._run_executor(execution_info)


@lru_cache(maxsize=4)
def _compiled(home: Home, settings: str, plan: Plan, pipeline: str) -> pipeline_pb2.Pipeline:
    intermediate = compiler.Compiler().compile(
        CREATE[pipeline](home, Config.model_validate_json(settings), plan)
    )
    runtime_parameter_utils.substitute_runtime_parameter(intermediate, {RUN_ID_PARAMETER: plan.run_id})
    return intermediate


def compiled_pipeline(home: Home, config: Config, plan: Plan, pipeline: str) -> pipeline_pb2.Pipeline:
    """One of the two pipelines in TFX's intermediate form, its run id filled in."""
    return _compiled(home, config.model_dump_json(), plan, pipeline)


def run_node(home: Home, config: Config, plan: Plan, node: str) -> Outcome:
    """Runs a node whose upstream nodes are done under plan.run_id; StepError in one sentence if it fails."""
    step = _step(node)
    compiled = compiled_pipeline(home, config, plan, step.pipeline)
    deployment = runner_utils.extract_local_deployment_config(compiled)
    stored = deployment.metadata_connection_config
    connection = tfx_metadata.Metadata(getattr(stored, stored.WhichOneof("connection_config")))
    pipeline_node = next(n.pipeline_node for n in compiled.nodes if n.pipeline_node.node_info.id == node)
    started = time.monotonic()
    try:
        info = _Launcher(
            pipeline_node=pipeline_node,
            mlmd_connection=connection,
            pipeline_info=compiled.pipeline_info,
            pipeline_runtime_spec=compiled.runtime_spec,
            executor_spec=runner_utils.extract_executor_spec(deployment, node),
            custom_driver_spec=runner_utils.extract_custom_driver_spec(deployment, node),
        ).launch()
        state, outputs = metadata.result(home, info.execution_id) if info else ("skipped", {})
        if state == FAILED:
            _resolve(connection, pipeline_node)
    except Exception as error:  # whatever a component raises becomes one sentence that names its node
        logging.getLogger(__name__).debug("node %s failed", node, exc_info=True)
        raise StepError(f"{node}: {_innermost(error)}") from error
    return Outcome(node, state, time.monotonic() - started, outputs)


def _resolve(connection: tfx_metadata.Metadata, node: pipeline_pb2.PipelineNode) -> None:
    """Raises what a resolver raised: TFX only marks it as failed, and would skip all nodes after it."""
    with connection as handle:
        inputs_utils.resolve_input_artifacts(pipeline_node=node, metadata_handle=handle)
    raise RuntimeError("it found nothing to start from, and does by now: run it again")


def _step(node: str) -> Step:
    for step in STEPS:
        if step.node == node:
            return step
    raise StepError(f"{node!r} is no step: {', '.join(step.node for step in STEPS)}")


def _innermost(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
