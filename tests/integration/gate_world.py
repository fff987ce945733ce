"""A small warehouse in memory with the control, raw and version tables, filled row by row by a test.

What belongs here: tables as the loader and the models make them, and rows in order, each the same as its neighbours but for its keys.
Columns are read from the contract itself, not from the checks. Not here: expected answers.
"""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import jinja2
import pyarrow as pa

from assets.stores.control import begin_run, create_control, create_tables
from assets.stores.duckdb_warehouse import DuckDBWarehouse
from transforms.decode.raw_schema import raw_table_columns, raw_table_names

CONTRACT = Path(__file__).parents[2] / "transforms" / "dbt" / "macros" / "resource_contract.sql"
RESOURCES = (
    "patient", "patient_identifier", "patient_link", "encounter", "condition", "observation", "service_request", "diagnostic_report",
)
DAY = date(2026, 1, 5)
NOON = datetime(2026, 1, 5, 12)


@cache
def contract(resource: str) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]:
    """Header and content columns (marks included) of a resource with their types, as the macro states them."""
    given: list[Any] = []
    environment = jinja2.Environment(extensions=["jinja2.ext.do"], autoescape=False)  # noqa: S701 - SQL, not HTML

    def give_back(value: Any) -> str:
        given.append(value)
        return ""

    environment.globals["return"] = give_back
    module: Any = environment.from_string(CONTRACT.read_text()).module
    module.header_columns()
    module.resource_contract(resource)
    header, content = given
    groups = list(dict.fromkeys(column[2] for column in content if len(column) > 2))
    columns = [(column[0], column[1]) for column in content] + [(f"{group}_mark", "varchar") for group in groups]
    return tuple((column[0], column[1]) for column in header), tuple(columns)


def md5(*parts: object) -> str:
    """Hash of a test's own key."""
    return hashlib.md5("|".join(map(str, parts)).encode(), usedforsecurity=False).hexdigest()


CONTENT: dict[str, dict[str, Any]] = {
    "patient": {
        "active": True, "name_family": "Muster", "name_given": "Erika", "gender": "female", "birth_date": "1980-02-14", "name_mark": "V",
        "gender_mark": "V", "birth_date_mark": "V", "identifier_system": "urn:oid:2.999.1", "identifier_value": "4711",
    },
    "patient_identifier": {"system": "urn:oid:2.999.1", "value": "4711", "type_code": "MR", "use": "usual"},
    "patient_link": {"type": "replaced-by"},
    "encounter": {
        "status_event": "cancelled", "class_code": "IMP", "period_start": "2026-01-05T08:00:00Z", "status_event_mark": "V",
        "class_mark": "V", "period_start_mark": "V", "service_date": DAY,
    },
    "condition": {"code_code": "E11.9", "code_system": "http://hl7.org/fhir/sid/icd-10-cm", "clinical_status": "active"},
    "observation": {
        "code_code": "2345-7", "code_system": "http://loinc.org", "status": "final", "effective_datetime": "2026-01-05T07:30:00Z",
        "value_quantity_value": 5.5, "value_quantity_unit": "mmol/L", "service_date": DAY,
    },
    "service_request": {"code_code": "24331-1", "code_system": "http://loinc.org", "status": "active", "priority": "routine"},
    "diagnostic_report": {"code_code": "24331-1", "code_system": "http://loinc.org", "status": "final", "issued": "2026-01-05T09:00:00Z"},
}


