"""All that a model is, between two learns: weights, optimiser slots, vocabularies, moments, memories."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from components.features.digest import of_table
from components.features.rows import flat, offsets
from components.replay.prepare import BUFFER_FILE, HELD_OUT_FILE, META_FILE
from components.trainer.config import LearnConfig
from components.trainer.features import FeatureSpec
from components.trainer.moments import Moments
from components.trainer.vocabulary import Vocabulary

_WEIGHTS, _SLOTS = "weights.npz", "slots.npz"
_VOCABULARIES = "vocabularies.parquet"


@dataclass(frozen=True)
class ModelState:
    """Immutable; `learn` makes the next one. Arrays must not be written to."""

    config: LearnConfig
    """What it was learned with; decides the shapes, and says how to learn on."""
    spec: FeatureSpec
    weights: dict[str, np.ndarray]
    slots: dict[str, np.ndarray]
    """Optimiser slots, iteration counters, what was averaged as of the last step; empty before the first."""
    vocabularies: dict[str, Vocabulary]
    """`user`, `item`, and one a category column: `user:<column>`, `item:<column>`."""
    moments: dict[str, Moments]
    """One a numeric column: `user:<column>`, `item:<column>`."""
    buffer: pa.Table
    """Rows: the replay reservoir."""
    held_out: pa.Table
    """Rows: held-out user-days of the spans learned, the trailing ones whole, older ones bounded."""
    spans_learned: tuple[int, ...]
    probe_best: dict[str, float] = field(default_factory=dict)
    """Best value so far of each week of the probe half (`probe.py`); empty where nothing reacts."""

    def save(self, folder: Path) -> None:
        """Writes the files of the state into `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(folder / _WEIGHTS, **self.weights)
        np.savez(folder / _SLOTS, **self.slots)
        pq.write_table(self._vocabulary_table(), folder / _VOCABULARIES)
        pq.write_table(self.buffer, folder / BUFFER_FILE)
        pq.write_table(self.held_out, folder / HELD_OUT_FILE)
        (folder / META_FILE).write_text(json.dumps(self._meta(), indent=2, sort_keys=True))

    @classmethod
    def load(cls, folder: Path) -> ModelState:
        """Reads what `save` wrote; FileNotFoundError where `folder` holds no state."""
        meta = json.loads((folder / META_FILE).read_text())
        spec = FeatureSpec.from_json(meta["spec"])
        names = pq.read_table(folder / _VOCABULARIES)
        ids: dict[str, list[str]] = {name: [] for name in spec.vocabularies}
        for name, one in zip(names["vocabulary"].to_pylist(), names["id"].to_pylist(), strict=True):
            ids[name].append(one)
        return cls(
            config=LearnConfig.model_validate(meta["config"]),
            spec=spec,
            weights=_read_arrays(folder / _WEIGHTS),
            slots=_read_arrays(folder / _SLOTS),
            vocabularies={name: Vocabulary(tuple(of_name)) for name, of_name in ids.items()},
            moments={name: Moments(**fields) for name, fields in meta["moments"].items()},
            buffer=pq.read_table(folder / BUFFER_FILE),
            held_out=pq.read_table(folder / HELD_OUT_FILE),
            spans_learned=tuple(meta["spans_learned"]),
            probe_best=meta.get("probe_best", {}),
        )

    def digest(self) -> str:
        """SHA-256 over everything in the state, whatever files it lies in."""
        total = hashlib.sha256(json.dumps(self._meta(), sort_keys=True).encode())
        for arrays in (self.weights, self.slots):
            for name, array in sorted(arrays.items()):
                total.update(f"{name}\0{array.shape}\0{array.dtype}\0".encode())
                total.update(np.ascontiguousarray(array).tobytes())
        total.update(of_table(self._vocabulary_table()).encode())
        for rows in (self.buffer, self.held_out):
            for name in rows.column_names:
                total.update(of_table(pa.table({name: flat(rows, name)})).encode())
                total.update(offsets(rows, name).tobytes())
        return total.hexdigest()

    def _meta(self) -> dict:
        return {
            "config": self.config.model_dump(mode="json"),
            "spec": self.spec.to_json(),
            "moments": {name: asdict(one) for name, one in self.moments.items()},
            "spans_learned": list(self.spans_learned),
            "probe_best": self.probe_best,
        }

    def _vocabulary_table(self) -> pa.Table:
        pairs = [(name, one) for name, of_name in self.vocabularies.items() for one in of_name.ids]
        return pa.table(
            {
                "vocabulary": pa.array([name for name, _ in pairs], pa.string()),
                "id": pa.array([one for _, one in pairs], pa.string()),
            }
        )


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as arrays:
        return {name: arrays[name] for name in arrays.files}
