"""One step as a process: what Airflow's tasks ask the warm worker (or a plain process) to run.

`plan --span DATE [--first DATE] [--force] [--airflow-run-id ID]` mints an attempt, `plan --challenger` one at
all days anew, where one is due;
`node --run JSON NODE` runs one node of it; `inbox` brings posted events into their day folders;
`rollback [--to VERSION] [--airflow-run-id ID]` serves an earlier model again. The last line of stdout is a
JSON object, the last line of stderr the one-sentence error; the exit status is 0 or 1.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path

from components.quality.handing_on import told as broken
from pipelines import config as settings
from pipelines import lease
from pipelines.anatomy import PUSH
from pipelines.config import Config
from pipelines.plan import Plan, PlanError, plan, plan_challenger
from schemas.home import Home
from schemas.spans import parse_date, span_of

WAIT_SECONDS = 3600
"""How long a planned Airflow run waits for another run to end."""


def main(argv: list[str]) -> int:
    """Runs one step; see the module's text."""
    arguments = _parser().parse_args(argv)
    home = Home.from_environment()
    try:
        result = STEPS[arguments.step](home, arguments)
    except (PlanError, settings.ConfigError, ValueError, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(result))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="pipelines.step")
    steps = parser.add_subparsers(dest="step", required=True)
    planning = steps.add_parser("plan")
    what = planning.add_mutually_exclusive_group(required=True)
    what.add_argument("--span")
    what.add_argument("--challenger", action="store_true")
    planning.add_argument("--first", default="")
    planning.add_argument("--force", action="store_true")
    planning.add_argument("--airflow-run-id", default="")
    back = steps.add_parser("rollback")
    back.add_argument("--to", type=int)
    back.add_argument("--airflow-run-id", default="")
    steps.add_parser("inbox")
    node = steps.add_parser("node")
    node.add_argument("--run", required=True)
    node.add_argument("node")
    return parser


def _plan(home: Home, arguments: argparse.Namespace) -> dict:
    owner = lease.of_airflow(arguments.airflow_run_id)
    lease.take(home, owner, lasting=True, wait_seconds=WAIT_SECONDS)
    try:
        in_force = settings.load(home)
        planned = dataclasses.replace(
            _planned(home, in_force, arguments), settings=in_force.model_dump_json()
        )
    except BaseException:
        lease.release(home, owner)
        raise
    if planned.skip:
        lease.release(home, owner)
    return json.loads(planned.to_json())


def _planned(home: Home, config: Config, arguments: argparse.Namespace) -> Plan:
    if arguments.challenger:
        return plan_challenger(home, config.challenger.weeks, arguments.airflow_run_id)
    return plan(
        home,
        span_of(parse_date(arguments.span)),
        first_span=span_of(parse_date(arguments.first)) if arguments.first else None,
        force=arguments.force,
        airflow_run_id=arguments.airflow_run_id,
    )


def _node(home: Home, arguments: argparse.Namespace) -> dict:
    from pipelines.launch import run_node  # TFX: seconds, and a skipped step needs none of it

    planned = Plan.from_json(arguments.run)
    if planned.skip:
        return {"node": arguments.node, "state": "skipped", "reason": planned.skip}
    owner = lease.of_airflow(planned.airflow_run_id)
    lease.take(home, owner, lasting=True)
    outcome = run_node(home, Config.model_validate_json(planned.settings), planned, arguments.node)
    if arguments.node == PUSH:
        lease.release(home, owner)
    else:
        lease.take(home, owner, lasting=True)  # the step may have been long: the run is heard of again
    report = {"node": outcome.node, "state": outcome.state, "seconds": round(outcome.seconds, 3)}
    return report | told(outcome.outputs)


def _rollback(home: Home, arguments: argparse.Namespace) -> dict:
    from pipelines.rollback import rollback

    done = rollback(home, settings.load(home), arguments.to, arguments.airflow_run_id)
    return {"version": done.version, "kind": done.kind, "again": done.parent, "taken_back": done.rolled_back}


def _inbox(home: Home, _: argparse.Namespace) -> dict:
    from pipelines.inbox import fold_inbox

    return {"events": sum(summary.events for summary in fold_inbox(home))}


STEPS = {"plan": _plan, "node": _node, "inbox": _inbox, "rollback": _rollback}


def told(outputs: dict[str, list[str]]) -> dict:
    """What a person wants to know of a step's outputs: days left out, verdict, MLflow run, pushed version."""
    told: dict = {}
    for key, file in (("blessing", "verdict.json"), ("run", "run.json"), ("pushed", "pushed.json")):
        for place in outputs.get(key, []):
            path = Path(place) / file
            if path.exists():
                told[key] = json.loads(path.read_text())
    if "accepted" in outputs:  # of quality
        told["left_out"] = [line for place in outputs.get("report", []) for line in broken(Path(place))]
    return told


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
