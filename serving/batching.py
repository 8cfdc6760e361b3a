"""Micro-batching: concurrent requests for one signature run as one, as in TF Serving."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field

import numpy as np

from serving.errors import ApiError, Code, invalid

log = logging.getLogger(__name__)

Tensors = Mapping[str, np.ndarray]
Work = Callable[[Tensors], dict[str, np.ndarray]]


@dataclass(frozen=True)
class Batching:
    """TF Serving's parameters, with its names and defaults."""

    max_batch_size: int = 1000
    """Rows in a batch; a request with more is refused."""
    batch_timeout_micros: int = 0
    """How long a batch that is not full waits for more; 0: no longer than until a thread is free."""
    num_batch_threads: int = field(default_factory=lambda: os.cpu_count() or 1)
    max_enqueued_batches: int = 10
    """Batches that wait a signature; beyond, requests are answered 503."""


@dataclass
class _Task:
    inputs: Tensors
    rows: int
    answer: Future[dict[str, np.ndarray]] = field(default_factory=Future)


@dataclass
class _Batch:
    work: Work
    due: float
    tasks: list[_Task] = field(default_factory=list)
    rows: int = 0


class Batcher:
    """The batch threads of one server, and the queue of each key."""

    def __init__(self, settings: Batching) -> None:
        self._settings = settings
        self._queues: dict[Hashable, deque[_Batch]] = {}
        self._changed = threading.Condition()
        for number in range(settings.num_batch_threads):
            threading.Thread(target=self._serve, name=f"batch-{number}", daemon=True).start()

    def submit(self, key: Hashable, inputs: Tensors, work: Work) -> Future[dict[str, np.ndarray]]:
        """`work(inputs)`, together with other requests of that key whose rows have the same shape.

        Inputs without a common batch dimension run alone. ApiError 503 where the queue is full; the future
        raises whatever `work` raises for these inputs alone. Cancelled before it runs, it never does.
        """
        limit = self._settings.max_batch_size
        rows = _rows(inputs) or limit  # such a batch is full
        if rows > limit:
            raise invalid(f"Task size {rows} is larger than maximum input batch size {limit}")
        shapes = tuple((name, array.dtype.str, array.shape[1:]) for name, array in sorted(inputs.items()))
        task = _Task(inputs, rows)
        with self._changed:
            self._enqueue((key, shapes), task, work)
            self._changed.notify()
        return task.answer

    def _enqueue(self, key: Hashable, task: _Task, work: Work) -> None:
        queue = self._queues.setdefault(key, deque())
        if not queue or queue[-1].rows + task.rows > self._settings.max_batch_size:
            if len(queue) >= self._settings.max_enqueued_batches:
                raise ApiError(
                    Code.UNAVAILABLE,
                    "The batch scheduling queue to which this task was submitted is full; currently "
                    f"{len(queue)} batches enqueued and max_enqueued_batches is "
                    f"{self._settings.max_enqueued_batches}",
                )
            queue.append(_Batch(work, time.monotonic() + self._settings.batch_timeout_micros / 1e6))
        queue[-1].tasks.append(task)
        queue[-1].rows += task.rows

    def _serve(self) -> None:
        while True:
            with self._changed:
                while (batch := self._next()) is None:
                    self._changed.wait(self._patience())
            _execute(batch)
            del batch  # an idle thread must not keep a model that is unloaded

    def _next(self) -> _Batch | None:
        """The batch that has been due longest, out of its queue; None where all of them may still grow."""
        now, full = time.monotonic(), self._settings.max_batch_size
        ready = [
            (queue[0].due, key)
            for key, queue in self._queues.items()
            if queue[0].due <= now or len(queue) > 1 or queue[0].rows >= full
        ]
        if not ready:
            return None
        _, key = min(ready, key=lambda one: one[0])
        batch = self._queues[key].popleft()
        if not self._queues[key]:
            del self._queues[key]
        return batch

    def _patience(self) -> float | None:
        """Seconds until some batch is due; None where none waits."""
        due = min((queue[0].due for queue in self._queues.values()), default=None)
        return None if due is None else max(0.0, due - time.monotonic())


def _rows(inputs: Tensors) -> int | None:
    """The common batch dimension; None where there is none."""
    sizes = {array.shape[0] if array.ndim else 0 for array in inputs.values()}
    return sizes.pop() or None if len(sizes) == 1 else None


def _execute(batch: _Batch) -> None:
    """Answers every task that somebody still waits for, whatever happens."""
    tasks = [task for task in batch.tasks if task.answer.set_running_or_notify_cancel()]
    if len(tasks) > 1 and _together(batch.work, tasks):
        return
    for task in tasks:
        _alone(batch.work, task)


def _alone(work: Work, task: _Task) -> None:
    try:
        task.answer.set_result(work(task.inputs))
    except BaseException as error:
        task.answer.set_exception(error)


def _together(work: Work, tasks: list[_Task]) -> bool:
    """Whether the batch could be answered as one; if not, nobody gets an error that is another's."""
    try:
        names = tasks[0].inputs
        outputs = work({name: np.concatenate([task.inputs[name] for task in tasks]) for name in names})
    except Exception as error:  # anything: each request then runs alone and gets its own error
        log.debug("A batch of %d requests failed and runs one by one: %s", len(tasks), error)
        return False
    if any(array.ndim == 0 or len(array) != sum(task.rows for task in tasks) for array in outputs.values()):
        return False
    start = 0
    for task in tasks:
        stop = start + task.rows
        task.answer.set_result({name: array[start:stop] for name, array in outputs.items()})
        start = stop
    return True
