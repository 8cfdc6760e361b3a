"""Which days of a stretch are handed on: those that are sound; of a broken one what was sound before."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from components.events import store
from components.events.read import day_files
from components.quality.validate import RESULT_FILE, index_of
from schemas.events import EVENTS
from schemas.spans import date_of, parse_date, span_of


def hand_on(events: Path, broken: Mapping[str, list[str]], earlier: Iterable[Path], out: Path) -> None:
    """Writes a DayEvents folder of what may be learned.

    A sound day is handed on as it is. In place of a broken one stands what the newest of `earlier` (folders
    that were handed on, oldest first) holds of the day; where none holds it, a day without events whose
    account names under `left_out` the expectations that failed.
    """
    before = list(earlier)[::-1]
    for span in store.spans_in(events):
        names = broken.get(str(date_of(span)))
        if not names:
            shutil.copytree(events / str(span), out / str(span), copy_function=_linked)
            continue
        sound = next((one for one in before if _holds(one, span)), None)
        if sound is not None:
            shutil.copytree(sound / str(span), out / str(span), copy_function=_linked)
        else:
            account = store.read_account(events, span) | {"left_out": names}
            quarantine = store.read_quarantine(events, span)
            store.write_day(out, span, EVENTS.empty_table(), quarantine, account)


def keep(report: Path, kept: Path) -> None:
    """Copies a report of broken days to where it outlives the artifact; an older one there goes."""
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(report, kept)


def told(report: Path) -> list[str]:
    """A sentence for each day that a report calls broken."""
    broken = json.loads((report / RESULT_FILE).read_text()).get("broken", {})
    return [
        f"{date} is left out, quality failed ({', '.join(names)}): see {index_of(report)},"
        " mend the day's files as its next version"
        for date, names in broken.items()
    ]


def still_broken(kept: Path, days: Path) -> dict[str, str]:
    """Sentences by date of the broken days whose reports are in folders below `kept`, unless another version
    of their files lies below `days` now."""

    def newest(date: str) -> int:
        return day_files(days, span_of(parse_date(date))).version

    found: dict[str, str] = {}
    for path in sorted(kept.glob(f"*/{RESULT_FILE}"), key=lambda one: one.stat().st_mtime):
        then = json.loads(path.read_text()).get("versions", {})
        lines = zip(then, told(path.parent), strict=False)
        found |= {date: line for date, line in lines if newest(date) == then[date]}
    return dict(sorted(found.items()))


def _holds(folder: Path, span: int) -> bool:
    return span in store.spans_in(folder) and store.is_handed_on(store.read_account(folder, span))


def _linked(source: str, target: str) -> None:
    """A second name for the same file: artifacts are never written to again."""
    try:
        os.link(source, target)
    except OSError:  # the file system has no hard links
        shutil.copy2(source, target)
