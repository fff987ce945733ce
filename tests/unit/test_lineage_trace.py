"""Trace: the fold pinned to one fact, witnesses proved by replay; on payloads and tables written here."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import duckdb
import pytest

from lineage.extract import Schemas
from lineage.fold import Fold
from lineage.links import ColumnLink
from lineage.trace import trace_row
from lineage.trace_mart import trace_mart, trace_view
from lineage.trace_sources import Sources
from lineage.witness import on_witnesses_alone, pinned_to_key, with_witnesses
from tests.unit.test_lineage_excerpt import HL7
from transforms.errors import ContractError

# Its versions carry what orders them and what is folded, and nothing that a trace needs beside.
CURRENT = """
with changed as (select distinct c.fact_key from LAKE.control.change_log c where c.object = 'patient_version'),
candidate as (
  select said.fact_key, said.record_id, said.row_hash, said.source_time, said.birth_date, said.birth_date_mark, said.facility_id
  from LAKE.canonical.patient_version said join changed on changed.fact_key = said.fact_key
  where not exists (select 1 from LAKE.control.held_partition held where held.facility_id = said.facility_id
                    and held.batch_date = said.batch_date and held.is_released = false)
),
version as (select candidate.* from candidate),
fold as (
  select version.fact_key, version.facility_id,
    first_value(case when version.birth_date_mark is not null then version.birth_date end ignore nulls) over (
      partition by version.fact_key order by version.source_time desc, version.record_id
      rows between current row and unbounded following) as birth_date,
    row_number() over (partition by version.fact_key order by version.source_time desc, version.record_id) as recency
  from version
)
select fold.fact_key, fold.facility_id, fold.birth_date, md5(concat_ws('|', fold.fact_key, fold.birth_date)) as current_hash
from fold where fold.recency = 1
"""
MART = """
with slice as (select t.facility_id, t.service_date from LAKE.control.touched_slice t group by t.facility_id, t.service_date),
woman as (
  select e.facility_id, e.service_date, e.fact_key, e.ward from LAKE.canonical.encounter e
  join slice on slice.facility_id = e.facility_id and slice.service_date = e.service_date where e.is_deleted = false
  union select e.facility_id, e.service_date, e.fact_key, e.ward from LAKE.canonical.encounter e
  join slice on slice.facility_id = e.facility_id and slice.service_date = e.service_date where e.ward = 'B'
  union all select o.facility_id, o.service_date, cast(null as varchar), 'lab' from LAKE.canonical.observation o
  join slice on slice.facility_id = o.facility_id and slice.service_date = o.service_date
)
select woman.facility_id, woman.service_date, woman.ward, count(*) as events, count(distinct woman.fact_key) as stays
from woman group by woman.facility_id, woman.service_date, woman.ward
"""
VIEW = """
with born as (select p.facility_id, p.birth_date, p.service_date from LAKE.canonical.patient p where p.is_deleted = false),
ward as (select distinct e.facility_id, e.ward from LAKE.canonical.encounter e)
select 'all of ' || born.facility_id as fact_key, born.facility_id, max(born.service_date) as service_date, min(born.birth_date) as eldest
from born group by born.facility_id
union all
select 'ward ' || ward.ward, ward.facility_id, cast(null as date), cast(null as varchar) from ward
"""


@pytest.fixture
def lake() -> duckdb.DuckDBPyConnection:
    """A warehouse of one patient with four versions, and a few encounters and observations."""
    db = duckdb.connect()
    db.execute("attach ':memory:' as LAKE")
    for schema in ("canonical", "control", "marts", "raw", "ref"):
        db.execute(f"create schema LAKE.{schema}")
    payload = sha256(HL7).hexdigest()
    db.execute("create table LAKE.control.change_log (object varchar, fact_key varchar)")
    db.execute("create table LAKE.control.touched_slice (facility_id varchar, service_date date)")
    db.execute("create table LAKE.control.held_partition (facility_id varchar, batch_date date, is_released boolean)")
    db.execute("insert into LAKE.control.held_partition values ('lakeside', '2026-01-09', false)")
    db.execute("""create table LAKE.canonical.patient_version (fact_key varchar, record_id varchar, row_hash varchar, source_time timestamp,
      birth_date varchar, birth_date_mark varchar, facility_id varchar, batch_date date, received_time timestamp, record_locator varchar,
      unit_id varchar, delivery_id varchar, payload_id varchar, source varchar, awaits_key varchar)""")
    rows = [("r1", "2026-01-05", "1951-09-05", "V", "2026-01-05", "u1", "message/1/segment/2"),
            ("r2", "2026-01-06", None, None, "2026-01-06", "u2", "message/2/segment/2"),
            ("r3", "2026-01-04", "1950-01-01", "V", "2026-01-07", "u1", "message/1/segment/2"),
            ("r4", "2026-01-09", "1999-09-09", "V", "2026-01-09", "u1", "message/1/segment/2")]
    db.executemany(
        "insert into LAKE.canonical.patient_version values ('k', ?, 'h' || ?, ?, ?, ?, 'lakeside', ?, ?, ?, ?, 'd', ?, 'adt', null)",
        [[r, r, time, birth, mark, batch, batch, locator, unit, payload] for r, time, birth, mark, batch, unit, locator in rows])
    db.execute("create table LAKE.canonical.patient (fact_key varchar, facility_id varchar, birth_date varchar, current_hash varchar, is_deleted boolean, "
               "service_date date, status varchar, source_time timestamp, batch_date date)")
    db.execute("insert into LAKE.canonical.patient (fact_key, facility_id, birth_date, current_hash, is_deleted) "
               "select 'k', 'lakeside', '1951-09-05', md5('k|1951-09-05'), false")
    db.execute("create table LAKE.raw.raw_hl7v2__segment (unit_id varchar, record_id varchar, record_locator varchar, unit_ordinal integer, "
               "segment_ordinal integer, segment_name varchar, segment_text varchar)")
    db.execute("insert into LAKE.raw.raw_hl7v2__segment values ('u1', 'x1', 'message/1/segment/1', 1, 1, 'MSH', 'MSH'), "
               "('u1', 'r1', 'message/1/segment/2', 1, 2, 'PID', 'PID')")
    db.execute("create table LAKE.raw.raw_hl7v2__pid (record_id varchar, pid_7_1 varchar)")
    db.execute("insert into LAKE.raw.raw_hl7v2__pid values ('r1', '19510905')")
    db.execute("create table LAKE.raw.raw_delivery (delivery_id varchar, received_time timestamp, source varchar)")
    db.execute("insert into LAKE.raw.raw_delivery values ('d', '2026-01-05 10:00:00', 'adt')")
    fact = "fact_key varchar, facility_id varchar, service_date date, ward varchar, is_deleted boolean, status varchar, source_time timestamp, " \
           "batch_date date, current_hash varchar"
    for resource in ("encounter", "observation"):
        db.execute(f"create table LAKE.canonical.{resource} ({fact})")
    db.execute("insert into LAKE.canonical.encounter select 'e' || i, 'lakeside', date '2026-01-05', case when i < 3 then 'A' else 'B' end, "
               "i = 5, 'finished', timestamp '2026-01-05', date '2026-01-05', 'h' from range(6) t(i)")
    db.execute("insert into LAKE.canonical.observation select 'o' || i, 'lakeside', date '2026-01-05', null, false, 'final', "
               "timestamp '2026-01-05', date '2026-01-05', 'h' from range(2) t(i)")
    db.execute("insert into LAKE.control.touched_slice values ('lakeside', '2026-01-05')")
    db.execute("create table LAKE.marts.mart_events as " + MART)
    db.execute("delete from LAKE.control.touched_slice")
    db.execute("create view LAKE.canonical.eldest as " + VIEW)
    db.execute("use LAKE")
    return db


def sources(db: duckdb.DuckDBPyConnection, payload: bytes = HL7) -> Sources:
    """The lake as a trace reads it."""
    def query(sql: str, values: Any) -> list[dict[str, Any]]:
        result = db.execute(sql, list(values))
        names = [column[0] for column in result.description or []]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def link(src: str, column: str, asset: str, out: str, kind: str = "DIRECT") -> ColumnLink:
        return ColumnLink(src, column, asset, out, kind, "IDENTITY", "", False, "")

    version = "canonical.patient_version"
    links = {
        ("canonical.patient", "birth_date"): [
            link(version, "birth_date", "canonical.patient", "birth_date"),
            link(version, "birth_date_mark", "canonical.patient", "birth_date", "INDIRECT")],
        ("canonical.eldest", "eldest"): [link("canonical.patient", "birth_date", "canonical.eldest", "eldest")],
        (version, "birth_date"): [link("raw.raw_hl7v2__pid", "pid_7_1", version, "birth_date")],
    }
    models = {"canonical.patient": CURRENT, "marts.mart_events": MART, "canonical.eldest": VIEW}

    def links_into(asset: str, column: str) -> list[ColumnLink]:
        given = links.get((asset, column), [])
        return given or ([link(version, column, asset, column)] if asset == "canonical.patient" else [])

    return Sources(query, lambda identifier: payload, links_into, models.get)


def test_the_record_behind_a_field(lake: duckdb.DuckDBPyConnection) -> None:
    """The newest version that speaks of the field, not the newest at all, nor one on hold; down to PID-7 of its message, replayed equal."""
    found = trace_row(sources(lake), "patient", {"fact_key": "k"}, "birth_date")
    current, version, raw, payload = found.steps
    assert found.badge == "replayed equal"
    assert [value.behind for value in current.values if value.name == "birth_date"] == ["r1"]
    reasons = {candidate.values[-1].value: (candidate.counts, candidate.reason) for candidate in version.candidates}
    assert reasons == {
        "r2": (False, "it does not speak of this field"), "r1": (True, "the newest that speaks of it"),
        "r3": (False, "a newer one speaks of it"), "r4": (False, "its partition is on hold")}
    assert raw.values[0].value == "19510905"
    assert payload.excerpt is not None
    assert (payload.excerpt.marked, HL7[payload.excerpt.offset : payload.excerpt.offset + 8]) == ("19510905", b"19510905")
    assert found.answer == "canonical.patient.birth_date comes from PID-7.1 of segment 2 of message 1; 4 versions of the fact are known."


def test_a_stale_row_is_said_to_be_stale(lake: duckdb.DuckDBPyConnection) -> None:
    """Where the model derives another row now, the badge says so."""
    lake.execute("update LAKE.canonical.patient set current_hash = 'older'")
    assert trace_row(sources(lake), "patient", {"fact_key": "k"}, "birth_date").badge == "derived differently now"


def test_an_altered_payload_is_not_shown(lake: duckdb.DuckDBPyConnection) -> None:
    """Bytes whose hash is not the payload's name are refused."""
    with pytest.raises(ContractError, match="hash differs"):
        trace_row(sources(lake, HL7.replace(b"James", b"Jimmy")), "patient", {"fact_key": "k"}, "birth_date")


