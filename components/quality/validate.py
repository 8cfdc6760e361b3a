"""Great Expectations on the raw days: JSON suites, checkpoints, data docs, a verdict."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa

import schemas
from components.events import store

SUITES = Path(schemas.__file__).parent / "expectations"
RESULT_FILE, DOCS_FOLDER = "result.json", "data_docs"
CRITICAL = "critical"


class BrokenDayError(ValueError):
    """A critical expectation failed: nothing may be learned from these days."""


def validate(events: str | Path, out: str | Path) -> dict[str, Any]:
    """Validates a DayEvents artifact; writes `result.json` and `data_docs/` into `out`.

    Returns the result: {success, critical_failed: [name], warnings: [name], expectations: [{suite, name,
    severity, success, observed}]}; `success` = no critical expectation failed.
    """
    tables = {"events": store.read_raw(events), "days": _days(events)}
    outcomes = _checkpoint(tables, Path(out) / DOCS_FOLDER)
    failed = [one for one in outcomes if not one["success"]]
    critical = [one["name"] for one in failed if one["severity"] == CRITICAL]
    result = {
        "success": not critical,
        "critical_failed": critical,
        "warnings": [one["name"] for one in failed if one["severity"] != CRITICAL],
        "expectations": outcomes,
    }
    (Path(out) / RESULT_FILE).write_text(json.dumps(result, indent=1))
    return result


def require(result: dict[str, Any], dates: list[str], report: str | Path) -> None:
    """BrokenDayError, in one sentence, where a critical expectation failed."""
    if not result["success"]:
        stretch = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
        raise BrokenDayError(
            f"nothing is learned from {stretch}, quality failed ({', '.join(result['critical_failed'])}):"
            f" see {Path(report) / DOCS_FOLDER / 'index.html'}, mend the day's files and run it again"
        )


def _days(events: str | Path) -> pa.Table:
    """A row a day: what its account says."""
    accounts = store.accounts(events)
    return pa.table(
        {
            "date": list(accounts),
            "missing": [account["missing"] for account in accounts.values()],
            "duplicate_share": [
                account["duplicates"] / max(account["received"], 1) for account in accounts.values()
            ],
        }
    )


def _checkpoint(tables: dict[str, pa.Table], docs: Path) -> list[dict[str, Any]]:
    """Runs the suite of each table's name on it; outcomes in the suites' order."""
    import great_expectations as gx
    from great_expectations.checkpoint import UpdateDataDocsAction
    from great_expectations.core import ExpectationSuite
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.enable_analytics(False)
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    context.add_data_docs_site(
        "report",
        {
            "class_name": "SiteBuilder",
            "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
            "store_backend": {
                "class_name": "TupleFilesystemStoreBackend",
                "base_directory": str(docs.absolute()),
            },
        },
    )
    source = context.data_sources.add_pandas("raw")
    docs_action = UpdateDataDocsAction(name="report", site_names=["report"])
    outcomes = []
    for name, table in tables.items():
        suite = context.suites.add(ExpectationSuite(**json.loads((SUITES / f"{name}.json").read_text())))
        batch = source.add_dataframe_asset(name).add_batch_definition_whole_dataframe("stretch")
        validation = context.validation_definitions.add(
            gx.ValidationDefinition(name=name, data=batch, suite=suite)
        )
        checkpoint = context.checkpoints.add(
            gx.Checkpoint(name=name, validation_definitions=[validation], actions=[docs_action])
        )
        run = checkpoint.run(batch_parameters={"dataframe": table.to_pandas()})
        (validated,) = run.run_results.values()
        outcomes += [_outcome(name, one) for one in validated.results]
    return outcomes


def _outcome(suite: str, result: Any) -> dict[str, Any]:
    config = result.expectation_config
    error = (result.exception_info or {}).get("exception_message")
    observed = error or result.result.get("unexpected_percent", result.result.get("observed_value"))
    return {
        "suite": suite,
        "name": config.meta["name"],
        "severity": str(config.severity.value),
        "success": bool(result.success),
        "observed": observed,
    }
