"""ADER's protocol on DIGINETICA: python -m benchmarks.ader --data diginetica-ader.parquet [--quick | --full]

The data are not part of this repository and never copied: a Parquet file with the item views that the authors
published (github.com/DoubleMuL/ADER), columns period (0 to 16), session_id, item_id (from 1 in the order of
first views) and row (the order inside a period). --quick does the first four updates, --full all sixteen;
both go on after the last whole update.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from pipelines import environment

RESULTS = Path(__file__).parents[1] / "results" / "ader"
QUICK, FULL = "quick", "full"
UPDATES = {QUICK: 4, FULL: 16}
LINES = {
    QUICK: "session kNN,bags,fine-tune,replay",
    FULL: "session kNN,fine-tune,replay,herding",
}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="the Parquet file")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", dest="size", action="store_const", const=QUICK, help="4 updates (default)")
    size.add_argument("--full", dest="size", action="store_const", const=FULL, help="16 updates; hours")
    parser.add_argument("--lines", help="names with commas between; `joint` costs the most by far")
    parser.add_argument("--seeds", default="0", help="numbers with commas between")
    parser.add_argument("--work", type=Path, default=Path(".everlearn/benchmarks/ader"), help="checkpoints")
    parser.add_argument("--out", type=Path, help="by default benchmarks/results/ader/<size>")
    parser.set_defaults(size=QUICK)
    return parser.parse_args()


def main() -> None:
    asked = arguments()
    environment.prepare()
    from benchmarks.ader import lines, report, sessions
    from benchmarks.ader.protocol import walk

    periods = sessions.read(asked.data)
    found: report.Found = {}
    for name in (asked.lines or LINES[asked.size]).split(","):
        for seed in [0] if name == lines.KNN else [int(one) for one in asked.seeds.split(",")]:
            work = asked.work / f"{name.replace(' ', '-')}-{seed}"
            for update in walk(lines.line(name, seed), periods, UPDATES[asked.size], work):
                found.setdefault((name, seed), []).append(update)
                print(f"{name}, seed {seed}: {update}", flush=True)
            report.write(found, asked.size, asked.out or RESULTS / asked.size)


if __name__ == "__main__":
    main()