@pytest.mark.parametrize(("key", "column", "words"), [
    ({"fact_key": "nobody"}, "", "no row of canonical.patient has this key"),
    ({"colour": "red"}, "", "no column colour"),
    ({"fact_key": "k"}, "colour", "no column colour"),
    ({}, "", "a key is needed"),
])
def test_questions_without_an_answer(lake: duckdb.DuckDBPyConnection, key: dict[str, str], column: str, words: str) -> None:
    """A row, key or column that is not there is named in words, and never the key's value."""
    with pytest.raises(ContractError, match=words) as refused:
        trace_row(sources(lake), "patient", key, column)
    assert "nobody" not in str(refused.value)


def test_a_model_that_is_no_fold() -> None:
    """A current model without the parts of a fold is refused rather than traced wrongly."""
    with pytest.raises(ContractError, match="no fold"):
        Fold("select 1 as fact_key")


def schemas(db: duckdb.DuckDBPyConnection) -> Schemas:
    """Columns of the lake's tables."""
    tables: dict[str, dict[str, str]] = {}
    for schema, table, column, kind in db.execute(
            "select table_schema, table_name, column_name, data_type from information_schema.columns where table_catalog = 'LAKE'").fetchall():
        tables.setdefault(f"{schema}.{table}", {})[column] = kind
    return Schemas(tables, "duckdb")


