"""The audit log: appending, verifying, and every attack of the threat table."""

from __future__ import annotations

import json
import sqlite3
from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assets.stores.catalog import CatalogStore
from assets.stores.signing_key import public_key, signing_key
from lineage.audit_completeness import completeness, gaps
from lineage.audit_log import entries, open_catalog, prove_inclusion, read_anchors
from lineage.audit_verify import Verification, verify
from transforms.errors import ConfigurationError, UnavailableError
from transforms.governance.checkpoint import key_hash, parse_checkpoint, sign_checkpoint, signer
from transforms.governance.events import Event
from transforms.governance.merkle import Frontier, check_inclusion, leaf_hash
from transforms.governance.projection_rows import Projection

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()


def release(number: int, reason: str | None = None) -> Event:
    """An event."""
    body = {"facility_id": "riverside", "batch_date": "2026-01-02", "reason": "time.invalid", "units": number}
    return Event("quarantine.release", "raw.raw_unit|riverside|2026-01-02", body, "user:amy", f"r{number}", reason)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log of 601 entries (the first is its key), checkpoints anchored outside."""
    with CatalogStore(tmp_path / "audit.sqlite", KEY, tmp_path / "anchors.jsonl") as store:
        for start in range(0, 600, 100):
            store.append([release(start + i) for i in range(100)])
            store.checkpoint()
    return tmp_path / "audit.sqlite"


def verified(log: Path) -> Verification:
    """Verification with the anchors beside the log and the known key."""
    return verify(log, read_anchors(log.parent / "anchors.jsonl"), [PUBLIC])


def answers(result: Verification) -> tuple[bool | None, bool | None, bool | None]:
    """The three verdicts."""
    return result.consistent.ok, result.signed.ok, result.anchored.ok


def test_an_untouched_log_is_intact(log: Path) -> None:
    """Nothing done to it: three times yes, and the count is the number of entries."""
    result = verified(log)
    assert answers(result) == (True, True, True)
    assert result.entries == 601
    assert result.intact


def test_without_anchors_it_is_not_a_yes(log: Path) -> None:
    """Without anchors the third verdict is open and the whole is not intact."""
    result = verify(log)
    assert answers(result) == (True, True, None)
    assert not result.intact


def _edit(db: sqlite3.Connection) -> None:
    db.execute("update entry set body = replace(body, '\"units\":300', '\"units\":301') where seq = 301")


def _delete(db: sqlite3.Connection) -> None:
    db.execute("delete from entry where seq = 300")


def _swap(db: sqlite3.Connection) -> None:
    rows = db.execute("select seq, body, leaf from entry where seq in (300, 301) order by seq").fetchall()
    for (seq, _, _), (_, body, leaf) in zip(rows, rows[::-1], strict=True):
        db.execute("update entry set body = ?, leaf = ? where seq = ?", (body, leaf, seq))


def _edit_and_hash(db: sqlite3.Connection) -> None:
    _edit(db)
    _rehash(db)


def _rehash(db: sqlite3.Connection) -> None:
    """Make leaves, tiles and frontier fit the texts again, as an attacker who knows the format would."""
    frontier = Frontier()
    for seq, body in db.execute("select seq, body from entry order by seq").fetchall():
        leaf = leaf_hash(body.encode())
        frontier.add(leaf)
        db.execute("update entry set leaf = ? where seq = ?", (leaf, seq))
    db.execute("update frontier set size = ?, peaks = ?", (frontier.size, frontier.pack()))
    db.execute("delete from tile")
    db.executemany("insert into tile values (?, ?)", frontier.tiles)


def _truncate(db: sqlite3.Connection) -> None:
    db.execute("delete from entry where seq >= 301")
    db.execute("delete from checkpoint where size > 301")
    _rehash(db)


def _rewrite_with_stolen_key(db: sqlite3.Connection) -> None:
    _edit_and_hash(db)
    frontier = Frontier()
    sizes = {row[0] for row in db.execute("select size from checkpoint")}
    for (leaf,) in db.execute("select leaf from entry order by seq").fetchall():
        frontier.add(leaf)
        if frontier.size in sizes:
            note = sign_checkpoint(frontier.size, frontier.root(), KEY)
            db.execute("update checkpoint set note = ? where size = ?", (note, frontier.size))


def _rewrite_with_own_key(db: sqlite3.Connection) -> None:
    own = Ed25519PrivateKey.generate()
    raw = own.public_key().public_bytes_raw()
    body = db.execute("select body from entry where seq = 0").fetchone()[0]
    said = json.loads(body)
    said["body"]["public_key"] = b64encode(raw).decode()
    db.execute("update entry set body = ? where seq = 0", (json.dumps(said, sort_keys=True, separators=(",", ":")),))
    _rehash(db)
    db.execute("delete from checkpoint")
    frontier = Frontier()
    for (leaf,) in db.execute("select leaf from entry order by seq").fetchall():
        frontier.add(leaf)
    db.execute("insert into checkpoint values (601, ?, 0)", (sign_checkpoint(601, frontier.root(), own),))


def _forge(db: sqlite3.Connection) -> None:
    """Rewrite the log, and name the key in force over signatures of another one."""
    _rewrite_with_stolen_key(db)
    named = bytes.fromhex(key_hash(KEY.public_key().public_bytes_raw()))
    for size, note in db.execute("select size, note from checkpoint").fetchall():
        text, _, signature = note.rstrip("\n").rpartition(" ")
        signed = Ed25519PrivateKey.generate().sign(b64decode(signature)[4:])
        db.execute("update checkpoint set note = ? where size = ?", (f"{text} {b64encode(named + signed).decode()}\n", size))


def _edit_tile(db: sqlite3.Connection) -> None:
    db.execute("update tile set root = zeroblob(32) where tile = 1")


def _drop_checkpoints(db: sqlite3.Connection) -> None:
    db.execute("delete from checkpoint")


@pytest.mark.parametrize(("attack", "expected"), [
    (_edit, (False, False, False)),
    (_delete, (False, False, False)),
    (_swap, (False, False, False)),
    (_edit_and_hash, (True, False, False)),
    (_truncate, (True, True, False)),
    (_rewrite_with_stolen_key, (True, True, False)),
    (_rewrite_with_own_key, (True, False, False)),
    (_forge, (True, False, False)),
    (_edit_tile, (False, True, True)),
    (_drop_checkpoints, (True, None, True)),
])
def test_every_attack_is_caught(
    log: Path, attack: Callable[[sqlite3.Connection], None], expected: tuple[bool | None, bool | None, bool | None]
) -> None:
    """Each attack of the threat table is caught by the verdict that the table names, by an owner of the file."""
    with sqlite3.connect(log) as db:
        db.execute("drop trigger entry_is_not_updated")
        db.execute("drop trigger entry_is_not_deleted")
        attack(db)
    db.close()
    result = verified(log)
    assert answers(result) == expected
    assert not result.intact


def test_the_file_refuses_changes_by_accident(log: Path) -> None:
    """Without dropping the triggers an entry can neither be changed nor deleted."""
    db = sqlite3.connect(log)
    for statement in ("update entry set body = '{}' where seq = 1", "delete from entry where seq = 1"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            db.execute(statement)
    db.close()


def test_a_damaged_file_is_said_to_be_damaged(log: Path) -> None:
    """Bytes overwritten in the middle of the file make the first verdict a no, never a crash."""
    whole = bytearray(log.read_bytes())
    middle = len(whole) // 2
    whole[middle : middle + 8192] = b"\xff" * 8192
    log.write_bytes(whole)
    assert verified(log).consistent.ok is False


def test_refused_event_leaves_no_trace(log: Path) -> None:
    """A batch with one refused event appends nothing, nor does it move a projection."""
    with CatalogStore(log, KEY) as store, pytest.raises(ValueError, match="unknown event kind"):
        store.append([release(1), Event("unheard.of", "x")])
    assert verified(log).entries == 601


def test_inclusion_proof_of_every_page_of_the_log(log: Path) -> None:
    """Proofs from stored tiles lead to the root that the newest checkpoint signs."""
    with open_catalog(log) as connection:
        for seq in (0, 1, 255, 256, 511, 512, 599, 600):
            proof = prove_inclusion(connection, seq)
            assert proof is not None
            checkpoint = parse_checkpoint(proof.note)
            assert signer(checkpoint, [PUBLIC]) == PUBLIC
            assert check_inclusion(seq, checkpoint.size, proof.leaf, proof.siblings, checkpoint.root)
        assert prove_inclusion(connection, 601) is None


def test_erased_detail_leaves_proofs_valid(tmp_path: Path) -> None:
    """What a person wrote can be erased; the entry, its hash and the log stay as they were."""
    path = tmp_path / "audit.sqlite"
    with CatalogStore(path, KEY, tmp_path / "anchors.jsonl") as store:
        seq = store.append([release(5, "released after a call with registration")]).start
        store.checkpoint()
        with open_catalog(path) as connection:
            before = entries(connection, kind="quarantine.release")[0]
        store.erase_detail(seq, "user:bo")
        store.checkpoint()
    with open_catalog(path) as connection:
        after = entries(connection, kind="quarantine.release")[0]
    assert (before.detail, after.detail) == ("released after a call with registration", None)
    assert (before.text, before.leaf) == (after.text, after.leaf)
    assert "registration" not in after.text
    assert verified(path).intact


def test_key_rotation(tmp_path: Path) -> None:
    """After a rotation old checkpoints still verify, new ones under the new key, and the old key opens no more."""
    path, new_key = tmp_path / "audit.sqlite", Ed25519PrivateKey.generate()
    with CatalogStore(path, KEY, tmp_path / "anchors.jsonl") as store:
        store.append([release(1)])
        store.checkpoint()
        store.rotate_key(new_key)
        store.append([release(2)])
        store.checkpoint()
    result = verified(path)
    assert result.intact
    assert len(result.keys) == 2
    with pytest.raises(ValueError, match="not the one in force"):
        CatalogStore(path, KEY)
    CatalogStore(path, new_key).close()


def test_checkpoints_come_by_themselves(tmp_path: Path) -> None:
    """A checkpoint is signed after 1,000 entries, and after 60 seconds."""
    now = datetime(2026, 1, 2, tzinfo=UTC)
    clock = [now]
    path = tmp_path / "audit.sqlite"
    with CatalogStore(path, KEY, clock=lambda: clock[0]) as store:
        store.append([release(1)])
        assert verify(path).checkpoints == 1
        store.append([release(2)])
        assert verify(path).checkpoints == 1
        clock[0] = now + timedelta(seconds=61)
        store.append([release(3)])
        assert verify(path).checkpoints == 2
        store.append([release(i) for i in range(1000)])
        assert verify(path).checkpoints == 3


def test_events_and_projections_share_a_transaction(log: Path) -> None:
    """A projection that cannot be written takes its events back with it."""
    row = {"asset": "marts.a", "upstream": "canonical.b"}
    with CatalogStore(log, KEY) as store:
        store.project("asset_edge", [row], {})
        with pytest.raises(sqlite3.IntegrityError):
            store.record([release(1)], [Projection("asset_edge", [row, row], {"asset": "marts.a"})])
        with open_catalog(log) as connection:
            assert connection.execute("select count(*) from asset_edge").fetchone()[0] == 1
        store.project("asset_edge", [], {"asset": "marts.a"})
    with open_catalog(log) as connection:
        assert connection.execute("select count(*) from asset_edge").fetchone()[0] == 0
    assert verified(log).entries == 601


def test_a_torn_anchor_line_is_left_out(log: Path) -> None:
    """A crash while an anchor is written leaves the others usable."""
    anchors = log.parent / "anchors.jsonl"
    count = len(read_anchors(anchors))
    with anchors.open("a") as file:
        file.write('{"note": "lakehouse/aud')
    assert len(read_anchors(anchors)) == count
    assert verified(log).intact


def test_no_store(tmp_path: Path) -> None:
    """Verifying where there is no store says so."""
    with pytest.raises(UnavailableError, match="no catalog store"):
        verify(tmp_path / "nothing.sqlite")


def test_signing_key_file(tmp_path: Path) -> None:
    """The key file is made once with mode 0600, gives the same key again, and is refused when others may read it."""
    path = tmp_path / "keys" / "audit.key"
    first = signing_key(path).public_key().public_bytes_raw()
    assert path.stat().st_mode & 0o777 == 0o600
    assert signing_key(path).public_key().public_bytes_raw() == first
    assert public_key(path.with_name(path.name + ".pub")) == first
    path.chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        signing_key(path)


def test_catalog_and_log_agree(tmp_path: Path) -> None:
    """A figure edited in the catalog, or written without its event, is a gap; what was recorded together is none."""
    path = tmp_path / "audit.sqlite"
    row = {
        "asset": "canonical.patient", "layer": "canonical", "facility_id": "lakeside", "batch_date": "2026-01-02", "run_id": "r1",
        "code_version": "c1", "data_version": "d1", "reading_rules": None, "rows": 10, "content_hash": "ab" * 16, "time": "2026-01-03T00:00:00Z",
    }
    body = {key: row[key] for key in ("facility_id", "batch_date", "asset", "code_version", "data_version", "rows", "content_hash")}
    event = Event("materialize", "canonical.patient|lakeside|2026-01-02", {**body, "inputs": {}}, run_id="r1")
    with CatalogStore(path, KEY) as store:
        store.record([event], [Projection("materialization", [row], {})])
        with open_catalog(path) as connection:
            assert completeness(connection).ok is True
        store.project("materialization", [{**row, "rows": 11}], {})
        with open_catalog(path) as connection:
            assert completeness(connection).ok is False
            assert [gap.subject for gap in gaps(connection)] == ["canonical.patient|lakeside|2026-01-02"]
