"""python -m benchmarks.serving [--quick]

For catalogues of 10,000, 68,000 and a million items: the raw call in one process; the embedded server with
and without batching at 1, 8 and 32 clients; a switch under 32 clients; starts. Beside them peers on one of
the catalogues, each in an environment that is built with uv where it is missing (2 GB each). Server and load
generator share this machine's cores. Results: benchmarks/results/serving*.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

import psutil

from benchmarks.serving import measure, model, precision, report, servers

PEERS_AT = 68_000
QUICK = {"items": [10_000, 68_000], "seconds": 1.5, "peers": ["litserve"], "precision_items": 100_000}
FULL = {"items": [10_000, 68_000, 1_000_000], "seconds": 4.0, "peers": [*servers.QUESTIONS]}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="two minutes: two catalogues, one peer")
    parser.add_argument("--items", type=int, nargs="+", help="catalogues")
    parser.add_argument("--seconds", type=float, help="of each measurement")
    parser.add_argument("--peers", nargs="*", choices=[*servers.QUESTIONS], help=f"beside {PEERS_AT:,} items")
    parser.add_argument("--precision-items", type=int, default=1_000_000, help="0 leaves that table out")
    chosen = parser.parse_known_args()[0]
    parser.set_defaults(**(QUICK if chosen.quick else FULL))
    return parser.parse_args()


def main() -> None:
    options = arguments()
    busy = os.getloadavg()[0]
    for name in options.peers:
        servers.environment(name)
    measured = measure.Measured()
    with tempfile.TemporaryDirectory(prefix="serving-") as scratch:
        for items in options.items:
            peers = options.peers if items == PEERS_AT else []
            measure.catalogue(measured, items, options.seconds, peers, Path(scratch))
    precisions: list[precision.Precision] = []
    bandwidth = 0.0
    if options.precision_items:
        bandwidth = precision.read_bandwidth()
        for one in precision.measure(options.precision_items, repeats=5 if options.quick else 15):
            print(one, flush=True)
            precisions.append(one)
    about = (
        f"`recommend`, k = {model.K}, {model.DIMENSION} dimensions, the export of a small shop with more "
        f"items; {psutil.cpu_count()} cores shared with the load generator and whatever else ran (load "
        f"{busy:.1f} before, {os.getloadavg()[0]:.1f} after). Batches of up to 32 that wait at most 1 ms, "
        "here as at the peers; `at once`: that wait for nobody. `cpu_ms` is what the server's processes burn "
        "for a request, whatever else "
        "runs; 0 where it was not measured. Made by "
        f"`python -m benchmarks.serving{' --quick' if options.quick else ''}`."
    )
    report.write(measured, precisions, bandwidth, about)


if __name__ == "__main__":
    main()
