"""Is the audit log intact? Three verdicts that are never melted into one.

*Internally consistent*: ordinals without gap, every leaf the hash of its text, the stored tree that of the entries.
*Signed*: every checkpoint carries the tree's root at its size and the signature of the key then in force.
*Anchored*: checkpoints kept outside the database agree. Only this one speaks against a log that was cut short, or
rewritten whole with a stolen key; without anchors it is not a yes.
"""

from __future__ import annotations

import json
import sqlite3
from base64 import b64decode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lineage.audit_log import open_catalog
from transforms.governance.checkpoint import Checkpoint, fingerprint, parse_checkpoint, signer
from transforms.governance.key_events import rotated_key
from transforms.governance.merkle import Frontier, leaf_hash


@dataclass(frozen=True)
class Answer:
    """One verdict: yes, no, or None where it cannot be told; and the sentence that says why."""

    ok: bool | None
    sentence: str


@dataclass(frozen=True)
class Verification:
    """What a verification found."""

    entries: int
    checkpoints: int
    consistent: Answer
    signed: Answer
    anchored: Answer
    keys: tuple[str, ...]
    """Fingerprints of the keys that signed, in order."""

    @property
    def intact(self) -> bool:
        """All three verdicts are yes."""
        return all(answer.ok is True for answer in (self.consistent, self.signed, self.anchored))


@dataclass
class _Rebuilt:
    """The tree built anew from the entries' texts."""

    frontier: Frontier = field(default_factory=Frontier)
    roots: dict[int, bytes] = field(default_factory=dict)
    fault: str | None = None
    keys: list[tuple[int, bytes]] = field(default_factory=list)
    """(first size that the key signs, public key)."""

    def key_at(self, size: int) -> bytes | None:
        """The key in force for a checkpoint of `size`."""
        return next((key for since, key in reversed(self.keys) if since <= size), None)


def verify(path: Path, anchors: Sequence[str] = (), public_keys: Iterable[bytes] = ()) -> Verification:
    """Verify the log in the catalog store at `path`.

    `anchors` are notes kept outside (`read_anchors`). `public_keys` are keys that the auditor knows: one of them must
    be the signing key or lead to it by recorded rotations; without any, the log's own first key is taken at its word.
    Raises UnavailableError where there is no store.
    """
    with open_catalog(path) as connection:
        try:
            sound = connection.execute("pragma quick_check(1)").fetchone()[0] == "ok"
            return _verify(connection, anchors, frozenset(public_keys)) if sound else _DAMAGED
        except sqlite3.DatabaseError:
            return _DAMAGED


_UNTOLD = Answer(None, "Not looked at: the file is damaged.")
_DAMAGED = Verification(
    0, 0, Answer(False, "The file is damaged. Restore it from its copy and compare the anchors."), _UNTOLD, _UNTOLD, ())


def _verify(connection: sqlite3.Connection, notes: Sequence[str], known: frozenset[bytes]) -> Verification:
    checkpoints = dict(connection.execute("select size, note from checkpoint order by size").fetchall())
    anchors, unreadable = _parse_anchors(notes)
    rebuilt = _rebuild(connection, set(checkpoints) | {anchor.size for anchor in anchors})
    return Verification(
        rebuilt.frontier.size, len(checkpoints), _consistency(connection, rebuilt),
        _signatures(checkpoints, rebuilt, known), _anchoring(anchors, unreadable, rebuilt),
        tuple(fingerprint(key) for _, key in rebuilt.keys))


def _rebuild(connection: sqlite3.Connection, wanted: set[int]) -> _Rebuilt:
    rebuilt = _Rebuilt()
    frontier, add = rebuilt.frontier, rebuilt.frontier.add
    for expected, (seq, text,
        stored) in enumerate(connection.execute("select seq, body, leaf from entry order by seq")):
        leaf = leaf_hash(text.encode())
        if rebuilt.fault is None:
            if seq != expected:
                rebuilt.fault = f"Entry {expected} is missing."
            elif leaf != stored:
                rebuilt.fault = f"Entry {seq} does not have the hash that was stored for it: its text was changed."
        if '"kind":"key.' in text:
            _learn_key(rebuilt, text)
        add(leaf)
        if frontier.size in wanted:
            rebuilt.roots[frontier.size] = frontier.root()
    return rebuilt


