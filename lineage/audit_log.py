"""Reading the audit log: entries, checkpoints and proofs. Opens the catalog store read-only."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from transforms.errors import UnavailableError
from transforms.governance.merkle import (
    TILE_HEIGHT,
    TILE_WIDTH,
    inclusion_proof,
    node_hash,
    split_point,
    tree_root,
)


@dataclass(frozen=True)
class Entry:
    """One entry: its ordinal, its exact text and what that says."""

    seq: int
    text: str
    leaf: bytes
    time: datetime
    kind: str
    actor: str
    subject: str
    run_id: str
    body: dict[str, object]
    detail: str | None
    """What a person wrote; None where nothing was, or where it has been erased."""


@dataclass(frozen=True)
class InclusionProof:
    """What shows an entry to be in the log whose root a checkpoint signs; checked without the log."""

    seq: int
    size: int
    leaf: bytes
    siblings: tuple[bytes, ...]
    root: bytes
    note: str


@contextmanager
def open_catalog(path: Path) -> Iterator[sqlite3.Connection]:
    """The catalog store for reading. Raises UnavailableError where there is none."""
    if not path.exists():
        raise UnavailableError(f"there is no catalog store at {path}; a run makes it")
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5)
    connection.row_factory = sqlite3.Row
    try:
        yield connection
    finally:
        connection.close()


def read_anchors(path: Path) -> tuple[str, ...]:
    """The notes of an anchors file, oldest first. A torn last line (a crash while writing) is left out."""
    notes = []
    lines = path.read_text(encoding="utf-8").split("\n")
    for line in lines[:-1]:
        notes.append(str(json.loads(line)["note"]))
    return tuple(notes)


_SELECT = "select e.seq, e.body, e.leaf, d.detail from entry e left join detail d on d.seq = e.seq"


def entries(
    connection: sqlite3.Connection, kind: str = "", subject: str = "", run_id: str = "", before: int | None = None,
    limit: int = 100,
) -> list[Entry]:
    """The newest entries of a kind, subject and run (each empty: all) with ordinals below `before`, newest first."""
    wanted = [(name, value) for name, value in (("kind", kind), ("subject", subject), ("run_id", run_id)) if value]
    conditions = [f"e.{name} = ?" for name, _ in wanted]
    values: list[object] = [value for _, value in wanted]
    if before is not None:
        conditions.append("e.seq < ?")
        values.append(before)
    where = " where " + " and ".join(conditions) if conditions else ""
    rows = connection.execute(f"{_SELECT}{where} order by e.seq desc limit ?", (*values, limit))
    return [_entry(row) for row in rows]


def every_entry(connection: sqlite3.Connection) -> Iterator[Entry]:
    """Every entry of the log, oldest first, read as it is asked for."""
    for row in connection.execute(f"{_SELECT} order by e.seq"):
        yield _entry(row)


def entry(connection: sqlite3.Connection, seq: int) -> Entry | None:
    """One entry; None where the log has no such ordinal."""
    row = connection.execute(f"{_SELECT} where e.seq = ?", (seq,)).fetchone()
    return _entry(row) if row else None


def log_size(connection: sqlite3.Connection) -> int:
    """How many entries the log has."""
    row = connection.execute("select size from frontier").fetchone()
    return int(row[0]) if row else 0


def newest_checkpoint(connection: sqlite3.Connection) -> tuple[int, str, datetime] | None:
    """Size, note and time of the newest checkpoint."""
    row = connection.execute("select size, note, signed_us from checkpoint order by size desc limit 1").fetchone()
    return (int(row[0]), str(row[1]), _time(row[2])) if row else None


def prove_inclusion(connection: sqlite3.Connection, seq: int) -> InclusionProof | None:
    """The proof that entry `seq` is under the newest checkpoint; None where no checkpoint covers it yet."""
    newest = newest_checkpoint(connection)
    found = entry(connection, seq)
    if newest is None or found is None or seq >= newest[0]:
        return None
    size, note, _ = newest
    tree = StoredTree(connection)
    siblings = tuple(inclusion_proof(seq, size, tree.root_of))
    return InclusionProof(seq, size, found.leaf, siblings, tree.root_of(0, size), note)


class StoredTree:
    """Roots of ranges of the stored log, from tiles where a range holds whole ones."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Read the tiles' roots; leaves are read when asked for."""
        self._db = connection
        self._tiles = dict(connection.execute("select tile, root from tile").fetchall())

    def root_of(self, begin: int, end: int) -> bytes:
        """Root of the entries [begin, end)."""
        count = end - begin
        if count == TILE_WIDTH and begin % TILE_WIDTH == 0 and begin >> TILE_HEIGHT in self._tiles:
            return bytes(self._tiles[begin >> TILE_HEIGHT])
        if count <= TILE_WIDTH:
            return tree_root(self._leaves(begin, end))
        middle = begin + split_point(count)
        return node_hash(self.root_of(begin, middle), self.root_of(middle, end))

    def _leaves(self, begin: int, end: int) -> Sequence[bytes]:
        rows = self._db.execute("select leaf from entry where seq >= ? and seq < ? order by seq", (begin, end))
        return [bytes(row[0]) for row in rows]


def _entry(row: sqlite3.Row) -> Entry:
    said = json.loads(row["body"])
    return Entry(
        int(row["seq"]), row["body"], bytes(row["leaf"]), _time(said["time"]), said["kind"], said["actor"],
        said["subject"], said["run_id"], said["body"], row["detail"])


def _time(microseconds: int) -> datetime:
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC)
