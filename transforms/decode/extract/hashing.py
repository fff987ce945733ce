"""md5 of many texts.

Belongs here: columns of texts -> their hashes. Does not belong here: what the text is.
"""

from __future__ import annotations

from types import TracebackType

import duckdb
import pyarrow as pa

from transforms.decode.units import content_hash

_FEW = 10_000  # below this, starting an engine costs more than it saves


class ContentHasher:
    """Hashes columns one after the other; its engine is started once, by the first column that is worth it."""

    def __init__(self) -> None:
        self._engine: duckdb.DuckDBPyConnection | None = None

    def __enter__(self) -> ContentHasher:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._engine is not None:
            self._engine.close()

    def hashes(self, texts: pa.Array) -> pa.Array:
        """md5 of each text's UTF-8, lower-case hex; null stays null."""
        if len(texts) < _FEW and self._engine is None:
            values = [None if text is None else content_hash(text.encode()) for text in texts.to_pylist()]
            return pa.array(values, pa.string())
        if self._engine is None:
            # No temporary directory: values must never reach the disk in the clear.
            self._engine = duckdb.connect(":memory:", config={"temp_directory": "", "threads": 1})
        self._engine.register("content", pa.table({"text": texts}))
        hashes = self._engine.execute("select md5(text) as hash from content").to_arrow_table()
        self._engine.unregister("content")
        return hashes.column("hash").combine_chunks().cast(pa.string())
