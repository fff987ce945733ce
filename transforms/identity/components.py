"""Connected components of patient records, before anything is barred.

Whole arrays instead of records one by one: each round a component takes the smallest name that a pair brings it, then every record the name
of its name, so that chains halve from round to round.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def components(records: pa.Array, left: pa.Array, right: pa.Array) -> pa.Array:
    """Give for each record the smallest record that it is connected with.

    records: keys, rising. left, right: the two ends of each pair, all among `records`.
    """
    name = np.arange(len(records))
    one, other = (pc.index_in(end, value_set=records).to_numpy(zero_copy_only=False) for end in (left, right))
    while True:
        near, far = name[one], name[other]
        apart = near != far
        if not apart.any():
            return records.take(pa.array(name))
        # pairs inside a component have said all they can
        one, other, near, far = (ends[apart] for ends in (one, other, near, far))
        np.minimum.at(name, np.maximum(near, far), np.minimum(near, far))
        while ((above := name[name]) != name).any():
            name = above
