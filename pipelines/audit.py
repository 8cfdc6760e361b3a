"""`everlearn audit`: the champion's lineage, from MLMD and the serving folder, as evidence."""

from __future__ import annotations

from pathlib import Path

from tfx.types.standard_artifacts import Examples

from components.audit.audit import NEW, REPLAY, Audit, Evidence, Learned, audit
from components.base import lookup
from components.base.training import training_of
from components.events.store import EVENTS_FILE, spans_in
from components.replay.prepare import BUFFER_FILE
from components.trainer.run_fn import STATE
from pipelines import metadata
from schemas import lineage
from schemas.home import Home


def of_champion(home: Home) -> tuple[lineage.Lineage, Audit]:
    """The champion and what its line learned, held against all accepted events up to its day."""
    champion = lineage.champion(home.serving)
    if champion is None:
        raise ValueError("there is no champion to audit yet: run `everlearn bootstrap` first")
    store = metadata.store(home)
    line = []
    for one in lineage.learned_line(home.serving, champion.version):
        training = training_of(store, one.model_uri)
        folders = {split: training.rows / f"Split-{split}" for split in (NEW, REPLAY)}
        line.append(
            Learned(one.version, folders[NEW], folders[REPLAY], training.told["config"]["holdout_share"])
        )
    rows = lookup.feature_rows(lookup.live(store, Examples))
    days = {one.id: one for one in (lookup.handed_on(store, made) for made in rows)}.values()
    files = [
        (one.id, span, Path(one.uri) / str(span) / EVENTS_FILE) for one in days for span in spans_in(one.uri)
    ]
    (then,) = lookup.learned_with(store, home.serving, champion.version)
    weights = champion.config["events"]["behavior_weights"]
    evidence = Evidence(
        line=line,
        buffer=Path(champion.model_uri) / STATE / BUFFER_FILE,
        spans_learned=frozenset(champion.spans_learned),
        events={span: file for _, span, file in files if span <= champion.span},
        given={span: file for made, span, file in files if made < then.id},
        ever=[file for _, _, file in files],
        behaviors=[name for name, weight in weights.items() if weight > 0],
    )
    return champion, audit(evidence)
