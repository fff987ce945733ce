"""Pages of one facility: its newest days, and everything that happened with its batch of one day."""

from __future__ import annotations

from collections.abc import Mapping

from orchestration.catalog.accounts import correction_table, hold_table, ledger_table, partition_filter, quarantine_table, verdict_table
from orchestration.catalog.cells import count, counted, long_date
from orchestration.catalog.heat import strip
from orchestration.catalog.overview import runs_table
from orchestration.catalog.reading import Reading
from orchestration.catalog.tables import Asked, query_table
from orchestration.catalog.view import Column, Crumb, Empty, Fact, Facts, Figure, Figures, Page, Section, Table


def facility_page(reading: Reading, asked: Asked, facility: str) -> Page:
    """One facility over its newest days."""
    name = reading.name(facility)
    known = reading.facilities.get(facility)
    days = reading.db.execute(f"select * from {reading.partition_states(facility)}").fetchall()
    states = {(row["facility_id"], row["batch_date"]): (row["state"], f"{row['state']}, {count(row['received'])} received") for row in days}
    newest = max((day for _, day in states), default=None)
    answer, status = _days_in_words([row["state"] for row in days], sum(row["quarantined"] for row in days))
    where, values = partition_filter(facility, "")
    facts = [Fact("Facility", facility, "code"), Fact("System", known.source_system), Fact("Region", known.region),
             Fact("Zone", known.zone), Fact("Owner", known.owner)] if known else [Fact("Facility", facility, "code")]
    return Page(
        f"How is {name} doing?", answer, status,
        [Crumb("Facilities", "/"), Crumb(name)],
        [
            strip(reading, "Batch dates", states, lambda f, d: f"/facility/{f}/{d}", newest, only=facility),
            Facts("Registered as", facts),
            ledger_table(reading, asked, where, values),
            hold_table(reading, asked, where, values),
            correction_table(reading, asked, where, values),
        ], reading.zone(facility))


def _days_in_words(states: list[str], quarantined: int) -> tuple[str, str]:
    """A sentence on a facility's days, by the state of each, and the worst that it says."""
    bad, warned = sum(word in ("unbalanced", "held", "failed") for word in states), states.count("warning")
    if not states:
        return "Nothing has been received from here yet.", "pending"
    if bad:
        return f"{count(bad)} of {counted(len(states), 'day')} held back or not adding up.", "held"
    waiting = f"; {counted(quarantined, 'record')} in quarantine" if quarantined else ""
    warning = f"; checks warn on {counted(warned, 'day')}" if warned else ""
    return f"{counted(len(states), 'day')} received, all accounted for{waiting}{warning}.", "warning" if warned else "balanced"


def day_page(reading: Reading, asked: Asked, words: Mapping[str, str], facility: str, day: str) -> Page:
    """Everything that happened with one facility's batch of one day."""
    where, values = partition_filter(facility, day)
    row = reading.db.execute(f"select * from {reading.partition_states(facility)} {where}", values).fetchone()
    name = reading.name(facility)
    state = str(row["state"]) if row else "nothing received"
    answer = (
        f"{count(row['received'])} records received, {count(row['quarantined'])} in quarantine; "
        f"{'a check warns' if state == 'warning' else f'the day is {state}'}." if row
        else "Nothing was received.")
    sections: list[Section] = [
        Figures([
            Figure(count(row["received"] if row else 0), "records received", f"/ledger?facility={facility}&date={day}"),
            Figure(count(row["quarantined"] if row else 0), "in quarantine", f"/quarantine?facility={facility}&date={day}"),
            Figure(count(row["failed"] if row else 0), "checks failed",
                   status="" if not row or not row["failed"] else "warning" if state == "warning" else "failed"),
        ]),
        deliveries_table(reading, asked, where, values), ledger_table(reading, asked, where, values),
        quarantine_table(reading, asked, words, where, values), verdict_table(reading, asked, where, values),
        hold_table(reading, asked, where, values), correction_table(reading, asked, where, values),
        written_table(reading, asked, where, values),
        runs_table(reading, asked, "runs", "Runs that covered the day",
                   "where exists (select 1 from json_each(facilities) f where f.value = ?) "
                   "and exists (select 1 from json_each(dates) d where d.value = ?)", (facility, day)),
    ]
    return Page(f"What happened on {long_date(day)} at {name}?", answer, state,
                [Crumb("Facilities", "/"), Crumb(name, f"/facility/{facility}"), Crumb(long_date(day))], sections,
                reading.zone(facility))


def deliveries_table(reading: Reading, asked: Asked, where: str, values: tuple[object, ...]) -> Table:
    """Arrivals."""
    return query_table(
        reading.db, asked, "deliveries", "Deliveries", (
            Column("source", "Feed"), Column("received_time", "Received", "instant"), Column("units", "Records", "count"),
            Column("flags", "Marked", "code"), Column("size", "Bytes", "count"), Column("payload_id", "Payload (SHA-256)", "id"),
            Column("delivery_id", "Delivery", "id")),
        f"select * from delivery {where}", values, "received_time, delivery_id",
        Empty("No file has been landed for this day.", "lakehouse land PATH --facility F --source S"))


def written_table(reading: Reading, asked: Asked, where: str, values: tuple[object, ...]) -> Table:
    """Assets written for a partition."""
    return query_table(
        reading.db, asked, "assets", "Assets written", (
            Column("layer", "Layer", "layer"), Column("asset", "Asset", "code", href="/asset/{asset}/{facility_id}/{batch_date}"),
            Column("rows", "Rows", "count"), Column("run_id", "Run", "id", href="/run/{run_id}"), Column("code_version", "Code", "id"),
            Column("content_hash", "Content", "id"), Column("time", "Written", "instant")),
        f"select * from materialization {where}", values,
        "case layer when 'raw' then 0 when 'staging' then 1 when 'canonical' then 2 when 'identity' then 3 else 4 end, asset",
        Empty("No asset has been written for this day.", "lakehouse materialize"))
