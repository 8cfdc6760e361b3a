"""Item trends as of any of many days at once, for training steps that mix days."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import tensorflow as tf

from components.features.catalogue import NOVEL_DAYS
from components.trainer.inputs import Catalogue
from components.trainer.part import Tensors
from components.trainer.vocabulary import look_up
from schemas.rows import TREND_DAYS


class TrendTable:
    """Cumulated daily counts of items: a trend is the log of a difference of two entries; and novelty.

    Equal to `DataState.trends`, which gives one day for all items.
    """

    def __init__(self, item_days: pa.Table, catalogue: Catalogue, first_span: int, last_span: int) -> None:
        """For rows of the spans `first_span` to `last_span`, both included."""
        self._start = first_span - max(TREND_DAYS)
        days, items = last_span - self._start + 1, len(catalogue.ids)
        day = item_days.column("span").to_numpy() - self._start
        used = (day >= 0) & (day < days - 1)
        # The days of an item lie side by side: the few that a trend reads share a line of the cache.
        counts = np.zeros((items, days), np.float32)
        position = look_up(catalogue.positions, item_days.column("item_id"))
        counts[position[used], day[used] + 1] = item_days.column("events").to_numpy()[used]
        self._days = days
        # Sums of float32 are exact up to 2^24 events of an item.
        self.cumulated = np.cumsum(counts, axis=1, out=counts)
        """float32 [items, days]."""
        self._before = tf.constant(self.cumulated.reshape(-1))
        self._announced = tf.constant(self.days(catalogue.announced))

    def days(self, spans: np.ndarray) -> np.ndarray:
        """Spans as `of` takes them, int32."""
        return (spans - self._start).astype(np.int32)

    def distinct_days(self, spans: np.ndarray) -> dict[str, np.ndarray]:
        """`day` and `day_of` of rows of these spans, as `of_step` takes them."""
        distinct, day_of = np.unique(spans, return_inverse=True)
        return {"day": self.days(distinct), "day_of": day_of.astype(np.int32)}

    def of_step(self, inputs: Tensors) -> dict[str, tf.Tensor]:
        """The trends of a step's candidates, float32 [days, 5, candidates], and past items, float32 [n, 5].

        inputs: int32 `day`, the distinct days, `day_of`, each row's place among them, `candidate_position`,
        `history_position` and `owner`. Rows of a day share its trends.
        """
        day_of_past = tf.gather(inputs["day"], tf.gather(inputs["day_of"], inputs["owner"]))
        return {
            "candidate_trend": self.of(inputs["day"][:, None], inputs["candidate_position"], axis=1),
            "history_trend": self.of(day_of_past, inputs["history_position"]),
        }

    def of(self, days: tf.Tensor, positions: tf.Tensor, axis: int = -1) -> tf.Tensor:
        """float32 [..., 5]: log1p of events in the last 1, 3, 7, 28 days before each day, novelty.

        days, catalogue positions: int32, of shapes that broadcast to [...]. axis: where the five lie.
        """

        def before(back: int) -> tf.Tensor:
            return tf.gather(self._before, positions * self._days + days - back)

        now = before(0)
        counted = [tf.math.log1p(now - before(back)) for back in TREND_DAYS]
        age = tf.clip_by_value(days - tf.gather(self._announced, positions), 0, NOVEL_DAYS - 1)
        novelty = tf.math.log(NOVEL_DAYS / (1.0 + tf.cast(age, tf.float32)))
        return tf.stack([*counted, novelty], axis)
