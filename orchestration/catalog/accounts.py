"""Pages of the accounts, and the tables that other pages share with them: ledger, quarantine, holds, corrections, checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from orchestration.catalog.cells import count, counted, long_date
from orchestration.catalog.reading import Reading
from orchestration.catalog.tables import Asked, query_table, rows_table
from orchestration.catalog.view import Column, Crumb, Empty, Page, Table

_LEDGER = Empty("Nothing has been accounted for yet.", "lakehouse materialize")
_FACILITY = Column("facility_id", "Facility", "facility", href="/facility/{facility_id}")
_DAY = Column("batch_date", "Batch date", "date", href="/facility/{facility_id}/{batch_date}")


def _place(where: str) -> list[Column]:
    """Facility and batch date as columns; shown where the filter leaves them open."""
    return [replace(column, is_shown=condition not in where) for column, condition in (
        (_FACILITY, "facility_id = ?"), (_DAY, "batch_date = ?"))]


Filters = tuple[str, tuple[object, ...]]


def partition_filter(facility: str, day: str, alias: str = "") -> Filters:
    """A where clause for a facility and a batch date, each empty for all."""
    prefix = f"{alias}." if alias else ""
    wanted = [(f"{prefix}facility_id = ?", facility), (f"{prefix}batch_date = ?", day)]
    given = [(condition, value) for condition, value in wanted if value]
    if not given:
        return "", ()
    return "where " + " and ".join(condition for condition, _ in given), tuple(value for _, value in given)


def ledger_page(reading: Reading, asked: Asked, facility: str, day: str) -> Page:
    """What became of every record received."""
    where, values = partition_filter(facility, day)
    sums = reading.db.execute(
        "select coalesce(sum(received), 0), coalesce(sum(canonical), 0), coalesce(sum(duplicate), 0), coalesce(sum(superseded), 0), "
        f"coalesce(sum(quarantined), 0), coalesce(sum(ignored_by_rule), 0), coalesce(sum(balanced = 0), 0) from ledger {where}",
        values).fetchone()
    received, canonical, duplicate, superseded, quarantined, ignored, unbalanced = (int(value) for value in sums)
    if unbalanced:
        answer, status = f"{'One line does' if unbalanced == 1 else f'{count(unbalanced)} lines do'} not add up.", "unbalanced"
    elif received:
        answer, status = (
            f"{count(received)} received = {count(canonical)} published + {count(duplicate)} duplicates + {count(superseded)} "
            f"superseded + {count(quarantined)} in quarantine + {count(ignored)} ignored by rule.", "balanced")
    else:
        answer, status = "Nothing has been received here yet.", "pending"
    return Page("What became of every record received?", answer, status, [Crumb("Ledger", "/ledger"), *_scope(reading, facility, day)],
                [ledger_table(reading, asked, where, values)])


def _scope(reading: Reading, facility: str, day: str) -> list[Crumb]:
    crumbs = [Crumb(reading.name(facility), f"/facility/{facility}")] if facility else []
    return [*crumbs, Crumb(long_date(day))] if day else crumbs


def ledger_table(reading: Reading, asked: Asked, where: str, values: tuple[object, ...]) -> Table:
    """The ledger's lines."""
    numbers = [("received", "Received"), ("canonical", "Published"), ("duplicate", "Duplicate"), ("superseded", "Superseded"),
               ("quarantined", "Quarantine"), ("ignored_by_rule", "Ignored")]
    return query_table(
        reading.db, asked, "ledger", "Ledger", (
            *_place(where), Column("source", "Feed"), Column("record_type", "Record type", "code"),
            *(Column(name, label, "count") for name, label in numbers), Column("state", "State", "status")),
        f"select *, case when balanced then 'balanced' else 'unbalanced' end as state from ledger {where}", values,
        "balanced, batch_date desc, facility_id, source, record_type", _LEDGER)


def quarantine_page(reading: Reading, asked: Asked, words: Mapping[str, str], facility: str, day: str) -> Page:
    """What waits, for what reason, and who can mend it."""
    where, values = partition_filter(facility, day)
    units, since = reading.db.execute(f"select coalesce(sum(units), 0), min(since) from quarantine {where}", values).fetchone()
    owners = reading.one(f"select count(distinct owner) from quarantine {where}", *values)
    answer, status = (
        (f"{counted(units, 'record')} {'waits' if units == 1 else 'wait'} for {counted(owners, 'owner')}, the oldest since "
         f"{long_date(since[:10])}.", "waiting") if units
        else ("Nothing waits in quarantine.", "passed"))
    by_reason = [
        {**dict(row), "meaning": _meaning(words, row["reason"])}
        for row in reading.db.execute(
            f"select reason, owner, sum(units) as units, min(since) as since, count(distinct facility_id) as facilities "
            f"from quarantine {where} group by reason, owner order by units desc", values)
    ]
    return Page(
        "What waits in quarantine, and who can mend it?", answer, status,
        [Crumb("Quarantine", "/quarantine"), *_scope(reading, facility, day)],
        [
            rows_table(asked, "reasons", "By reason", (
                Column("meaning", "Held because"), Column("reason", "Code", "code"), Column("owner", "Owner", "name"),
                Column("units", "Records", "count"), Column("facilities", "Facilities", "count"),
                Column("since", "Since", "instant")), by_reason, _NO_QUARANTINE),
            quarantine_table(reading, asked, words, where, values),
        ])


