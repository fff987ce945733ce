"""What has been extracted before: the same SQL over the same columns by the same code gives the same lineage."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from lineage.edges import Edge, ModelLineage
from lineage.extract import Schemas
from lineage.manifest import ModelNode

_EXTRACTOR = ("edges.py", "json_path.py", "classify.py", "scope_walk.py", "extract.py")


@cache
def extractor_version() -> str:
    """Version of what extracts: sqlglot's, and the hash of our own modules."""
    own = sha256(b"".join((Path(__file__).parent / name).read_bytes() for name in _EXTRACTOR)).hexdigest()[:16]
    return f"sqlglot {version('sqlglot')} {own}"


class LineageCache:
    """Extracted lineage by key, kept in a file where one is given."""

    def __init__(self, path: Path | None = None) -> None:
        """Read the file; one that is missing or torn is an empty cache."""
        self._path = path
        self._stored: dict[str, dict[str, object]] = {}
        self.misses = 0
        if path is not None and path.exists():
            try:
                self._stored = json.loads(path.read_text())
            except ValueError:
                self._stored = {}

    def get(self, node: ModelNode, schemas: Schemas, extract: Callable[[str, Schemas], ModelLineage]) -> ModelLineage:
        """The lineage of a model, extracted where it is not known. Lets `extract`'s errors through."""
        key = self._key(node, schemas)
        if key in self._stored:
            return _load(self._stored[key])
        self.misses += 1
        found = extract(node.sql, schemas)
        if found.reads <= set(node.reads):  # the key knows no other relations
            self._stored[key] = _dump(found)
        return found

    def save(self) -> None:
        """Write the file whole or not at all."""
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        part = self._path.with_name(self._path.name + ".part")
        part.write_text(json.dumps(self._stored))
        part.replace(self._path)

    @staticmethod
    def _key(node: ModelNode, schemas: Schemas) -> str:
        read = {asset: sorted(schemas.types(asset).items()) for asset in node.reads}
        return sha256(json.dumps([extractor_version(), schemas.dialect, node.sql, read]).encode()).hexdigest()


def _dump(found: ModelLineage) -> dict[str, object]:
    return {
        "columns": {column: sorted(edges) for column, edges in found.columns.items()},
        "influence": sorted(found.influence), "expressions": found.expressions, "reads": sorted(found.reads),
        "opaque": found.opaque,
    }


def _load(stored: dict[str, object]) -> ModelLineage:
    content: dict = stored  # type: ignore[type-arg]  # JSON that `_dump` wrote
    return ModelLineage(
        {column: {Edge(*edge) for edge in edges} for column, edges in content["columns"].items()},
        {Edge(*edge) for edge in content["influence"]}, dict(content["expressions"]), set(content["reads"]),
        content["opaque"])
