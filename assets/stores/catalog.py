"""The catalog store's writing side: the audit log and the projections, in one SQLite file.

An entry of the log is never changed: it is a leaf of a Merkle tree whose root is signed at checkpoints and kept
outside, in the anchors file. Events and the projections that belong to them are written in one transaction. Several
processes may write at once: the tree's frontier is read inside the write transaction, so the log cannot fork.

Not here: verifying and asking (`lineage.audit`), the shapes (`transforms.governance`).
"""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from types import TracebackType

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assets.stores.crash_points import reach
from transforms.errors import UnavailableError
from transforms.governance.audit_schema import AUDIT_DDL
from transforms.governance.checkpoint import fingerprint, sign_checkpoint
from transforms.governance.events import Event, entry_text, hash_detail, validate
from transforms.governance.key_events import key_created, key_rotated
from transforms.governance.merkle import Frontier, leaf_hash
from transforms.governance.projection_rows import Projection, Replacement, replacement, table_ddl
from transforms.governance.projections import TABLES

BUSY_SECONDS = 30
CHECKPOINT_ENTRIES = 1000
CHECKPOINT_SECONDS = 60


def utc_now() -> datetime:
    """The clock of the log."""
    return datetime.now(UTC)


class CatalogStore:
    """Appends events and replaces projections. One instance may serve several threads of a process."""

    def __init__(
        self, path: Path, key: Ed25519PrivateKey, anchors: Path | None = None, clock: Callable[[], datetime] = utc_now
    ) -> None:
        """Open the store, making it and its first entry where there is none.

        `anchors` is a file outside the database, best on another volume, to which every checkpoint is appended. A key
        other than the one in force is a rotation and needs `rotate_key`. Raises UnavailableError where the file stays
        locked, ValueError on an unknown key.
        """
        self._key, self._anchors, self._clock = key, anchors, clock
        self._lock = Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        self._db.execute("pragma journal_mode=wal")
        self._db.execute("pragma synchronous=full")
        self._prepare()

    def _prepare(self) -> None:
        public_key = self._key.public_key().public_bytes_raw()
        with self._writing():
            for statement in AUDIT_DDL:
                self._db.execute(statement)
            self._shape_projections()
            newest = self._db.execute("select public_key from signing_key order by since desc limit 1").fetchone()
            if newest is None:
                self._append_entries([key_created(public_key)])
                self._db.execute("insert into signing_key values (?, ?, 0)", (fingerprint(public_key), public_key))
            elif bytes(newest[0]) != public_key:
                raise ValueError("the signing key is not the one in force: restore its file, or rotate the key")

    def _shape_projections(self) -> None:
        """Make the projections. One of another shape is of an older release: derived, so it is made anew, empty."""
        found = dict(self._db.execute("select name, sql from sqlite_master where type = 'table'").fetchall())
        for name, table in TABLES.items():
            wanted = table_ddl(table)
            if found.get(name) != wanted:
                self._db.execute(f"drop table if exists {name}")
                self._db.execute(wanted)
            for columns in table.indexes:
                self._db.execute(f"create index if not exists {name}_by_{'_'.join(columns)} on {name} ({', '.join(columns)})")

    def append(self, events: Sequence[Event]) -> range:
        """Append events in order, all or none; the ordinals of their entries.

        Raises ValueError naming kind and field where an event is not of the closed list or its field not of its form.
        """
        return self.record(events)

    def project(
        self,
        table: str,
        rows: Sequence[Mapping[str, object]],
        scope: Mapping[str, object] | Sequence[Mapping[str, object]],
    ) -> None:
        """Replace the rows of `table` in `scope` (see `Projection`)."""
        self.record((), (Projection(table, rows, scope),))

    def record(self, events: Sequence[Event], projections: Sequence[Projection] = ()) -> range:
        """Events and the projections that belong to them, in one transaction; the ordinals of the new entries."""
        for event in events:
            validate(event)
        replacements = [replacement(projection) for projection in projections]
        with self._writing():
            ordinals, note = self._append_entries(events), None
            for item in replacements:
                self._replace(item)
            if events and self._checkpoint_is_due(ordinals.stop):
                note = self._sign(ordinals.stop, self._key)
            reach("catalog.writing")
        reach("catalog.written")
        self._anchor(note)
        return ordinals

    def checkpoint(self) -> str:
        """Sign the log as it stands, anchor it, and return the note. Called at the end of a run and at shutdown."""
        with self._writing():
            note = self._sign(self._frontier().size, self._key)
        self._anchor(note)
        return note

    def rotate_key(self, new_key: Ed25519PrivateKey) -> None:
        """Put a new signing key in force. The entry that says so holds the new key, signed by the old one."""
        public_key = new_key.public_key().public_bytes_raw()
        with self._writing():
            closing = self._sign(self._frontier().size, self._key)
            since = self._append_entries([key_rotated(self._key, public_key)])
            self._db.execute(
                "insert into signing_key values (?, ?, ?)", (fingerprint(public_key), public_key, since.start))
            note = self._sign(since.stop, new_key)
        self._key = new_key
        self._anchor(closing)
        self._anchor(note)

    def erase_detail(self, seq: int, actor: str) -> None:
        """Erase what a person wrote beside entry `seq`. Proofs stay valid: the log holds only its salted hash."""
        with self._writing():
            self._db.execute("delete from detail where seq = ?", (seq,))
            self._append_entries([Event("detail.erase", f"entry:{seq}", {"entry": seq}, actor=actor)])

    def close(self) -> None:
        """Close the file. The log keeps what was committed; an unsigned rest is signed by the next checkpoint."""
        self._db.close()

    def __enter__(self) -> CatalogStore:
        """The store itself; leaving closes it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._lock:
            try:
                self._db.execute("begin immediate")
            except sqlite3.OperationalError as fault:
                raise UnavailableError(f"the catalog store stayed locked for {BUSY_SECONDS} s; try again") from fault
            try:
                yield
            except BaseException:
                # A full disk has rolled back already; saying it again would hide why.
                if self._db.in_transaction:
                    self._db.execute("rollback")
                raise
            self._db.execute("commit")

    def _frontier(self) -> Frontier:
        """The tree's edge, read inside the write transaction: a kept one would fork the log between two writers."""
        row = self._db.execute("select size, peaks from frontier").fetchone()
        return Frontier.unpack(*row) if row else Frontier()

    def _append_entries(self, events: Sequence[Event]) -> range:
        frontier = self._frontier()
        first = frontier.size
        time_us = int(self._clock().timestamp() * 1_000_000)
        entries, details = [], []
        for seq, event in enumerate(events, start=first):
            digest = None
            if event.detail is not None:
                salt = secrets.token_bytes(16)
                digest = hash_detail(salt, event.detail)
                details.append((seq, salt, event.detail))
            text = entry_text(event, seq, time_us, digest)
            leaf = leaf_hash(text.encode())
            frontier.add(leaf)
            entries.append((seq, text, leaf))
        if entries:
            self._db.executemany("insert into entry (seq, body, leaf) values (?, ?, ?)", entries)
            self._db.executemany("insert into detail values (?, ?, ?)", details)
            self._db.executemany("insert into tile values (?, ?)", frontier.tiles)
            self._db.execute("insert or replace into frontier values (1, ?, ?)", (frontier.size, frontier.pack()))
        return range(first, frontier.size)

    def _replace(self, item: Replacement) -> None:
        for names, values in item.scopes:
            condition = " and ".join(f"{name} = ?" for name in names) or "true"
            self._db.execute(f"delete from {item.table.name} where {condition}", values)
        marks = ", ".join("?" * len(item.table.columns))
        self._db.executemany(f"insert into {item.table.name} values ({marks})", item.rows)

    def _checkpoint_is_due(self, size: int) -> bool:
        row = self._db.execute("select size, signed_us from checkpoint order by size desc limit 1").fetchone()
        if row is None:
            return True
        age = self._clock().timestamp() - row[1] / 1_000_000
        return size - int(row[0]) >= CHECKPOINT_ENTRIES or age >= CHECKPOINT_SECONDS

    def _sign(self, size: int, key: Ed25519PrivateKey) -> str:
        existing = self._db.execute("select note from checkpoint where size = ?", (size,)).fetchone()
        if existing:
            return str(existing[0])
        note = sign_checkpoint(size, self._frontier().root(), key)
        signed_us = int(self._clock().timestamp() * 1_000_000)
        self._db.execute("insert into checkpoint values (?, ?, ?)", (size, note, signed_us))
        return note

    def _anchor(self, note: str | None) -> None:
        """Append a note to the anchors file, durably. After the commit: an anchor never runs ahead of the log."""
        if note is None or self._anchors is None:
            return
        self._anchors.parent.mkdir(parents=True, exist_ok=True)
        line = json.dumps({"note": note}, ensure_ascii=False) + "\n"
        with self._anchors.open("a", encoding="utf-8") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
