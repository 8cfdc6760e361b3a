"""The rule on days that are made up so that its answer is plain."""

import numpy as np
import pyarrow as pa
import pytest

from components.backtest import old_tasks
from components.backtest.choice import choose

DAYS = 30
NOISE = np.random.default_rng(0).normal(0, 0.02, DAYS)


def records(recall: float, of_new: float = 0.05, wobble: float = 0.001) -> list[dict]:
    """Days that share their weather and differ a little beside it."""
    own = np.random.default_rng(int(recall * 1e6)).normal(0, wobble, DAYS)
    return [
        {
            "recall_at_20_all": recall + NOISE[day] + own[day],
            "recall_at_20_new": of_new + NOISE[day] / 10,
            "rows_all": 100,
            "rows_new": 80,
        }
        for day in range(DAYS)
    ]


def row(line: str, days: list[dict], rows_trained: int, old: float = float("nan")) -> dict:
    means = {
        key: float(np.mean([day[key] for day in days])) for key in ("recall_at_20_all", "recall_at_20_new")
    }
    return {"line": line, **means, "rows_trained": rows_trained, "old_task_recall": old}


def held_out(mean: float, users: int) -> pa.Table | None:
    """Rows of the old task, a user each, that lines answer alike but for their means and luck."""
    if np.isnan(mean):
        return None
    luck = np.random.default_rng(int(mean * 1e6)).normal(0, 0.1, users)
    recalls = np.random.default_rng(1).normal(0, 0.3, users) + luck - luck.mean() + mean
    return old_tasks.table(0, pa.array([f"u{n}" for n in range(users)]), recalls)


def chosen(users: int = 4000, **lines: tuple[float, float, int, float]) -> str | None:
    days = {name: records(recall, of_new) for name, (recall, of_new, _, _) in lines.items()}
    rows = [row(name, days[name], cost, old) for name, (_, _, cost, old) in lines.items()]
    kept = {name: held_out(old, users) for name, (_, _, _, old) in lines.items()}
    return choose(rows, days, kept, 20, resamples=500, seed=0).name


NAN = float("nan")


def test_of_lines_that_tie_the_cheaper_is_chosen() -> None:
    assert chosen(dear=(0.2701, 0.05, 1000, NAN), cheap=(0.27, 0.05, 10, NAN)) == "cheap"


def test_a_cheaper_line_that_is_provably_worse_is_not_chosen() -> None:
    assert chosen(dear=(0.27, 0.05, 1000, NAN), cheap=(0.26, 0.05, 10, NAN)) == "dear"


def test_what_is_lost_on_new_items_counts_as_much() -> None:
    assert chosen(dear=(0.27, 0.05, 1000, NAN), cheap=(0.27, 0.04, 10, NAN)) == "dear"


def test_a_line_that_forgets_is_not_chosen() -> None:
    assert chosen(keeps=(0.27, 0.05, 1000, 0.30), forgets=(0.27, 0.05, 10, 0.29)) == "keeps"


def test_a_line_that_may_forget_as_far_as_so_few_rows_can_tell_is_kept() -> None:
    lines = {"keeps": (0.27, 0.05, 1000, 0.30), "forgets": (0.27, 0.05, 10, 0.29)}
    assert chosen(users=30, **lines) == "forgets"


def test_a_loss_within_the_margin_is_no_reason() -> None:
    assert chosen(keeps=(0.27, 0.05, 1000, 0.300), less=(0.27, 0.05, 10, 0.299)) == "less"


def test_where_none_is_good_in_everything_none_is_chosen() -> None:
    assert chosen(one=(0.27, 0.05, 10, 0.25), other=(0.26, 0.05, 10, 0.30)) is None


@pytest.mark.parametrize("rows", [[], [row("only", records(0.3), 5)]])
def test_few_lines_are_no_error(rows: list[dict]) -> None:
    name = rows[0]["line"] if rows else None
    assert choose(rows, {"only": records(0.3)}, {"only": None}, 20, 500, 0).name == name
