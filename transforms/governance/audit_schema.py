"""Tables of the audit log inside the catalog store, for SQLite 3.37 or newer.

An entry's columns besides ordinal, text and leaf hash are generated from the text, so they cannot say anything else.
The triggers are a courtesy against accidents, not the protection: who owns the file can drop them; the signed tree
tells.
"""

from __future__ import annotations

AUDIT_DDL: tuple[str, ...] = (
    """create table if not exists entry (
  seq integer primary key,
  body text not null,
  leaf blob not null,
  kind text generated always as (json_extract(body, '$.kind')) virtual,
  subject text generated always as (json_extract(body, '$.subject')) virtual,
  run_id text generated always as (json_extract(body, '$.run_id')) virtual
) strict""",
    "create index if not exists entry_kind on entry (kind, seq)",
    "create index if not exists entry_subject on entry (subject, seq)",
    "create index if not exists entry_run on entry (run_id, seq)",
    """create table if not exists frontier (
  one integer primary key check (one = 1), size integer not null, peaks blob not null) strict""",
    "create table if not exists tile (tile integer primary key, root blob not null) strict",
    """create table if not exists checkpoint (
  size integer primary key, note text not null, signed_us integer not null) strict""",
    """create table if not exists signing_key (
  fingerprint text primary key, public_key blob not null, since integer not null unique) strict""",
    "create table if not exists detail (seq integer primary key, salt blob not null, detail text not null) strict",
    """create trigger if not exists entry_is_not_updated before update on entry
begin select raise(abort, 'the audit log is append-only'); end""",
    """create trigger if not exists entry_is_not_deleted before delete on entry
begin select raise(abort, 'the audit log is append-only'); end""",
)
