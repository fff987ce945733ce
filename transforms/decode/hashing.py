"""md5 of many texts.

Belongs here: columns of texts -> their hashes. Does not belong here: what the text is.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from transforms.decode.engine import Engine
from transforms.decode.units import content_hash

# Starting an engine takes as long as hashing some thousands of texts, and asking it as long as some hundreds.
_START, _ASK = 10_000, 1_000


@dataclass
class ContentHasher:
    """Hashes columns one after the other; it starts the engine once there have been enough."""

    engine: Engine
    _hashed: int = 0

    def hashes(self, texts: pa.Array) -> pa.Array:
        """md5 of each text's UTF-8, lower-case hex; null stays null."""
        self._hashed += len(texts)
        if len(texts) < _ASK or (self._hashed < _START and not self.engine.is_started):
            values = [None if text is None else content_hash(text.encode()) for text in texts.to_pylist()]
            return pa.array(values, pa.string())
        found = self.engine.connection.from_arrow(pa.table({"text": texts})).project("md5(text) as hash")
        return found.to_arrow_table().column("hash").combine_chunks().cast(pa.string())
