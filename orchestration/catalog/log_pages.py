"""Pages of the audit log and of runs: what happened, entry by entry, with the proof."""

from __future__ import annotations

import json
from typing import Any

from lineage.audit_log import Entry, InclusionProof, entries, entry, log_size, prove_inclusion
from lineage.audit_verify import Verification
from orchestration.catalog.cells import count
from orchestration.catalog.overview import NO_RUN, verification_facts
from orchestration.catalog.reading import Reading
from orchestration.catalog.tables import Asked, query_table, rows_table
from orchestration.catalog.view import Code, Column, Crumb, Empty, Fact, Facts, Page, Prose, Section, Table
from transforms.governance.event_kinds import EVENT_KINDS
from transforms.governance.merkle import check_inclusion

PER_PAGE = 100


def log_page(
    reading: Reading, asked: Asked, verification: Verification, kind: str, subject: str, run_id: str,
    before: int | None
) -> Page:
    """The newest entries, of one kind, subject or run where asked."""
    found = entries(reading.db, kind, subject, run_id, before, asked.limit)
    size = log_size(reading.db)
    intact = verification.consistent.ok and verification.signed.ok is not False and verification.anchored.ok is not False
    answer = f"The log has {count(size)} entries. " + (
        "None has been changed." if verification.intact else verification.consistent.sentence if intact else "It is not intact.")
    counted = "select kind, count(*) as entries, max(seq) as newest from entry group by kind order by 2 desc, 1"
    kinds = [dict(row) for row in reading.db.execute(counted)]
    sections: list[Section] = [
        verification_facts(verification),
        _entry_table(asked, "entries", "Entries, newest first", found,
        size if not (kind or subject or run_id) else len(found)),
    ]
    if found and len(found) == asked.limit and not asked.everything:
        filters = "".join(f"&{name}={value}" for name, value in (("kind", kind), ("subject", subject), ("run",
            run_id)) if value)
        sections.append(Facts("", [Fact("Older entries", f"before entry {found[-1].seq:,}", "text",
            f"/log?before={found[-1].seq}{filters}")]))
    sections.append(rows_table(asked, "kinds", "Kinds of events", (
        Column("kind", "Event", "code", href="/log?kind={kind}"), Column("meaning", "It says that"),
        Column("entries", "Entries", "count"),
        Column("newest", "Newest", "count", href="/log/{newest}")),
        [{**row, "meaning": _meaning(row["kind"])} for row in kinds], NO_RUN))
    return Page("What happened, in order?", answer, "intact" if intact else "broken", [Crumb("Log", "/log"),
        *([Crumb(kind)] if kind else [])], sections)


def _meaning(kind: str) -> str:
    return EVENT_KINDS[kind].meaning if kind in EVENT_KINDS else kind


def _entry_table(asked: Asked, name: str, caption: str, found: list[Entry], total: int) -> Table:
    rows = [
        {"seq": one.seq, "time": one.time.isoformat(), "kind": one.kind, "meaning": _meaning(one.kind),
        "actor": one.actor,
         "subject": one.subject, "run_id": one.run_id} for one in found
    ]
    table = rows_table(asked, name, caption, (
        Column("seq", "Entry", "count", href="/log/{seq}"), Column("time", "When", "instant"), Column("meaning",
        "What"),
        Column("subject", "Of", "code", href="/log?subject={subject}"), Column("actor", "By"),
        Column("run_id", "Run", "id", href="/run/{run_id}")), rows, Empty("The log has no such entry."))
    return Table(table.name, table.caption, table.columns, table.rows, max(total, table.total), table.empty,
        table.order)


def entry_page(reading: Reading, seq: int) -> Page | None:
    """One entry, its exact text, and the proof that it is in the signed log."""
    found = entry(reading.db, seq)
    if found is None:
        return None
    proof = prove_inclusion(reading.db, seq)
    facts = [Fact(name.replace("_", " "), _value(value)) for name, value in found.body.items()]
    sections: list[Section] = [
        Facts("What it says", [
            Fact("Event", found.kind, "code", f"/log?kind={found.kind}"), Fact("When", found.time.isoformat(),
            "instant"), Fact("By", found.actor),
            Fact("Of", found.subject, "code", f"/log?subject={found.subject}"), Fact("Run", found.run_id, "id",
            f"/run/{found.run_id}" if found.run_id else ""),
            *facts, *([Fact("Note", found.detail)] if found.detail else [])]),
        *_proof_sections(found, proof),
        Code("Exact text of the entry", found.text),
    ]
    signed = proof is not None and check_inclusion(seq, proof.size, found.leaf, proof.siblings, proof.root)
    answer = f"{_meaning(found.kind)[:1].upper()}{_meaning(found.kind)[1:]}. " + (
        f"It is in the log that was signed at {count(proof.size)} entries." if proof and signed else "It awaits the next checkpoint.")
    return Page(f"What does entry {seq:,} say?", answer, "intact" if signed else "pending", [Crumb("Log", "/log"),
        Crumb(f"entry {seq:,}")], sections)


