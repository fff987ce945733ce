"""The first page: is everything accounted for, and is the record of it intact?"""

from __future__ import annotations

from lineage.audit_verify import Answer, Verification
from orchestration.catalog.cells import count, long_date
from orchestration.catalog.heat import strip
from orchestration.catalog.reading import Reading
from orchestration.catalog.tables import Asked, query_table
from orchestration.catalog.view import Column, Crumb, Empty, Fact, Facts, Figure, Figures, Heat, Page, Table

_WORST_FIRST = """case state when 'unbalanced' then 0 when 'held' then 1 when 'failed' then 2 when 'warning' then 3
                  else 4 end, name"""
NO_RUN = Empty("No run has written to the catalog yet.", "lakehouse demo")


def overview_page(reading: Reading, asked: Asked, verification: Verification) -> Page:
    """What an auditor asks first."""
    sums = reading.db.execute(
        "select coalesce(sum(received), 0), coalesce(sum(quarantined), 0), coalesce(sum(balanced = 0), 0), "
        "count(distinct facility_id) from ledger").fetchone()
    received, quarantined, unbalanced, facilities = (int(value) for value in sums)
    holds = reading.one("select count(*) from (select distinct facility_id, batch_date from hold where released is null)")
    answer, status = _answer(reading, received, unbalanced, facilities)
    return Page(
        "Is everything accounted for?", answer, status, [Crumb("Overview")],
        [
            Figures([
                Figure(count(received), "records received", "/ledger"),
                Figure(count(reading.one("select sum(canonical) from ledger")), "published", "/ledger"),
                Figure(count(quarantined), "in quarantine", "/quarantine", "waiting" if quarantined else ""),
                Figure(count(holds), "partitions on hold", "/holds", "held" if holds else ""),
                Figure(count(reading.one("select sum(facts) from correction")), "facts corrected", "/corrections"),
                Figure(count(verification.entries), "log entries", "/log"),
            ]),
            verification_facts(verification),
            day_strip(reading, asked.everything),
            _facilities(reading, asked),
            runs_table(reading, asked, "runs", "Newest runs", "", ()),
        ])


def _answer(reading: Reading, received: int, unbalanced: int, facilities: int) -> tuple[str, str]:
    if not reading.days:
        return "Nothing has been received yet.", "pending"
    if unbalanced:
        lines = "One line of the ledger does" if unbalanced == 1 else f"{count(unbalanced)} lines of the ledger do"
        return f"{lines} not add up: what was received is not what became of it.", "unbalanced"
    since = long_date(reading.days[0])
    return (f"All {count(received)} records received from {facilities} facilities since {since} are accounted for.",
            "balanced")


def verification_facts(verification: Verification) -> Facts:
    """The three verdicts on the log, side by side and never melted into one."""
    def line(label: str, answer: Answer) -> Fact:
        word = {True: "yes", False: "no", None: "not told"}[answer.ok]
        return Fact(label, word, "status", note=answer.sentence)

    return Facts("Is the record intact?", [
        line("Internally consistent", verification.consistent), line("Signed", verification.signed),
        line("Consistent with anchors", verification.anchored)])


def day_strip(reading: Reading, everything: bool = False) -> Heat:
    """Facility by day: the worst that is to be said of each."""
    states = {
        (row["facility_id"], row["batch_date"]): (row["state"], _words(row["state"], row))
        for row in reading.db.execute(f"select * from {reading.partition_states()}")
    }
    newest = reading.days[-1] if reading.days else None
    return strip(reading, "Facilities by batch date, worst first", states,
                 lambda facility, day: f"/facility/{facility}/{day}", newest, everything)


def _words(state: str, row: object) -> str:
    received, quarantined = row["received"], row["quarantined"]  # type: ignore[index]  # a row of the partition states
    held = f", {count(quarantined)} in quarantine" if quarantined else ""
    return f"{state}, {count(received)} received{held}"


def _facilities(reading: Reading, asked: Asked) -> Table:
    return query_table(
        reading.db, asked, "facilities", "Facilities", (
            Column("name", "Facility", href="/facility/{facility_id}"),
            Column("state", "State", "status"),
            Column("newest", "Newest batch", "date", href="/facility/{facility_id}/{newest}"),
            Column("received", "Received", "count", href="/ledger?facility={facility_id}"),
            Column("quarantined", "In quarantine", "count", href="/quarantine?facility={facility_id}"),
            Column("held_days", "Days on hold", "count", href="/holds?facility={facility_id}"),
            Column("source_system", "System"),
            Column("owner", "Owner", "name"),
        ), f"""
        select f.facility_id, f.name, f.source_system, f.owner, max(s.batch_date) as newest,
          coalesce(sum(s.received), 0) as received, coalesce(sum(s.quarantined), 0) as quarantined,
          coalesce(sum(s.state = 'held'), 0) as held_days,
          case when max(s.state = 'unbalanced') then 'unbalanced' when max(s.state = 'held') then 'held'
               when max(s.state = 'failed') then 'failed' when max(s.state = 'warning') then 'warning'
               when max(s.state = 'balanced') then 'balanced' else 'nothing received' end as state
        from facility f left join {reading.partition_states()} s on s.facility_id = f.facility_id
        group by f.facility_id, f.name, f.source_system, f.owner
        """, (), _WORST_FIRST, Empty("No facility is registered in the catalog yet.", "lakehouse demo"))


def runs_table(reading: Reading, asked: Asked, name: str, caption: str, where: str, values: tuple[object,
    ...]) -> Table:
    """Runs, newest first."""
    return query_table(
        reading.db, asked, name, caption, (
            Column("run_id", "Run", "id", href="/run/{run_id}"),
            Column("kind", "Job"),
            Column("state", "State", "status"),
            Column("facility_count", "Facilities", "count"),
            Column("first_date", "From", "date"),
            Column("last_date", "To", "date"),
            Column("started", "Started", "instant"),
            Column("seconds", "Seconds", "count"),
        ), f"""
        select run_id, run_seq, kind, state, started, json_array_length(facilities) as facility_count,
          json_extract(dates, '$[0]') as first_date, json_extract(dates, '$[#-1]') as last_date,
          cast(round((julianday(ended) - julianday(started)) * 86400) as integer) as seconds
        from run {where}
        """, values, "run_seq desc", NO_RUN)
