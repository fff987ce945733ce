"""md5 of many texts.

Belongs here: a column of texts -> their hashes. Does not belong here: what the text is.
"""

from __future__ import annotations

import duckdb
import pyarrow as pa

from transforms.decode.units import content_hash

_FEW = 10_000  # below this, starting an engine costs more than it saves


def content_hashes(texts: pa.Array) -> pa.Array:
    """md5 of each text's UTF-8, lower-case hex; null stays null."""
    if len(texts) < _FEW:
        values = [None if text is None else content_hash(text.encode()) for text in texts.to_pylist()]
        return pa.array(values, pa.string())
    # No temporary directory: values must never reach the disk in the clear.
    with duckdb.connect(":memory:", config={"temp_directory": ""}) as engine:
        engine.register("content", pa.table({"text": texts}))
        hashes = engine.execute("select md5(text) as hash from content").to_arrow_table()
    return hashes.column("hash").combine_chunks().cast(pa.string())
