"""`learn`: a base and rows in, a candidate out; the one function that the pipeline and benchmarks call."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import tensorflow as tf

from components.features.data_state import DataState
from components.features.rows import concat, empty_rows, flat, offsets, scalar
from components.replay import reservoir
from components.replay.identity import canonical
from components.trainer import labels, spectral
from components.trainer.ahead import ahead
from components.trainer.averages import RUNNING, Averages, of_optimizer, running
from components.trainer.compiled import CompiledStep
from components.trainer.config import SHAPE_FIELDS, LearnConfig
from components.trainer.distillation import Distillation
from components.trainer.eviction import alive, evict
from components.trainer.features import FeatureSpec
from components.trainer.fold_in import first_taken, fold_in
from components.trainer.growth import grow
from components.trainer.herding import exemplars
from components.trainer.memory import check_not_held_out, keep_held_out
from components.trainer.model import TwoTower
from components.trainer.moments import Moments, rescaled
from components.trainer.objective import row_weights
from components.trainer.optimizer import RowSparse, fisher, steps_of
from components.trainer.pull import Pull, ewc, l2
from components.trainer.rates import later_share, table_rate, tiny_day
from components.trainer.state import ModelState
from components.trainer.steps import Steps
from components.trainer.vocabulary import Vocabulary
from components.trainer.weights import completed, dense_shapes, initial, widened
from schemas.spans import date_of

DOUBTFUL = 30.0
"""Positives that are too few to tell that nothing is ever taken again."""


@dataclass(frozen=True)
class TrainingRows:
    """What is learned: tables in the layout of `schemas.rows`."""

    new: pa.Table
    replay: pa.Table
    held_out: pa.Table
    """New held-out user-days; only kept, never learned."""
    data: DataState
    """As of the end of the last span that is learned."""
    spans: tuple[int, ...] = field(default=())
    """The spans that are learned, those without a row too; by default those of `new` and `held_out`."""

    corrected: tuple[int, ...] = field(default=())
    """Spans that the base has learned and that have other events by now: `new` holds the difference."""

    def learned_spans(self) -> tuple[int, ...]:
        """Ascending."""
        seen = np.concatenate([np.asarray(scalar(rows, "span")) for rows in (self.new, self.held_out)])
        return tuple(sorted({*self.spans, *(int(span) for span in seen)}))


@dataclass(frozen=True)
class Candidate:
    """A model state that nobody has judged yet."""

    state: ModelState
    report: dict[str, float]
    """loss_first, loss_last, loss_epoch_<n> (mean a weighted positive), rows_new, rows_replay, rows_held_out,
    rows_trained (rows times epochs), epochs, steps, users, items, ids_alone (1 where no category tells who
    takes an item, `labels.py`), seconds, seconds_training, diverged (0 or 1)."""
    attempts: tuple[dict[str, float], ...] = ()
    """The reports of all attempts at the rows, where there was more than one (`react.py`)."""


def learn(base: ModelState | None, rows: TrainingRows, config: LearnConfig) -> Candidate:
    """Learns `rows` on top of `base` (None: from nothing). Deterministic: same arguments, same arrays.

    The order of the rows does not matter. ValueError if a span was learned before, if a row is held out, or
    if the config asks for another shape than the base has.
    """
    started = time.perf_counter()
    tf.config.experimental.enable_op_determinism()
    if base is not None:
        whole = completed(base.weights, base.config, base.spec)
        base = replace(base, weights=whole, slots=widened(base.slots))
    spans = rows.learned_spans()
    _check(base, rows, spans, config)
    table = canonical(concat([rows.new, rows.replay]))
    state = _prepared(base, table, rows, config)
    training = time.perf_counter()
    losses: list[float] = []
    steps = 0
    old = ~np.isin(np.asarray(scalar(table, "span")), spans)
    if table.num_rows:
        state, losses, steps = _trained(state, table, rows.data, config, old, first=base is None)
    last = max((*spans, *state.spans_learned), default=rows.data.span)
    after = replace(
        state,
        buffer=_remembered(base and base.buffer, state, rows, config),
        held_out=keep_held_out(base and base.held_out, rows.held_out, last, config),
        spans_learned=tuple(sorted({*state.spans_learned, *spans})),
    )
    finished = time.perf_counter()
    finite = all(np.isfinite(losses)) and all(np.isfinite(array).all() for array in after.weights.values())
    report = {f"loss_epoch_{epoch}": loss for epoch, loss in enumerate(losses, start=1)}
    report |= {"loss_first": losses[0], "loss_last": losses[-1]} if losses else {}
    report |= {f"rows_{name}": float(getattr(rows, name).num_rows) for name in ("new", "replay", "held_out")}
    report |= {"epochs": float(len(losses)), "rows_trained": float(len(losses) * table.num_rows)}
    report |= {"steps": float(steps), "diverged": float(not finite)}
    report |= {f"{name}s": float(after.vocabularies[name].known) for name in ("user", "item")}
    report |= {"ids_alone": float(after.spec.ids_alone)}
    report |= {"seconds": finished - started, "seconds_training": finished - training}
    return Candidate(after, report)


def _check(base: ModelState | None, rows: TrainingRows, spans: Iterable[int], config: LearnConfig) -> None:
    # Replayed rows passed this check when they were new; a share that was raised since must not bar them.
    check_not_held_out(rows.new, config.holdout_share)
    if base is None:
        return
    for span in spans:
        if span in base.spans_learned and span not in rows.corrected:
            raise ValueError(f"span {span} ({date_of(span)}) was learned before: choose an earlier base")
    for name, shape in dense_shapes(base.config, base.spec).items():
        kernel = base.weights.get(f"{name}/kernel")
        if kernel is None or kernel.shape != shape:
            raise ValueError(
                "the base was learned by another version of Everlearn:"
                " learn all days anew with `everlearn rebuild`"
            )
    for name in SHAPE_FIELDS:
        old, new = getattr(base.config, name), getattr(config, name)
        if old != new:
            raise ValueError(
                f"learn.{name} is {new}, but the base was learned with {old}, which cannot be changed in it:"
                " set it back, or learn all days anew with `everlearn rebuild`"
            )


def _prepared(
    base: ModelState | None, table: pa.Table, rows: TrainingRows, config: LearnConfig
) -> ModelState:
    """The base, or a fresh state, that knows all ids and has moments that count the new values."""
    users, catalogue = rows.data.users, rows.data.catalogue
    spec = base.spec if base else FeatureSpec.detect(users, catalogue)
    ids: dict[str, list[str]] = {
        "user": sorted(set(scalar(table, "user_id").tolist())),
        "item": catalogue.column("item_id").to_pylist(),
    }
    living = alive(rows.data, config.evict_days)
    ids = {name: [one for one in of_name if one in living[name]] for name, of_name in ids.items()}
    ids |= {f"user:{name}": _distinct(users, name) for name in spec.user_categories}
    ids |= {f"item:{name}": _distinct(catalogue, name) for name in spec.item_categories}
    if base is None:
        state = _fresh(spec, ids, table, catalogue, config)
    else:
        state = grow(evict(replace(base, config=config), living), ids)
        state = _folded_in(state, table, rows)
    moments = _moved(state, table)
    if base is not None:
        state = _rescaled(state, moments)
    return replace(state, moments=moments)


def _fresh(
    spec: FeatureSpec, ids: dict[str, list[str]], table: pa.Table, catalogue: pa.Table, config: LearnConfig
) -> ModelState:
    """A state that knows the ids and has learned nothing, but where items begin."""
    nothing = empty_rows(table.schema)
    vocabularies = {name: Vocabulary().append(ids[name]) for name in spec.vocabularies}
    moments = {f"user:{name}": Moments() for name in spec.user_numbers}
    moments |= {f"item:{name}": Moments() for name in spec.item_numbers}
    items = vocabularies["item"]
    places = np.zeros((items.size, 0), np.float32)
    if not config.cosine:
        places = spectral.item_rows(table, items, config.dimension, config.seed)
    spec = replace(spec, labels_tell=labels.tell(catalogue, spec.item_categories, items, places))
    weights = initial(config, spec, vocabularies, _repeats(table))
    if spec.ids_alone or spectral.trusted(places, vocabularies["user"].known, table):
        weights["item/id"][: items.size, : places.shape[1]] += places
    return ModelState(config, spec, weights, {}, vocabularies, moments, nothing, nothing, ())


def _folded_in(state: ModelState, table: pa.Table, rows: TrainingRows) -> ModelState:
    """The grown state, in which items first taken now begin near what their takers took before."""
    spans = set(rows.learned_spans()) - set(state.spans_learned)
    if state.config.cosine or not spans or not table.num_rows:
        return state
    items = state.vocabularies["item"]
    first = first_taken(items, rows.data.item_days, spans)
    return replace(
        state, weights=state.weights | {"item/id": fold_in(state.weights["item/id"], table, items, first)}
    )


def _rescaled(state: ModelState, moments: dict[str, Moments]) -> ModelState:
    """First layers, averaged and as of the last step, under which the new moments change nothing."""
    numbers = {"user": state.spec.user_numbers, "item": state.spec.item_numbers}
    last = rescaled(running(state.weights, state.slots), numbers, state.moments, moments)
    moved = {RUNNING + name: array for name, array in last.items() if RUNNING + name in state.slots}
    weights = rescaled(state.weights, numbers, state.moments, moments)
    return replace(state, weights=weights, slots=state.slots | moved)


def _repeats(table: pa.Table) -> float:
    """The share of positives that the user had taken before, of those who had taken anything; never 0."""
    had = np.repeat(np.diff(offsets(table, "history_item")) > 0, np.diff(offsets(table, "item_id")))
    again = np.asarray(flat(table, "times_before"))[had] > 0
    return (float(again.sum()) + 1.0) / (len(again) + DOUBTFUL)


def _distinct(table: pa.Table, name: str) -> list[str]:
    if name not in table.column_names:
        return []
    return sorted(one for one in table.column(name).unique().to_pylist() if one)


def _moved(state: ModelState, table: pa.Table) -> dict[str, Moments]:
    """Moments after the values of the rows: of users one a row, of items one a positive."""
    moved = dict(state.moments)
    for key, moments in state.moments.items():
        kind, name = key.split(":", 1)
        if f"{kind}_{name}" in table.column_names:
            values = pa.concat_arrays([chunk.flatten() for chunk in table.column(f"{kind}_{name}").chunks])
            moved[key] = moments.update(values.to_numpy(zero_copy_only=False))
    return moved


def _remembered(
    buffer: pa.Table | None, state: ModelState, rows: TrainingRows, config: LearnConfig
) -> pa.Table:
    """The replay memory after the new rows were learned. state: with the weights of after."""
    if config.replay.memory != "herding":
        return reservoir.add(buffer, rows.new, config.replay, config.seed)
    pool = canonical(rows.new if buffer is None else concat([buffer, rows.new]))
    return exemplars(state, rows.data, pool, config.replay.capacity).combine_chunks()


def _trained(
    state: ModelState, table: pa.Table, data: DataState, config: LearnConfig, old: np.ndarray, *, first: bool
) -> tuple[ModelState, list[float], int]:
    """The state after some epochs, their mean losses, the number of steps."""
    model = TwoTower(replace(state, weights=running(state.weights, state.slots)))
    averages = Averages(model.query_variables, state.weights, config.average_steps)
    share = 1.0
    if not first:
        share = later_share(steps_of(state.slots), config) * tiny_day(table.num_rows, config.batch_rows)
    rates = share * table_rate(config, state.spec), share * config.dense_rate
    pull = None if first or not config.pull else _pull(state, model, rates)
    slots = of_optimizer(state.slots)
    optimizer = RowSparse(model.table_variables, model.dense_variables, *rates, slots, pull)
    of_rows = None if config.old_share is None else row_weights(old, config.old_share)
    steps = Steps(state, table, data, config, of_rows)
    distillation = None
    if config.distill and not first:
        new_spans = np.unique(steps.spans[~old]) if old.any() else np.zeros(0, np.int64)
        distillation = Distillation(TwoTower(state), config.distill, config.distill_temperature, new_spans)
    step = CompiledStep(model, optimizer, steps, data, averages, distillation)
    losses, count = [], 0
    for epoch in range(config.first_epochs if first else config.epochs):
        rng = np.random.default_rng([config.seed, data.span, epoch])
        summed = []
        for inputs in ahead(map(step.inputs, steps.epoch(rng))):
            summed.append(step(inputs))
            count += 1
        losses.append(float(np.sum([one.numpy() for one in summed], dtype=np.float64) / steps.weights.sum()))
    weights, slots = model.arrays() | averages.served(), optimizer.slots() | averages.slots()
    return replace(state, weights=weights, slots=slots), losses, count


def _pull(state: ModelState, model: TwoTower, rates: tuple[float, float]) -> Pull:
    names = dict.fromkeys(model.table_variables, rates[0]) | dict.fromkeys(model.dense_variables, rates[1])
    alpha = state.config.pull
    if state.config.pull_by == "l2" or not state.slots:
        return Pull(state.weights, l2(names, alpha))
    return Pull(state.weights, ewc(names, fisher(state.slots, names), alpha))