def test_carrying_keys_changes_no_row(lake: duckdb.DuckDBPyConnection) -> None:
    """The model with keys carried along gives the same rows; the keys are those of the rows that went in, known by hand."""
    sql, carried = with_witnesses(MART, schemas(lake), ["canonical.encounter", "canonical.observation"])
    rows = sources(lake).query(f"select * from ({sql}) order by ward", ["lakeside", "2026-01-05"])
    assert carried == {"canonical.encounter", "canonical.observation"}
    plain = [(row["ward"], row["events"], row["stays"]) for row in rows]
    assert plain == [("A", 3, 3), ("B", 3, 3), ("lab", 2, 0)]
    assert [sorted(set(row["w__canonical__encounter"])) for row in rows] == [["e0", "e1", "e2"], ["e3", "e4", "e5"], []]
    assert [sorted(row["w__canonical__observation"]) for row in rows] == [[], [], ["o0", "o1"]]


def test_witnesses_alone_give_the_row_again(lake: duckdb.DuckDBPyConnection) -> None:
    """Run on the witnesses of one row only, the model gives that row; with one witness fewer it does not."""
    query = sources(lake).query
    for keys, expected in ((["e0", "e1", "e2"], 3), (["e0", "e1"], 2)):
        sql = on_witnesses_alone(MART, {"canonical.encounter": keys, "canonical.observation": []})
        assert [(row["ward"], row["events"]) for row in query(sql, ["lakeside", "2026-01-05"])] == [("A", expected)]