class GateWorld:
    """One scratch warehouse. `say` adds version rows with their unit and raw record; `run` begins a run over partitions."""

    def __init__(self, path: Path) -> None:
        """Open the warehouse file, making all tables, empty, where it is new."""
        self.ordinal = 1000 if path.exists() else 0
        self.connection = duckdb.connect()
        self.connection.execute(f"attach '{path}' as LAKE")
        self.connection.execute("use LAKE")
        self.warehouse = DuckDBWarehouse(self.connection)
        if not self.ordinal:
            self._make()

    def _make(self) -> None:
        create_control(self.warehouse)
        create_tables(self.warehouse, "raw", {name: raw_table_columns(name) for name in raw_table_names()})
        for resource in RESOURCES:
            header, content = contract(resource)
            version = {**dict(header), **dict(content), "row_hash": "varchar"}
            create_tables(self.warehouse, "canonical", {f"{resource}_version": version})
        create_tables(self.warehouse, "canonical", {"unit": {
            "unit_id": "varchar", "facility_id": "varchar", "batch_date": "date", "content_hash": "varchar"}})

    def run(self, name: str, *partitions: tuple[str, date]) -> int:
        """Begin a run and give its ordinal."""
        return begin_run(self.warehouse, name, partitions)

    def deliver(self, facility_id: str, day: date = DAY, units: int = 0, received: int | None = None) -> str:
        """A delivery of `units` decoded units, each with a raw row; `received` is what was counted in the bytes."""
        self.ordinal += 1
        delivery_id = md5("delivery", self.ordinal)
        self._insert("raw.raw_delivery", {
            "delivery_id": delivery_id, "payload_id": "a" * 64, "facility_id": facility_id, "source": "bulk", "batch_date": day,
            "received_time": NOON, "size": 10, "received_units": units if received is None else received,
        })
        for ordinal in range(1, units + 1):
            self.unit(facility_id, day, delivery_id, ordinal)
            self.record(facility_id, day, delivery_id, ordinal)
        return delivery_id

    def unit(self, facility_id: str, day: date, delivery_id: str, ordinal: int, **columns: Any) -> None:
        """One decoded unit."""
        row = {
            **self._coordinates(facility_id, day, delivery_id, ordinal), "unit_kind": "fhir.resource", "unit_locator": f"line {ordinal}",
            "record_type": "Patient", "content_hash": md5("content", delivery_id, ordinal), **columns,
        }
        self._insert("raw.raw_unit", row)
        self._insert("canonical.unit", {name: row[name] for name in ("unit_id", "facility_id", "batch_date", "content_hash")})

    def record(self, facility_id: str, day: date, delivery_id: str, ordinal: int, **columns: Any) -> None:
        """One raw FHIR resource of a unit."""
        self._insert("raw.raw_fhir__resource", {
            **self._coordinates(facility_id, day, delivery_id, ordinal), "record_locator": f"line {ordinal}",
            "record_id": md5(delivery_id, f"line {ordinal}"), "resource_type": "Patient", "is_deleted": False, "resource": "{}", **columns,
        })

    def say(self, resource: str, facility_id: str, day: date = DAY, rows: int = 1, **columns: Any) -> list[str]:
        """Add version rows, in order but for `columns`; give their fact keys."""
        said = []
        for _ in range(rows):
            self.ordinal += 1
            delivery_id, locator = md5("delivery", facility_id, day), f"line {self.ordinal}"
            subject = {} if resource == "patient" else {"subject_key": md5("patient of", facility_id)}
            other = {"other_key": md5("patient of", facility_id)} if resource == "patient_link" else {}
            said.append({
                "record_id": md5(delivery_id, locator), "unit_id": md5(delivery_id, self.ordinal), "delivery_id": delivery_id,
                "payload_id": "a" * 64, "record_locator": locator, "facility_id": facility_id, "batch_date": day, "received_time": NOON,
                "source": "bulk", "fact_key": md5(resource, self.ordinal), "source_time": NOON, "source_order": "", "is_deleted": False,
                "is_fact": True, "maintains": 1, **subject, **other, **CONTENT[resource], "row_hash": md5("row", self.ordinal), **columns,
            })
        self.warehouse.load(f"canonical.{resource}_version", pa.Table.from_pylist(said))
        return [str(row["fact_key"]) for row in said]

    def admit(self, facility_id: str, day: date = DAY) -> str:
        """Add the patient whom all rows of a facility speak of."""
        return self.say("patient", facility_id, day, fact_key=md5("patient of", facility_id))[0]

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run one statement and give its rows."""
        return self.connection.execute(sql, list(values)).fetchall()

    def _coordinates(self, facility_id: str, day: date, delivery_id: str, ordinal: int) -> dict[str, Any]:
        return {
            "facility_id": facility_id, "batch_date": day, "payload_id": "a" * 64, "received_time": NOON, "source": "bulk",
            "unit_id": md5(delivery_id, ordinal), "delivery_id": delivery_id, "unit_ordinal": ordinal,
        }

    def _insert(self, table: str, row: dict[str, Any]) -> None:
        self.warehouse.load(table, pa.Table.from_pylist([row]))