def _learn_key(rebuilt: _Rebuilt, text: str) -> None:
    entry = json.loads(text)
    if entry["kind"] == "key.create" and not rebuilt.keys and rebuilt.frontier.size == 0:
        rebuilt.keys.append((1, b64decode(entry["body"]["public_key"])))
    elif entry["kind"] == "key.rotate" and rebuilt.keys:
        new_key = rotated_key(rebuilt.keys[-1][1], entry["body"])
        if new_key is None:
            rebuilt.fault = rebuilt.fault or f"Entry {entry['seq']} changes the key without the old key's signature."
        else:
            rebuilt.keys.append((rebuilt.frontier.size + 1, new_key))


def _consistency(connection: sqlite3.Connection, rebuilt: _Rebuilt) -> Answer:
    if rebuilt.fault is not None:
        return Answer(False, rebuilt.fault)
    frontier = rebuilt.frontier
    stored = connection.execute("select size, peaks from frontier").fetchone()
    if frontier.size == 0 or stored is None:
        return Answer(False, "The log is empty: not even its first key is there.")
    if stored[0] != frontier.size:
        return Answer(False, f"The log says it has {stored[0]:,} entries; {frontier.size:,} are there.")
    if stored[1] != frontier.pack():
        return Answer(False, "The stored tree is not the tree of the entries.")
    if dict(connection.execute("select tile, root from tile").fetchall()) != dict(frontier.tiles):
        return Answer(False, "A stored tile is not the root of its entries.")
    return Answer(True, f"All {frontier.size:,} entries are whole, in order and in the tree.")


def _signatures(checkpoints: dict[int, str], rebuilt: _Rebuilt, known: frozenset[bytes]) -> Answer:
    if not checkpoints:
        return Answer(None, "No checkpoint has been signed yet.")
    chain = [key for _, key in rebuilt.keys]
    if known and not known & set(chain):
        return Answer(False, "None of the known keys is among the log's keys: someone else signed it.")
    for size, note in checkpoints.items():
        fault = _signature_fault(size, note, rebuilt)
        if fault:
            return Answer(False, fault)
    loose = rebuilt.frontier.size - max(checkpoints)
    awaiting = "newest entry awaits" if loose == 1 else f"{loose:,} newest entries await"
    tail = f" The {awaiting} the next checkpoint." if loose else ""
    return Answer(True, f"{len(checkpoints):,} checkpoints are signed by key {fingerprint(chain[-1])}.{tail}")


def _signature_fault(size: int, note: str, rebuilt: _Rebuilt) -> str | None:
    try:
        checkpoint = parse_checkpoint(note)
    except ValueError:
        return f"The checkpoint at {size:,} is not a note."
    key = rebuilt.key_at(size)
    if key is None or signer(checkpoint, [key]) is None or checkpoint.size != size:
        return f"The checkpoint at {size:,} is not signed by the key in force."
    if size not in rebuilt.roots:
        return f"A checkpoint was signed at {size:,} entries; only {rebuilt.frontier.size:,} are there."
    if rebuilt.roots[size] != checkpoint.root:
        return f"The first {size:,} entries are not those that were signed."
    return None


def _parse_anchors(notes: Sequence[str]) -> tuple[list[Checkpoint], int]:
    anchors, unreadable = [], 0
    for note in notes:
        try:
            anchors.append(parse_checkpoint(note))
        except ValueError:
            unreadable += 1
    return anchors, unreadable


def _anchoring(anchors: list[Checkpoint], unreadable: int, rebuilt: _Rebuilt) -> Answer:
    if unreadable:
        return Answer(False, f"{unreadable} anchors are not notes.")
    if not anchors:
        return Answer(None, "No anchor was given: a log rewritten whole or cut short would look the same.")
    chain = [key for _, key in rebuilt.keys]
    size = rebuilt.frontier.size
    for anchor in anchors:
        if anchor.size > size:
            return Answer(False,
                f"The log was cut short: an anchor knows {anchor.size:,} entries, {size:,} are there.")
        if rebuilt.roots[anchor.size] != anchor.root:
            return Answer(False, f"The first {anchor.size:,} entries are not those that were anchored.")
        if signer(anchor, chain) is None:
            return Answer(False, f"The anchor at {anchor.size:,} is not signed by a key of this log.")
    newest = max(anchor.size for anchor in anchors)
    return Answer(True, f"{len(anchors):,} anchors agree, the newest at {newest:,} of {size:,} entries.")