def test_a_marts_row(lake: duckdb.DuckDBPyConnection) -> None:
    """A number of a mart leads to its rows though no slice is pending; a row that the model no longer gives is said to be so."""
    lake.execute("delete from LAKE.canonical.encounter where ward = 'B'")
    lake.execute("insert into LAKE.marts.mart_events select 'lakeside', date '2026-01-05', 'none', 0, 0")
    with pytest.raises(ContractError, match=r"the SQL of canonical\.encounter"):  # its rows are found; without a model they end there
        trace_mart(sources(lake), schemas(lake), "marts.mart_events", {"facility_id": "lakeside", "ward": "A"}, "events")
    gone = trace_mart(sources(lake), schemas(lake), "marts.mart_events", {"facility_id": "lakeside", "ward": "none"}, "events")
    assert gone.badge == "derived differently now"


def test_a_views_row(lake: duckdb.DuckDBPyConnection) -> None:
    """A row of a view, which has no fold and no slices, leads to the current rows that it is derived from and to the bytes behind the first;
    only the view's part that gave the row is a witness."""
    found = trace_view(sources(lake), schemas(lake), "canonical.eldest", {"fact_key": "all of lakeside"}, "eldest")
    assert found.badge == "replayed equal"
    assert [step.asset for step in found.steps] == [
        "canonical.eldest", "canonical.patient", "canonical.patient", "canonical.patient_version", "raw.raw_hl7v2__pid", "landing.payload"]
    payload = found.steps[-1].excerpt
    assert payload is not None
    assert payload.marked == "19510905"
    query, carried = with_witnesses(VIEW, schemas(lake), ["canonical.encounter", "canonical.patient"], pinned_to_key)
    rows = sources(lake).query(query, ["ward A"])
    assert carried == {"canonical.encounter", "canonical.patient"}
    assert [sorted(row["w__canonical__encounter"]) for row in rows] == [["e0", "e1", "e2"]]
    assert [row["w__canonical__patient"] for row in rows] == [[]]
    with pytest.raises(ContractError, match="no fact_key"):
        with_witnesses("select ward from LAKE.canonical.encounter", schemas(lake), [], pinned_to_key)


@pytest.mark.parametrize("sql", [
    "select 1 as x",
    "with slice as (select 1) select * from (select ward from LAKE.canonical.encounter) pivot (count(*) for ward in ('A'))",
    "with slice as (select 1) select fact_key from LAKE.canonical.encounter except select fact_key from LAKE.canonical.observation",
])
def test_shapes_whose_rows_cannot_be_told_apart(lake: duckdb.DuckDBPyConnection, sql: str) -> None:
    """PIVOT, EXCEPT and models without slices are refused, never traced wrongly."""
    with pytest.raises(ContractError):
        with_witnesses(sql, schemas(lake), ["canonical.encounter"])
