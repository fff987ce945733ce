"""The floor of a run: what a DuckDB script needs for the same files, tables and keys, without Dagster, dbt, ledger, checks or identity.

    python -m tests.bench.floor FOLDER WAREHOUSE

One encrypted file, as the product's. Raw rows with their cells and keys, version rows with fact keys and hashes, current rows by the
position in the log, the five marts. It interprets nothing that the generated rows (`change_rows`) do not hold: no time zones with gaps, no null
markers but one, no code maps. So it is a floor and no rival.
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb
from duckdb_extensions import import_extension

from tests.bench.change_rows import DAY, FACILITY

# Feed -> (resource, columns of the business key, typed columns of the resource's table)
RESOURCES = {
    "dms_patient": ("patient", "MRN", "MRN as identifier_value, LastName as name_family, FirstName as name_given, case Sex when 'M' then 'male' else 'female' end "
                    "as gender, BirthDate as birth_date, Street as address_line, City as address_city, State as address_state, cast(null as varchar) as subject, "
                    "cast(null as date) as service_date"),
    "dms_visit": ("encounter", "VisitNo", "VisitNo as identifier_value, case VisitType when 'I' then 'IMP' when 'O' then 'AMB' else 'EMER' end as class_code, "
                  "'finished' as status, AdmitTime as period_start, DischargeTime as period_end, Ward as location_point_of_care, Disposition as disposition, "
                  "MRN as subject, cast(AdmitTime::timestamp as date) as service_date"),
    "dms_diagnosis": ("condition", "DiagnosisID", "DiagnosisID as identifier_value, VisitNo as encounter, Icd10 as code_code, Description as code_text, "
                      "OnsetDate as onset_datetime, MRN as subject, OnsetDate::date as service_date"),
    "dms_order": ("service_request", "OrderNo", "OrderNo as identifier_value, VisitNo as encounter, TestCode as code_code, TestName as code_text, "
                  "OrderedAt as authored_on, MRN as subject, cast(OrderedAt::timestamp as date) as service_date"),
    "dms_labresult": ("observation", "ResultID", "ResultID as identifier_value, VisitNo as encounter, OrderNo as based_on, TestCode as code_code, TestName as code_text, "
                      "cast(ResultValue as decimal(18, 4)) as value_quantity_value, Unit as value_quantity_unit, CollectedAt as effective_datetime, "
                      "ReportedAt as issued, case ResultStatus when 'C' then 'corrected' else 'final' end as status, MRN as subject, "
                      "cast(CollectedAt::timestamp as date) as service_date"),
}
MARTS = {
    "mart_encounter_summary": "select e.facility_id, e.service_date, e.fact_key, e.class_code, e.period_start, e.period_end, o.n as observation_count, "
    "r.n as order_count, c.n as condition_count, c.code as primary_condition_code from encounter e "
    "left join (select encounter_key, count(*) as n from observation group by 1) o on o.encounter_key = e.fact_key "
    "left join (select encounter_key, count(*) as n from service_request group by 1) r on r.encounter_key = e.fact_key "
    "left join (select encounter_key, count(*) as n, min(code_code) as code from condition group by 1) c on c.encounter_key = e.fact_key",
    "mart_lab_turnaround": "select o.facility_id, o.service_date, o.fact_key, o.subject_key, o.code_code, r.fact_key as order_key, "
    "datediff('minute', r.authored_on::timestamp, o.effective_datetime::timestamp) as order_to_collection, "
    "datediff('minute', o.effective_datetime::timestamp, o.issued::timestamp) as collection_to_result, e.class_code from observation o "
    "left join service_request r on r.identifier_value = o.based_on left join encounter e on e.fact_key = o.encounter_key",
    "mart_facility_volume": "select facility_id, service_date, class_code, count(distinct subject_key) as persons, count(*) as events from ("
    "select facility_id, service_date, class_code, subject_key from encounter union all select o.facility_id, o.service_date, e.class_code, o.subject_key "
    "from observation o left join encounter e on e.fact_key = o.encounter_key union all select r.facility_id, r.service_date, e.class_code, r.subject_key "
    "from service_request r left join encounter e on e.fact_key = r.encounter_key) group by 1, 2, 3",
    "mart_readmission": "select i.facility_id, i.service_date, i.fact_key, i.subject_key, min(l.service_date) as readmission_date from encounter i "
    "left join encounter l on l.subject_key = i.subject_key and l.fact_key <> i.fact_key and l.class_code = 'IMP' and l.period_start >= i.period_end "
    "and l.service_date <= i.service_date + 30 where i.class_code = 'IMP' group by all",
    "mart_daily_census": "select d.day as service_date, e.location_point_of_care, count(*) as inpatients from (select distinct service_date as day from encounter) d "
    "join encounter e on e.class_code = 'IMP' and e.period_start::date <= d.day and e.period_end::date >= d.day group by all",
}


def build(folder: Path, warehouse: Path) -> None:
    """Write all tables of the files below a folder."""
    import_extension("httpfs")
    connection = duckdb.connect(config={"memory_limit": "2GB", "preserve_insertion_order": "false", "temp_directory": str(warehouse.parent / "spill")})
    connection.execute("load httpfs")
    connection.execute(f"attach '{warehouse}' as LAKE (encryption_key '{'0' * 64}')")
    connection.execute("use LAKE")
    for feed, (resource, key, columns) in RESOURCES.items():
        file = next((folder / FACILITY / feed / DAY).iterdir())
        names = [name for name in file.open().readline().strip().split(",") if name not in ("Op", "AR_H_CHANGE_SEQ")]
        connection.execute(
            f"create table raw_{resource} as select md5('{feed}|' || row_number() over ()) as record_id, '{FACILITY}' as facility_id, date '{DAY}' as batch_date, "
            f"Op as op, AR_H_CHANGE_SEQ as sequence, [{', '.join(names)}] as cells, md5(concat_ws('|', {', '.join(names)})) as content_hash "
            f"from read_csv('{file}', all_varchar = true)")
        cells = ", ".join(f"nullif(cells[{place}], 'NULL') as {name}" for place, name in enumerate(names, 1))
        keyed = "md5(concat_ws('|', facility_id, 'encounter', encounter)) as encounter_key, " if "as encounter," in columns else ""
        connection.execute(
            f"create table {resource}_version as with cell as (select record_id, facility_id, batch_date, sequence, {cells} from raw_{resource}), "
            f"typed as (select record_id, facility_id, batch_date, sequence, md5(concat_ws('|', facility_id, '{resource}', {key})) as fact_key, {columns} from cell) "
            f"select typed.*, md5(concat_ws('|', facility_id, 'patient', subject)) as subject_key, {keyed}md5(cast(typed as varchar)) as row_hash from typed")
        connection.execute(f"create table {resource} as select * from {resource}_version "
                           "qualify row_number() over (partition by fact_key order by sequence desc, row_hash desc) = 1")
    for mart, sql in MARTS.items():
        connection.execute(f"create table {mart} as {sql}")
    connection.close()


if __name__ == "__main__":
    build(Path(sys.argv[1]), Path(sys.argv[2]))