_NO_QUARANTINE = Empty("No record waits. Records that cannot be judged would stand here with their reason and owner.")


def _meaning(words: Mapping[str, str], reason: str) -> str:
    text = words.get(reason, "")
    return text[:1].upper() + text[1:] if text else reason


def quarantine_table(reading: Reading, asked: Asked, words: Mapping[str, str], where: str, values: tuple[object, ...]) -> Table:
    """Records in quarantine by partition, feed and reason."""
    table = query_table(
        reading.db, asked, "quarantine", "Records in quarantine", (
            *_place(where), Column("source", "Feed"), Column("meaning", "Held because"),
            # Where facility and batch date take the room, the table by reason has the codes.
            Column("reason", "Code", "code", is_shown=bool(where)), Column("owner", "Owner", "name"),
            Column("units", "Records", "count"), Column("since", "Since", "instant")),
        f"select *, reason as meaning from quarantine {where}", values, "since, facility_id, reason", _NO_QUARANTINE)
    rows = [{**row, "meaning": _meaning(words, str(row["reason"]))} for row in table.rows]
    return Table(table.name, table.caption, table.columns, rows, table.total, table.empty, table.order)


def holds_page(reading: Reading, asked: Asked, facility: str) -> Page:
    """Partitions that are kept out of what is published."""
    where, values = partition_filter(facility, "")
    held = reading.one(
        f"select count(*) from (select distinct facility_id, batch_date from hold where released is null "
        f"{'and facility_id = ?' if facility else ''})", *values)
    answer = (f"{counted(held, 'partition')} {'is' if held == 1 else 'are'} on hold; the last good state stays published." if held
              else "No partition is on hold.")
    return Page("Which partitions are on hold?", answer, "held" if held else "passed",
                [Crumb("Holds", "/holds"), *_scope(reading, facility, "")], [hold_table(reading, asked, where, values)])


def hold_table(reading: Reading, asked: Asked, where: str, values: tuple[object, ...]) -> Table:
    """Holds, open ones first."""
    return query_table(
        reading.db, asked, "holds", "Holds", (
            *_place(where), Column("state", "State", "status"),
            Column("asset", "Asset", "code", href="/asset/{asset}/{facility_id}/{batch_date}"), Column("reason", "Failed check"),
            Column("since", "Since", "instant"), Column("released", "Released", "instant")),
        f"select *, case when released is null then 'held' else 'released' end as state from hold {where}", values,
        "released is not null, since desc, facility_id, asset, reason",
        Empty("No partition has been held. One whose blocking checks fail would stand here, and its neighbours publish."))


def corrections_page(reading: Reading, asked: Asked, facility: str) -> Page:
    """Facts that later records restated."""
    where, values = partition_filter(facility, "")
    facts, partitions, oldest = reading.db.execute(
        f"select coalesce(sum(facts), 0), count(distinct facility_id || batch_date), min(oldest_service_date) from correction {where}",
        values).fetchone()
    answer = (
        f"{counted(facts, 'fact')} {'was' if facts == 1 else 'were'} restated by {counted(partitions, 'partition')}"
        + (f", reaching back to {long_date(oldest)}." if oldest else ".")
        if facts else "No later record has restated an earlier one.")
    return Page("What was corrected afterwards?", answer, "passed",
                [Crumb("Corrections", "/corrections"), *_scope(reading, facility, "")],
                [correction_table(reading, asked, where, values)])


def correction_table(reading: Reading, asked: Asked, where: str, values: tuple[object, ...]) -> Table:
    """Corrections by partition and resource."""
    return query_table(
        reading.db, asked, "corrections", "Corrections", (
            *_place(where), Column("resource", "Resource", "code"), Column("facts", "Facts restated", "count"),
            Column("slices", "Slices touched", "count"), Column("oldest_service_date", "Back to", "date"),
            Column("run_id", "Run", "id", href="/run/{run_id}"), Column("time", "When", "instant")),
        f"select * from correction {where}", values, "time desc, facility_id, batch_date, resource",
        Empty("No correction yet. A record that restates an earlier one under the same key would stand here."))


def verdict_table(reading: Reading, asked: Asked, where: str, values: tuple[object, ...]) -> Table:
    """What checks said, failures first."""
    return query_table(
        reading.db, asked, "verdicts", "Checks", (
            Column("shown", "Verdict", "status"), Column("description", "Question"),
            Column("asset", "Asset", "code", href="/asset/{asset}"),
            Column("failed_rows", "Rows failing", "count"), Column("total_rows", "Rows looked at", "count"),
            Column("severity", "If it fails"), Column("check_name", "Check", "code")),
        f"""select *, case when status = 'failed' and severity <> 'blocking' then 'warning' else status end as shown
            from verdict {where}""", values, "status = 'failed' desc, severity, asset, check_name",
        Empty("No check has looked at this yet.", "lakehouse materialize"))
