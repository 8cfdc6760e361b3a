import pyarrow as pa

from components.record import gather


def events(*lengths: int) -> pa.Table:
    lists = [[f"event {row} {number}" for number in range(length)] for row, length in enumerate(lengths)]
    return pa.table({"event_id": pa.array(lists, pa.list_(pa.string()))})


def test_config_is_flattened_to_dotted_names():
    assert gather.flatten({"gate": {"seed": 0, "sub": {"a": None}}, "x": [1, 2]}) == {
        "gate.seed": "0",
        "gate.sub.a": "None",
        "x": "[1, 2]",
    }
    assert len(gather.flatten({"long": "x" * 10_000})["long"]) == gather.MAX_PARAM


def test_the_identity_of_the_days():
    accounts = [
        {"received": 12, "duplicates": 1, "quarantined": {"user_id missing": 1, "price negative": 2}},
        {"received": 3, "duplicates": 0, "quarantined": {}, "capped": 1},
    ]
    counts = gather.count(accounts, events(4, 2), events(3))
    assert (counts.events, counts.learned, counts.held_out, counts.quarantined, counts.capped) == (
        14,
        6,
        3,
        3,
        1,
    )
    assert counts.unaccounted == 1  # one of the 14 is nowhere
    assert gather.count_metrics(counts, {"replay": 5})["events/unaccounted"] == 1.0


def test_metrics_have_readable_names_and_only_numbers():
    summary = {
        "performance": 0.4,
        "forgetting": None,
        "headline": "recall_at_20",
        "models": {
            "candidate": {task: {"recall_at_20": 0.2} for task in ("old", "new", "own")},
            "champion": {task: {"recall_at_20": None} for task in ("old", "new")}
            | {"own": {"recall_at_20": 0.3, "mrr": 0.1}},
        },
        "at_random": {"recall_at_20": 0.05},
        "weeks": {"2017-W24": {"rows": 4, "candidate": 0.3, "best_ever": None}},
        "overlap": 0.75,
        "rows": {"old": 10},
        "slices": [{"slice": "department/DELI & CAFÉ, hot", "rows": 3, "candidate": 0.5}],
    }
    finding = {
        "rule": "old task",
        "interval": {"estimate": -0.1, "low": -0.2, "high": 0.0},
        "detectable": 0.12,
    }
    verdict = {
        "blessed": True,
        "findings": [finding, {"rule": "floor", "interval": None, "detectable": None}],
    }
    report = {"seconds": 1.5, "loss_last": float("nan"), "rows_trained": 200.0}
    found = gather.loggable(gather.metrics(summary, verdict, report))
    assert found == {
        "performance": 0.4,
        "old/recall_at_20": 0.2,
        "new/recall_at_20": 0.2,
        "own/recall_at_20": 0.2,
        "rows/evaluated_old": 10.0,
        "slice/department/DELI _ CAFÉ_ hot/recall_at_20": 0.5,
        "gate/old task/estimate": -0.1,
        "gate/old task/low": -0.2,
        "gate/old task/high": 0.0,
        "gate/old task/detectable": 0.12,
        "gate/blessed": 1.0,
        "train/seconds": 1.5,
        "train/rows_trained": 200.0,
        "cost/row_epochs": 200.0,
        "champion/own/mrr": 0.1,
        "champion/own/recall_at_20": 0.3,
        "next_day/recall_at_20": 0.3,
        "forward_transfer": 0.25,
        "next_day/mrr": 0.1,
        "week/2017-W24/recall_at_20": 0.3,
        "overlap_at_20/champion": 0.75,
    }


def test_there_is_no_forward_transfer_where_nothing_was_measured():
    own = {"recall_at_20": None, "mrr": 0.1}
    assert gather.forward_transfer(own, {"recall_at_20": 0.05}, "recall_at_20") is None
    assert gather.forward_transfer(own, {"recall_at_20": 0.05}, "mrr") is None
