"""Great Expectations on the raw days, each for itself: JSON suites, data docs, a verdict a day."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

import schemas
from components.events import store
from schemas.spans import date_of

SUITES = Path(schemas.__file__).parent / "expectations"
RESULT_FILE, DOCS_FOLDER = "result.json", "data_docs"
CRITICAL = "critical"


class BrokenDayError(ValueError):
    """A critical expectation failed: nothing may be learned from these days."""


def validate(events: str | Path, out: str | Path, own: int | None = None) -> dict[str, Any]:
    """Validates each day of a DayEvents artifact; writes `result.json` and `data_docs/` into `out`.

    Returns the result: {success, broken: {date: [critical name]}, versions: {broken date: version of its
    files}, critical_failed: [name], warnings: [name], expectations: [{date, suite, name, severity,
    success, observed}]}. `success`: the span `own` is not broken; where it is None, some delivered day
    is not.
    """
    accounts = store.accounts(events)
    outcomes = list(_outcomes(events, Path(out) / DOCS_FOLDER))
    failed = [one for one in outcomes if not one["success"]]
    critical = [one for one in failed if one["severity"] == CRITICAL]
    broken: dict[str, list[str]] = {}
    for one in critical:
        broken.setdefault(one["date"], []).append(one["name"])
    delivered = [date for date, account in accounts.items() if not account["missing"]]
    needed = delivered if own is None else [str(date_of(own))]
    result = {
        "success": not needed or any(date not in broken for date in needed),
        "broken": broken,
        "versions": {date: accounts[date]["version"] for date in broken},
        "critical_failed": _names(critical),
        "warnings": _names(one for one in failed if one["severity"] != CRITICAL),
        "expectations": outcomes,
    }
    (Path(out) / RESULT_FILE).write_text(json.dumps(result, indent=1))
    return result


def require(result: dict[str, Any], dates: list[str], report: str | Path, own: int | None = None) -> None:
    """BrokenDayError, in one sentence, where nothing may be learned from the stretch `dates`."""
    if result["success"]:
        return
    if own is None and len(dates) > 1:
        what, names = f"{dates[0]} to {dates[-1]}, each day of which failed", result["critical_failed"]
    else:
        what, names = f"{dates[-1]}, which failed", result["broken"][dates[-1]]
    raise BrokenDayError(
        f"nothing is learned from {what} in quality ({', '.join(names)}):"
        f" see {index_of(report)}, mend the day's files and run it again"
    )


def index_of(report: str | Path) -> Path:
    """The page of a report to begin with."""
    return Path(report) / DOCS_FOLDER / "index.html"


def _names(outcomes: Iterable[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(one["name"] for one in outcomes))


def _day(account: dict[str, Any]) -> pa.Table:
    """The one row of a day: what its account says."""
    return pa.table(
        {
            "date": [account["date"]],
            "missing": [account["missing"]],
            "duplicate_share": [account["duplicates"] / max(account["received"], 1)],
        }
    )


def _outcomes(events: str | Path, docs: Path) -> Iterator[dict[str, Any]]:
    """Runs the suite of each table's name on each day; outcomes by day in the suites' order."""
    import great_expectations as gx
    from great_expectations.core import ExpectationSuite, RunIdentifier
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
    validations = {}
    for name in ("events", "days"):
        suite = context.suites.add(ExpectationSuite(**json.loads((SUITES / f"{name}.json").read_text())))
        batch = source.add_dataframe_asset(name).add_batch_definition_whole_dataframe("day")
        validations[name] = context.validation_definitions.add(
            gx.ValidationDefinition(name=name, data=batch, suite=suite)
        )
    for span in store.spans_in(events):
        account = store.read_account(events, span)
        tables = {"events": store.read_raw(events, [span]), "days": _day(account)}
        for name, table in tables.items():
            run = RunIdentifier(run_name=account["date"])
            validated = validations[name].run(batch_parameters={"dataframe": table.to_pandas()}, run_id=run)
            yield from (_outcome(account["date"], name, one) for one in validated.results)
    context.build_data_docs(["report"])
    shutil.rmtree(docs / "static", ignore_errors=True)  # 4 MB a report, of which the pages use a favicon


def _outcome(date: str, suite: str, result: Any) -> dict[str, Any]:
    config = result.expectation_config
    error = (result.exception_info or {}).get("exception_message")
    observed = error or result.result.get("unexpected_percent", result.result.get("observed_value"))
    return {
        "date": date,
        "suite": suite,
        "name": config.meta["name"],
        "severity": str(config.severity.value),
        "success": bool(result.success),
        "observed": observed,
    }
