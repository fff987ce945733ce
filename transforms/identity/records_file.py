"""A file of patient records from many sources, read as the canonical tables that identity starts from.

What belongs here: the file's columns and the SQL that says what they mean, as staging says it for a feed. Everything after that
is the product's own path: `identity.patient_features`, the engine, the policy. DuckDB only: the file is resolved in a scratch warehouse.

Columns are text, `record_id` text or a whole number and unique; dates may be 2001-12-31, 20011231 or 12/31/2001, or of a date type; sex may
be M, F, male, female, 1 or 2 (ISO/IEC 5218).
"""

from __future__ import annotations

import pyarrow as pa

COLUMNS = (
    "record_id", "facility_id", "mrn", "family", "given", "middle", "suffix", "birth_date", "sex", "address", "zip", "phone", "email",
    "ssn", "ssn_last4", "insurance_id",
)

# the columns of canonical tables that identity reads
TABLES = (
    """create table canonical.patient (fact_key varchar, facility_id varchar, is_deleted boolean, active boolean, identifier_system varchar,
      identifier_value varchar, name_family varchar, name_given varchar, name_suffix varchar, gender varchar, birth_date varchar,
      telecom_phone varchar, telecom_email varchar, address_line varchar, address_postal_code varchar)""",
    """create table canonical.patient_identifier (fact_key varchar, subject_key varchar, is_deleted boolean, system varchar, value varchar,
      type_code varchar)""",
    "create table canonical.patient_survivor (patient_key varchar, survivor_key varchar)",
)

_DATE = """case
  when regexp_full_match(birth_date, '[0-9]{8}') then left(birth_date, 4) || '-' || substr(birth_date, 5, 2) || '-' || right(birth_date, 2)
  when regexp_full_match(birth_date, '[0-9]{2}/[0-9]{2}/[0-9]{4}')
    then right(birth_date, 4) || '-' || left(birth_date, 2) || '-' || substr(birth_date, 4, 2)
  else birth_date end"""


def unreadable(schema: pa.Schema) -> list[str]:
    """Name the columns whose type says something else than the column means, each with its type."""
    return [f"column {name} is {schema.field(name).type}" for name in COLUMNS if not _is_readable(name, schema.field(name).type)]


def _is_readable(name: str, kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind) or pa.types.is_null(kind)
    return (is_text or (name == "birth_date" and (pa.types.is_date(kind) or pa.types.is_timestamp(kind)))
            or (name in ("record_id", "sex") and pa.types.is_integer(kind)))


def as_text(records: pa.Table) -> pa.Table:
    """Give readable columns as text, all but `record_id`; a birth date of a date type as 2001-12-31."""
    for place, name in enumerate(records.schema.names):
        column = records[name]
        if pa.types.is_timestamp(column.type):
            column = column.cast(pa.date32(), safe=False)
        if name != "record_id":
            records = records.set_column(place, name, column.cast(pa.string()))
    return records


def statements(run_seq: int) -> tuple[str, ...]:
    """Give the statements that put relation `records_file` into the canonical tables, as changes of a run."""
    return (
        f"""insert into canonical.patient
        select cast(record_id as varchar), facility_id, false, true, 'mrn:' || facility_id, mrn, family,
          nullif(concat_ws(' ', given, middle), ''), suffix,
          case when sex in ('M', 'male', '1') then 'male' when sex in ('F', 'female', '2') then 'female' end,
          {_DATE}, phone, email, address, zip
        from records_file""",
        """insert into canonical.patient_identifier
        select cast(record_id as varchar) || '|SS', cast(record_id as varchar), false, null, coalesce(ssn, ssn_last4), 'SS'
        from records_file where coalesce(ssn, ssn_last4) is not null
        union all
        select cast(record_id as varchar) || '|MB', cast(record_id as varchar), false, null, insurance_id, 'MB'
        from records_file where insurance_id is not null""",
        f"""insert into control.change_log (run_seq, object, fact_key, facility_id)
        select {int(run_seq)}, 'patient', cast(record_id as varchar), facility_id from records_file""",
    )