def _value(value: object) -> str:
    return ", ".join(str(one) for one in value) if isinstance(value,
        list) else json.dumps(value) if isinstance(value, dict) else str(value)


def _proof_sections(found: Entry, proof: InclusionProof | None) -> list[Section]:
    if proof is None:
        return [Prose("No checkpoint covers this entry yet. One is signed at the end of a run, and after a minute.")]
    return [
        Facts("Proof", [
            Fact("Hash of the entry", found.leaf.hex(), "id"), Fact("Signed at size", proof.size, "count"),
            Fact("Root", proof.root.hex(), "id"),
            Fact("Hashes on the way", len(proof.siblings), "count"), Fact("To take away", "proof as JSON", "text",
            f"/log/{found.seq}/proof.json")]),
        Code("Signed checkpoint", proof.note, folded=True),
    ]


def proof_document(reading: Reading, seq: int) -> dict[str, Any] | None:
    """The proof as a document that can be checked anywhere: SHA-256 and Ed25519 suffice."""
    found, proof = entry(reading.db, seq), prove_inclusion(reading.db, seq)
    if found is None or proof is None:
        return None
    return {
        "entry": found.text, "seq": seq, "leaf": found.leaf.hex(), "size": proof.size, "root": proof.root.hex(),
        "siblings": [sibling.hex() for sibling in proof.siblings], "checkpoint": proof.note,
        "how": "leaf = SHA-256(0x00 + entry); fold the siblings as RFC 9162 s2.1.3.2 says; the root is in the signed checkpoint",
    }


def run_page(reading: Reading, asked: Asked, run_id: str) -> Page | None:
    """One run: what it covered, what it wrote, what it recorded."""
    run = reading.db.execute("select * from run where run_id = ?", (run_id,)).fetchone()
    found = entries(reading.db, run_id=run_id, limit=asked.limit)
    if run is None and not found:
        return None
    total = reading.one("select count(*) from entry where run_id = ?", run_id)
    sections: list[Section] = [
        Facts("What it was", [
            Fact("Run", run_id, "id"), Fact("Job", run["kind"]), Fact("State", run["state"], "status"),
            Fact("Started", run["started"], "instant"),
            Fact("Ended", run["ended"], "instant"), Fact("Facilities", ", ".join(json.loads(run["facilities"]))),
            Fact("Batch dates", ", ".join(json.loads(run["dates"])[:14]))] if run else [Fact("Run", run_id, "id")]),
        query_table(reading.db, asked, "written", "What stands of it", (
            Column("layer", "Layer", "layer"), Column("asset", "Asset", "code", href="/asset/{asset}"),
            Column("partitions", "Partitions", "count"),
            Column("rows", "Rows", "count")),
            "select layer, asset, count(*) as partitions, sum(rows) as rows from materialization where run_id = ? group by layer, asset",
            (run_id,), "asset", Empty("Nothing that this run wrote stands any more; later runs replaced it.")),
        query_table(reading.db, asked, "corrections", "Facts it restated", (
            Column("facility_id", "Facility", href="/facility/{facility_id}"), Column("batch_date", "Batch date",
            "date"),
            Column("resource", "Resource", "code"), Column("facts", "Facts", "count")),
            "select * from correction where run_id = ?", (run_id,), "facts desc, facility_id",
            Empty("It restated nothing.")),
        _entry_table(asked, "entries", "What it recorded", found, total),
    ]
    answer = f"The run recorded {count(total)} entries." if run is None else (
        f"The run {'still runs' if run['state'] == 'running' else 'ended with ' + run['state']} and recorded {count(total)} entries.")
    return Page("What did this run do?", answer, run["state"] if run else "written", [Crumb("Runs", "/"),
        Crumb(run_id[:10])], sections)


