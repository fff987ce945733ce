"""The catalog's tables as data: what pages and `lakehouse status` read, without ever opening the warehouse.

A projection is derived: it can be thrown away and written again from the warehouse. What proves it is the audit log,
to which the same transaction appends. No column holds a patient's value: names, codes, counts, dates, hashes and SQL
text.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """One column. `form`: text, integer, boolean, date (ISO text), instant (UTC, ISO text with `Z`) or json
    (text).
    """

    name: str
    form: str
    nullable: bool
    description: str


@dataclass(frozen=True)
class Table:
    """One projection: its columns and the key that makes a row one."""

    name: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    indexes: tuple[tuple[str, ...], ...] = ()
    """Columns that pages look rows up by, where the key does not serve."""

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names in order."""
        return tuple(column.name for column in self.columns)


def _table(name: str, description: str, key: str, columns: str, indexes: str = "") -> Table:
    """A table from lines `name form description`; a form followed by `?` may be null."""
    parsed = []
    for line in columns.strip().splitlines():
        column, form, meaning = line.split(maxsplit=2)
        parsed.append(Column(column, form.rstrip("?"), form.endswith("?"), meaning))
    looked_up = tuple(tuple(index.split(", ")) for index in indexes.split("; ") if index)
    return Table(name, description, tuple(parsed), tuple(key.split(", ")), looked_up)


_ALL = (
    _table("facility", "the facilities of the registry", "facility_id", """
        facility_id    text      facility as the registry names it
        name           text      name for people
        region         text      region
        owner          text      who answers for its data
        timezone       text      IANA zone
        source_system  text      EMR
    """),
    _table("run", "runs and what they covered", "run_id", """
        run_id         text      run
        run_seq        integer   ordinal of the run
        kind           text      job or command
        facilities     json      list of facilities
        dates          json      list of batch dates
        started        instant   start
        ended          instant?  end; null while it runs
        state          text      running, success or failure
    """),
    _table("delivery", "arrivals", "delivery_id", """
        delivery_id    text      delivery
        payload_id     text      SHA-256 of the bytes
        facility_id    text      facility
        source         text      feed
        batch_date     date      the day the facility sent it
        size           integer   bytes
        received_time  instant   when the bytes reached us
        units          integer?  units counted in the payload; null until it is decoded
        flags          text?     codes that mark the delivery, such as csv.empty_extract
    """, indexes="facility_id, batch_date"),
    _table("materialization", "the newest state of each asset's partition", "asset, facility_id, batch_date", """
        asset          text      schema.table
        layer          text      landing, raw, staging, canonical, identity or marts
        facility_id    text      facility
        batch_date     date      the day the facility sent it
        run_id         text      run that wrote it
        code_version   text      version of the code or SQL
        data_version   text      version of the inputs
        reading_rules  text?     digest of the registry entry and concept maps that the partition was read under
        rows           integer   rows of the partition; of a mart in the slices it touched; else of the whole table
        content_hash   text?     hash of the partition's rows
        time           instant   when it was written
    """, indexes="facility_id, batch_date; run_id"),
    _table("verdict", "what checks said of a partition", "asset, check_name, facility_id, batch_date", """
        asset          text      schema.table
        check_name     text      check
        facility_id    text      facility
        batch_date     date      the day the facility sent it
        status         text      passed, failed or skipped
        severity       text      blocking or warning
        failed_rows    integer   rows that fail
        total_rows     integer   rows looked at
        description    text      what the check asks, in words
        run_id         text      run that decided it
        time           instant   when it was decided
    """, indexes="status, asset; facility_id, batch_date"),
    _table("ledger", "received = canonical + duplicate + superseded + quarantined + ignored by rule",
           "facility_id, batch_date, source, record_type, unit_kind", """
        facility_id    text      facility
        batch_date     date      the day the facility sent it
        source         text      feed
        record_type    text      kind of record
        unit_kind      text      what is counted once
        received       integer   units counted on the payload's side
        canonical      integer   published
        duplicate      integer   received before
        superseded     integer   a newer version counts
        quarantined    integer   held for their owner
        ignored_by_rule integer  left out by a named rule
        balanced       boolean   do the five add up to received?
    """),
    _table("quarantine", "units that wait for their owner", "facility_id, batch_date, source, reason", """
        facility_id    text      facility
        batch_date     date      the day the facility sent it
        source         text      feed
        reason         text      code of the closed vocabulary
        owner          text      who can mend it
        units          integer   units waiting
        since          instant   received time of the first
    """),
    _table("hold", "partitions kept out of what is published", "facility_id, batch_date, asset, reason", """
        facility_id    text      facility
        batch_date     date      the day the facility sent it
        asset          text      schema.table
        reason         text      check that failed
        since          instant   held since
        released       instant?  released at; null while held
    """),
    _table("correction", "facts that a partition restated", "facility_id, batch_date, resource, run_id", """
        facility_id    text      facility
        batch_date     date      the day the facility sent the restating records
        resource       text      canonical resource
        facts          integer   facts whose content changed
        slices         integer   mart slices that the partition touched in the run
        oldest_service_date date? earliest service date it reached
        run_id         text      run
        time           instant   when it was written
    """),
    _table("slice", "mart slices and whether they are current", "mart, facility_id, service_date", """
        mart           text      mart
        facility_id    text      facility
        service_date   date      day of service
        state          text      current, pending (to be built) or stale (its newest build failed its checks)
        run_id         text      run that wrote it
        time           instant   when it was written
    """),
    _table("model", "assets and their code", "asset, code_version", """
        asset          text      schema.table
        layer          text      landing, raw, staging, canonical, identity or marts
        description    text      what a row is
        owner          text      who answers for it
        code_version   text      version of the code or SQL
        current        boolean   is this the version in force?
        sql            text?     compiled SQL; null where it is Python
        columns        json      list of {name, type, description, phi (computed level 0 to 3)}
        opaque         text?     why column lineage is not known; null where it is
    """),
    _table("asset_edge", "which asset reads which", "asset, upstream", """
        asset          text      reader
        upstream       text      what it reads
    """),
    _table("column_edge", "one column derived from another",
           "model, code_version, out_col, src_asset, src_col, path, type, subtype", """
        model          text      asset of the output column
        code_version   text      version of its SQL
        out_col        text      output column
        src_asset      text      asset read
        src_col        text      column read; * where it is the rows
        path           text      place in a JSON document; empty: the whole column
        type           text      DIRECT or INDIRECT
        subtype        text      how it is derived, see lineage.edges
        masking        boolean   does a hash stand between?
        expr_sql       text      expression of the output column
    """, indexes="src_asset, src_col"),
    _table("rowset_edge", "a column that decides which rows there are",
           "model, code_version, src_asset, src_col, path, subtype", """
        model          text      asset whose rows it decides
        code_version   text      version of its SQL
        src_asset      text      asset read
        src_col        text      column read; * where it is the rows
        path           text      place in a JSON document; empty: the whole column
        subtype        text      how: JOIN, FILTER, GROUP_BY, SORT or SUBQUERY
    """, indexes="src_asset, src_col"),
)

TABLES: dict[str, Table] = {table.name: table for table in _ALL}
"""Name -> shape of every projection."""
