"""A model made again from what made it: equal, or what differs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from components.trainer.run_fn import STATE, learn_files
from components.trainer.state import ModelState


def reproduce(model: Path, splits: Iterable[Path], base: Path | None, told: Mapping[str, Any]) -> list[str]:
    """Trains from the recorded base, rows and settings and holds the result against the model at `model`.

    Returns a sentence for each thing that differs; none where the two states are equal, bit by bit.
    """
    again, _ = learn_files(splits, base, told)
    return differences(ModelState.load(model / STATE), again.state)


def differences(recorded: ModelState, again: ModelState) -> list[str]:
    """What differs between two model states, a sentence each."""
    if recorded.digest() == again.digest():
        return []
    found = []
    for kind in ("weights", "slots"):
        old, new = getattr(recorded, kind), getattr(again, kind)
        found += [f"{kind}: {name} is in one of the two only" for name in sorted(old.keys() ^ new.keys())]
        for name in sorted(old.keys() & new.keys()):
            if old[name].shape != new[name].shape:
                found.append(f"{kind}: {name} has shape {old[name].shape}, made again {new[name].shape}")
            elif old[name].tobytes() != new[name].tobytes():
                largest = np.abs(old[name].astype(np.float64) - new[name]).max()
                found.append(f"{kind}: {name} differs by up to {largest:.3g}")
    for name in ("config", "spec", "vocabularies", "moments", "spans_learned", "probe_best"):
        if getattr(recorded, name) != getattr(again, name):
            found.append(f"{name} differs")
    for name in ("buffer", "held_out"):
        if not getattr(recorded, name).equals(getattr(again, name)):
            found.append(f"the rows of {name} differ")
    return found
