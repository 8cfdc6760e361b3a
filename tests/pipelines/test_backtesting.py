"""`everlearn backtest` on day folders, and what it says where the window does not fit the log."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipelines.commands import backtesting
from schemas.home import Home
from schemas.spans import date_of
from tests.factories import FIRST_SPAN, make_events

DAYS = 5


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    home = Home(tmp_path / "home")
    for span, events in make_events(days=DAYS).items():
        folder = home.events / date_of(span).isoformat() / "ver-1"
        folder.mkdir(parents=True)
        pq.write_table(events, folder / "events.parquet")
    monkeypatch.setenv("EVERLEARN_HOME", str(home.root))
    home.config.write_text("learn: {dimension: 8, hidden: 8, first_epochs: 1}\n")
    return home


def test_a_bare_log_is_walked_by_the_settings_in_force(home: Home, tmp_path: Path) -> None:
    start = str(date_of(FIRST_SPAN + 3))
    backtesting.backtest(
        start, 2, tmp_path / "out", strategies="default,stale", baselines="blend", holdout_share=0.0
    )
    lines = (tmp_path / "out" / "summary.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == ["line", "default", "stale", "blend"]
    assert "Which strategy" in (tmp_path / "out" / "report.md").read_text()


@pytest.mark.parametrize(
    ("first", "days", "complaint"),
    [(0, 1, "leaves nothing to learn"), (DAYS, 1, "leaves nothing"), (3, 9, "beyond the log's end")],
)
def test_a_window_that_does_not_fit_is_refused(
    home: Home, tmp_path: Path, first: int, days: int, complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        backtesting.backtest(str(date_of(FIRST_SPAN + first)), days, tmp_path / "out")


def test_without_a_log_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="import a log first"):
        backtesting.backtest("2024-03-05", 1, tmp_path / "out")
