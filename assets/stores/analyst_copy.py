"""Writes the analyst's copy: a DuckDB file of its own with masked rows of the chosen partitions, ready for dbt's target `dev`.

What belongs here: carrying tables over by the rules, and the control rows from which marts are built anew. Not here: what a rule means
(`transforms/governance`), building the marts (`orchestration/dev_copy.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from assets.stores.control import SCHEMAS, Partition
from assets.stores.copy_scope import choose_rows
from assets.stores.duckdb_warehouse import DuckDBWarehouse
from assets.stores.keys import Keys
from transforms.governance.copy_rules import BUILT, EMPTY, CopyRules
from transforms.governance.masking import MACROS, disguise_columns, key_pads, masked

Tables = Mapping[str, Mapping[str, str]]
KEY_USE = "analyst-copy"
# The run that the copy's change log speaks of: it comes before any run of an analyst, whose ordinal is 0 too.
COPY_SEQ = 0


def write_copy(warehouse: DuckDBWarehouse, keys: Keys, rules: CopyRules, partitions: Sequence[Partition], path: Path) -> dict[str, int]:
    """Write the copy to `path`, which must not exist; give the rows of each masked table.

    Raises ConfigurationError naming the first table or column that no rule names; nothing is written then.
    """
    connection = warehouse.connection
    tables = base_tables(connection)
    rules.require(tables)
    _prepare_masks(connection, keys)
    choose_rows(connection, rules, partitions)
    _disguise_subjects(connection, rules)
    target = str(path).replace("'", "''")
    connection.execute(f"attach '{target}' as copy")
    try:
        for schema in SCHEMAS:
            connection.execute(f"create schema copy.{schema}")
        for table, columns in tables.items():
            if rules.treatment(table) != BUILT:
                connection.execute(f"create table copy.{table} as {_rows(rules, table, columns)}")
        _write_control(connection, rules, partitions)
        return {table: int(connection.execute(f"select count(*) from copy.{table}").fetchall()[0][0])
                for table in tables if rules.treatment(table) == "masked"}
    finally:
        connection.execute("detach copy")


def base_tables(connection: duckdb.DuckDBPyConnection) -> Tables:
    """Give the warehouse's tables with their columns and types; views are left out, since dbt makes them anew."""
    found: dict[str, dict[str, str]] = {}
    for table, column, kind in connection.execute(
        "select table_schema || '.' || table_name, column_name, data_type from information_schema.columns join information_schema.tables "
        "using (table_catalog, table_schema, table_name) where table_catalog = 'LAKE' and table_type = 'BASE TABLE' "
        "order by table_schema, table_name, ordinal_position"
    ).fetchall():
        found.setdefault(table, {})[column] = kind
    return found


def _prepare_masks(connection: duckdb.DuckDBPyConnection, keys: Keys) -> None:
    for name, pad in key_pads(keys.derive(KEY_USE)).items():
        connection.execute(f"set variable {name} = cast(? as blob)", [pad])
    connection.execute("set variable known_codes = (select list(distinct local_code) from LAKE.ref.code_map)")
    for macro in MACROS:
        connection.execute(macro)


def _disguise_subjects(connection: duckdb.DuckDBPyConnection, rules: CopyRules) -> None:
    """Give every subject of a copied row the disguise of its person; a row without one (a practitioner, a payment) is its own subject."""
    subjects = " union ".join(
        f"select coalesce(t.subject_key, t.fact_key) as subject_key from LAKE.canonical.{name}{suffix} t join wanted using (fact_key)"
        for name in sorted(rules.resources) for suffix in ("", "_version"))
    connection.execute(
        "create temp table disguise as with human as (select subject.subject_key, "
        "token('disguise|' || coalesce(person.human_key, subject.subject_key)) as human "
        f"from ({subjects}) subject left join LAKE.marts.patient_person person on person.patient_key = subject.subject_key) "
        f"select human.subject_key, {disguise_columns('human.human')} from human")


def _rows(rules: CopyRules, table: str, columns: Mapping[str, str]) -> str:
    """Give SQL of a table's rows in the copy."""
    treatment = rules.treatment(table)
    if treatment != "masked":
        return f"select * from LAKE.{table}{' where false' if treatment == EMPTY else ''}"
    listed = ", ".join(f'{masked(rules.kind(table, column), column, kind)} as "{column}"' for column, kind in columns.items())
    first_key = next(column for column in columns if rules.kind(table, column) == "key")
    disguised = "join disguise d on d.subject_key = coalesce(t.subject_key, t.fact_key)" if "fact_key" in columns else ""
    return f'select {listed} from LAKE.{table} t join wanted on wanted.fact_key = t."{first_key}" {disguised}'


def _write_control(connection: duckdb.DuckDBPyConnection, rules: CopyRules, partitions: Sequence[Partition]) -> None:
    """Say that every copied fact is new to the marts and to nothing else, and how far each facility's data reach."""
    facts = " union all ".join(
        f"select '{name}', fact_key, facility_id, batch_date, service_date, service_end_date, subject_key from copy.canonical.{name}"
        for name in sorted(rules.resources))
    connection.execute(
        "insert into copy.control.change_log (run_seq, object, fact_key, facility_id, batch_date, new_from, new_to, new_subject_key) "
        f"select {COPY_SEQ}, * from ({facts} union all select 'link', patient_key, facility_id, null, null, null, person_id "
        "from copy.identity.link)")
    connection.execute(
        f"insert into copy.control.consumer select consumer, {COPY_SEQ} from LAKE.control.consumer "
        "where consumer not like 'touch\\_%' escape '\\' and consumer not in ('person', 'patient_features')")
    facilities = sorted({facility for facility, _ in partitions})
    connection.execute(
        "insert into copy.raw.raw_delivery (facility_id, batch_date) select facility_id, max(batch_date) from LAKE.raw.raw_delivery "
        f"where facility_id in ({', '.join('?' * len(facilities))}) group by facility_id", facilities)
