"""Which rows the analyst's copy takes: the facts of the chosen partitions, and whatever those facts lead to, however old.

So that every reference that leads somewhere in the warehouse leads there in the copy: an encounter that a result names, its patient, the
record that the patient was merged into, the order whose number a report carries. Sets in SQL; the temporary table `wanted` holds keys.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pyarrow as pa

from assets.stores.control import Partition
from transforms.governance.copy_rules import CopyRules

SURVIVOR = "canonical.patient_survivor"


def choose_rows(connection: duckdb.DuckDBPyConnection, rules: CopyRules, partitions: Sequence[Partition]) -> None:
    """Fill the temporary table `wanted (fact_key)` with the keys of all current rows that the copy holds."""
    connection.register("scope_rows", pa.table({
        "facility_id": pa.array([facility for facility, _ in partitions], pa.string()),
        "batch_date": pa.array([day for _, day in partitions], pa.date32()),
    }))
    in_scope = " union ".join(
        f"select t.fact_key from LAKE.canonical.{name} t join scope_rows s on s.facility_id = t.facility_id and s.batch_date = t.batch_date"
        for name in sorted(rules.resources))
    connection.execute(f"create temp table wanted as {in_scope}")
    connection.unregister("scope_rows")
    connection.execute(f"create temp table leads as {_leads(rules)}")
    connection.execute("create temp table frontier as select fact_key from wanted")
    while _advance(connection):
        pass


def _advance(connection: duckdb.DuckDBPyConnection) -> bool:
    """Take one step along all references; says whether it reached anything new."""
    connection.execute(
        "create or replace temp table frontier as select distinct leads.to_key as fact_key from leads join frontier on "
        "frontier.fact_key = leads.from_key where not exists (select 1 from wanted where wanted.fact_key = leads.to_key)")
    connection.execute("insert into wanted select fact_key from frontier")
    return bool(connection.execute("select count(*) from frontier").fetchall()[0][0])


def _leads(rules: CopyRules) -> str:
    """Give SQL of every reference in the current tables as `from_key, to_key`."""
    parts = [f"select patient_key as from_key, survivor_key as to_key from LAKE.{SURVIVOR}"]
    parts += [f"select subject_key, fact_key from LAKE.canonical.{part} where subject_key is not null" for part in rules.parts_of_patient]
    for name in sorted(rules.resources):
        columns = rules.columns[f"canonical.{name}"]
        parts += [f'select fact_key, "{column}" from LAKE.canonical.{name} where "{column}" is not null'
                  for column, kind in columns.items() if kind == "key" and column != "fact_key"]
        parts += [f'select t.fact_key, named.fact_key from LAKE.canonical.{name} t join LAKE.canonical.{target} named '
                  f'on named.facility_id = t.facility_id and named.identifier_value = t."{column}"'
                  for column, target in rules.numbers.items() if column in columns]
    return " union all ".join(parts)
