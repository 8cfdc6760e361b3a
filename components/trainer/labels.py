"""Whether the categories of items say who takes them.

    R²_adj = 1 − (within / (n − G)) / (total / (n − 1))        Ezekiel (1930)

the share of the spread of n items' places that lies between the G values of a category, less what G values
at random would reach. The places are those of `spectral`: near one another where the same people take two
items. A column of labels that tell nothing of it is no reason to expect less of ids.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.trainer.vocabulary import Vocabulary

LITTLE = 0.05
"""A share up to which a category tells next to nothing."""
CERTAIN = 3.0
"""Deviations of what chance reaches that a share is above, where there are few items a value."""


def tell(catalogue: pa.Table, categories: Sequence[str], items: Vocabulary, places: np.ndarray) -> bool:
    """Whether one of the categories does. places: float [items.size, width]; rows of zeros are not known.

    True too where no place is known: then nothing speaks against what somebody found worth a column.
    """
    known = np.flatnonzero(places.any(axis=1))
    if not len(known):
        return True
    where = pc.index_in(pa.array(items.ids, pa.string()), catalogue.column("item_id").combine_chunks())
    of_known = where.take(pa.array(known - 1))
    return any(
        share_between(places[known], catalogue.column(name).take(of_known)) > LITTLE for name in categories
    )


def share_between(places: np.ndarray, labels: pa.ChunkedArray) -> float:
    """R²_adj of float [n, width] by n labels, missing ones being one value; 0 where it may be chance."""
    groups = np.unique(np.array([one or "" for one in labels.to_pylist()]), return_inverse=True)[1]
    items, values = len(groups), int(groups.max()) + 1
    total = ((places - places.mean(axis=0)) ** 2).sum()
    if values in (1, items) or not total:
        return 0.0
    counts = np.bincount(groups)[:, None]
    sums = np.stack([np.bincount(groups, column) for column in places.T], axis=1)
    within = ((places - (sums / counts)[groups]) ** 2).sum()
    share = 1.0 - within / (items - values) / (total / (items - 1))
    by_chance = np.sqrt(2.0 * (values - 1)) / (items - values)
    return float(share) if share > CERTAIN * by_chance else 0.0
