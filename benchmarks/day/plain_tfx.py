"""The day as a plain TFX pipeline in one process: python -m benchmarks.day.plain_tfx --help

CsvExampleGen, StatisticsGen, ImportSchemaGen, ExampleValidator, Transform, Trainer (toy two-tower), a gate,
Pusher, run by TFX's LocalDagRunner. No replay, no expectations, no record, no smoke test.
"""

from __future__ import annotations

import time

STARTED = time.time()

import argparse  # noqa: E402  (the clock starts before the imports that it measures)
import json  # noqa: E402
from pathlib import Path  # noqa: E402

import tfx.v1 as tfx  # noqa: E402

from benchmarks.day.plain_gate import Gate  # noqa: E402

MODULE = "benchmarks.day.plain_model"
SCHEMA = Path(__file__).with_name("plain_schema.pbtxt")


def pipeline(day: Path, root: Path) -> tfx.dsl.Pipeline:
    """The pipeline over the folder `day` of CSV files; artifacts and metadata under `root`."""
    examples = tfx.components.CsvExampleGen(input_base=str(day))
    statistics = tfx.components.StatisticsGen(examples=examples.outputs["examples"])
    schema = tfx.components.ImportSchemaGen(schema_file=str(SCHEMA))
    validator = tfx.components.ExampleValidator(
        statistics=statistics.outputs["statistics"], schema=schema.outputs["schema"]
    )
    transform = tfx.components.Transform(
        examples=examples.outputs["examples"],
        schema=schema.outputs["schema"],
        preprocessing_fn=f"{MODULE}.preprocessing_fn",
    )
    trainer = tfx.components.Trainer(
        run_fn=f"{MODULE}.run_fn",
        examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        train_args=tfx.proto.TrainArgs(),
        eval_args=tfx.proto.EvalArgs(),
    )
    gate = Gate(model=trainer.outputs["model"], examples=transform.outputs["transformed_examples"])
    pusher = tfx.components.Pusher(
        model=trainer.outputs["model"],
        model_blessing=gate.outputs["blessing"],
        push_destination=tfx.proto.PushDestination(
            filesystem=tfx.proto.PushDestination.Filesystem(base_directory=str(root / "serving"))
        ),
    )
    return tfx.dsl.Pipeline(
        pipeline_name="plain",
        pipeline_root=str(root / "artifacts"),
        metadata_connection_config=tfx.orchestration.metadata.sqlite_metadata_connection_config(
            str(root / "metadata.sqlite")
        ),
        components=[examples, statistics, schema, validator, transform, trainer, gate, pusher],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--day", type=Path, required=True, help="folder that holds the day's CSV")
    parser.add_argument("--timings", type=Path, required=True, help="JSON file to write")
    parser.add_argument("--root", type=Path, required=True, help="new folder for artifacts and metadata")
    arguments = parser.parse_args()
    imported = time.time()
    tfx.orchestration.LocalDagRunner().run(pipeline(arguments.day, arguments.root))
    if not list((arguments.root / "serving").glob("*/saved_model.pb")):
        raise SystemExit("the plain pipeline pushed no model")
    timings = {"imports": imported - STARTED, "total": time.time() - STARTED}
    arguments.timings.write_text(json.dumps(timings, indent=2))


if __name__ == "__main__":
    main()
