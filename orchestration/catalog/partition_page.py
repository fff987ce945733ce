"""The page of one asset on one facility's day."""

from __future__ import annotations

from lineage.audit_log import entries, newest_checkpoint
from orchestration.catalog.accounts import hold_table, ledger_table, partition_filter, verdict_table
from orchestration.catalog.cells import count, long_date
from orchestration.catalog.reading import Reading
from orchestration.catalog.tables import Asked, rows_table
from orchestration.catalog.view import Column, Crumb, Empty, Fact, Facts, Page, Section


def _times(number: int) -> str:
    return {0: "before the log began", 1: "once", 2: "twice"}.get(number, f"{count(number)} times")


def partition_page(reading: Reading, asked: Asked, asset: str, facility: str, day: str) -> Page | None:
    """One asset on one facility's day: what was written, from what, and the proof that it was recorded."""
    found = reading.db.execute(
        "select * from materialization where asset = ? and facility_id = ? and batch_date = ?", (asset, facility,
        day)).fetchone()
    history = entries(reading.db, subject=f"{asset}|{facility}|{day}", limit=asked.limit)
    judged = reading.one(
        "select (select count(*) from verdict where asset = ?1 and facility_id = ?2 and batch_date = ?3)"
        " + (select count(*) from hold where asset = ?1 and facility_id = ?2 and batch_date = ?3)", asset, facility, day)
    if found is None and not history and not judged:
        return None
    name = reading.name(facility)
    signed = newest_checkpoint(reading.db)
    rows = [
        {"seq": entry.seq, "time": entry.time.isoformat(), "kind": entry.kind, "run_id": entry.run_id,
         "rows": entry.body.get("rows"), "code_version": entry.body.get("code_version"),
         "content_hash": entry.body.get("content_hash"),
         "proof": "signed" if signed and entry.seq < signed[0] else "awaits the next checkpoint"}
        for entry in history
    ]
    where, values = partition_filter(facility, day)
    sections: list[Section] = [
        Facts("As it stands", [
            Fact("Rows", found["rows"], "count"), Fact("Run", found["run_id"], "id", f"/run/{found['run_id']}"),
            Fact("Code version", found["code_version"], "id"), Fact("Data version", found["data_version"], "id"),
            Fact("Reading rules", found["reading_rules"], "id"),
            Fact("Content hash", found["content_hash"], "id"), Fact("Written", found["time"],
            "instant")] if found else []),
        rows_table(asked, "history", "Entries of the audit log", (
            Column("seq", "Entry", "count", href="/log/{seq}"), Column("time", "When", "instant"), Column("kind",
            "Event", "code"),
            Column("rows", "Rows", "count"), Column("code_version", "Code", "id"), Column("content_hash", "Content",
            "id"),
            Column("run_id", "Run", "id", href="/run/{run_id}"), Column("proof", "Proof", href="/log/{seq}")), rows,
            Empty("The log has no entry for this partition.")),
        verdict_table(reading, asked, f"{where} and asset = ?", (*values, asset)),
        hold_table(reading, asked, f"{where} and asset = ?", (*values, asset)),
        ledger_table(reading, asked, where, values),
    ]
    layer = asset.split(".", 1)[0]
    return Page(
        f"What happened on {long_date(day)} at {name}, in {asset}?",
        f"{count(found['rows'])} rows stand, written {_times(sum(row['kind'] == 'materialize' for row in rows))}." if found
        else "No rows have been recorded here; what is known of it stands below.", "written" if found else "pending",
        [Crumb("Assets", "/assets"), Crumb(layer, f"/assets?layer={layer}", layer), Crumb(asset, f"/asset/{asset}"),
         Crumb(name, f"/facility/{facility}"), Crumb(long_date(day), f"/facility/{facility}/{day}")], sections,
         reading.zone(facility))
