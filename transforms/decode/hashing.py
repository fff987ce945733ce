"""md5 of many texts.

Belongs here: columns of texts -> their hashes. Does not belong here: what the text is.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from transforms.decode.engine import Engine
from transforms.decode.units import content_hash

_FEW = 10_000  # below this, starting an engine costs more than it saves


@dataclass(frozen=True)
class ContentHasher:
    """Hashes columns one after the other; the first column that is worth it starts the engine."""

    engine: Engine

    def hashes(self, texts: pa.Array) -> pa.Array:
        """md5 of each text's UTF-8, lower-case hex; null stays null."""
        if len(texts) < _FEW and not self.engine.is_started:
            values = [None if text is None else content_hash(text.encode()) for text in texts.to_pylist()]
            return pa.array(values, pa.string())
        found = self.engine.connection.from_arrow(pa.table({"text": texts})).project("md5(text) as hash")
        return found.to_arrow_table().column("hash").combine_chunks().cast(pa.string())
