"""What a store holds for each case, in the words of the column contract (`cases/columns.json`).

Belongs here: reading the product's tables once, naming a fact's patient and encounter by their identifiers, raw rows by the
standard's names. Does not belong here: judging.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from tests.acceptance.golden_cases import SHIPPED

Row = dict[str, Any]
RESOURCES = tuple(name for name in json.loads((SHIPPED / "columns.json").read_text("utf-8")) if name != "*")


@dataclass
class Found:
    """One case's part of a store. `current`: rows that hold now, deleted ones left out; `versions`: everything ever said."""

    outcomes: Counter[str] = field(default_factory=Counter)
    unit_kinds: Counter[str] = field(default_factory=Counter)
    reasons: dict[str, Counter[str]] = field(default_factory=dict)
    held_amounts: dict[str, Any] = field(default_factory=dict)
    flags: set[str] = field(default_factory=set)
    unbalanced: int = 0
    current: dict[str, list[Row]] = field(default_factory=dict)
    versions: dict[str, list[Row]] = field(default_factory=dict)
    raw: dict[str, list[Row]] = field(default_factory=dict)


def read_found(root: Any, first_day: date) -> dict[str, Found]:
    """Everything by facility; outcomes only of units that came on `first_day` or later."""
    with root.warehouse.open(read_only=True) as warehouse:
        reader = _Reader(warehouse, first_day)
        reader.ledger()
        reader.resources()
        reader.raw_rows()
    return reader.found


class _Reader:
    def __init__(self, warehouse: Any, first_day: date) -> None:
        self._warehouse = warehouse
        self._first_day = first_day
        self._tables = {row["name"] for row in self._rows(
            "select table_schema || '.' || table_name as name from information_schema.tables where table_catalog = 'LAKE'")}
        self.found: dict[str, Found] = {}

    def _rows(self, query: str, *values: Any) -> list[Row]:
        rows: list[Row] = self._warehouse.query(query, list(values)).to_pylist()
        return rows

    def _of(self, row: Row) -> Found:
        return self.found.setdefault(str(row.pop("facility_id")), Found())

    def ledger(self) -> None:
        """Outcomes, reasons, amounts held, flags, and whether received equals the outcomes."""
        for row in self._rows("select facility_id, outcome, reason, unit_kind, count(*) as units from LAKE.canonical.unit_outcome "
                              "where batch_date >= ? group by all", self._first_day):
            found = self._of(row)
            found.outcomes[row["outcome"] or "none"] += row["units"]
            found.unit_kinds[row["unit_kind"]] += row["units"]
            if row["outcome"] in ("quarantined", "ignored_by_rule"):
                found.reasons.setdefault(row["outcome"], Counter())[row["reason"]] += row["units"]
        for row in self._rows("select facility_id, flag from LAKE.canonical.unit_flag where batch_date >= ?", self._first_day):
            self._of(row).flags.add(row["flag"])
        for row in self._rows("select facility_id, flags from LAKE.raw.raw_delivery where flags is not null"):
            self._of(row).flags.update(row["flags"].split(","))
        for row in self._rows("select facility_id from LAKE.canonical.reconciliation where not is_balanced"):
            self._of(row).unbalanced += 1
        for row in self._rows("select facility_id, reason, sum(amount) as amount from LAKE.canonical.unit_outcome "
                              "where outcome = 'quarantined' and amount is not null group by all"):
            self._of(row).held_amounts[row["reason"]] = row["amount"]

    def resources(self) -> None:
        """Current rows and versions of every resource that has a table."""
        for resource in RESOURCES:
            if f"canonical.{resource}" in self._tables:
                for row in self._facts(f"canonical.{resource}", "fact.is_deleted is not true"):
                    self._of(row).current.setdefault(resource, []).append(row)
            if f"canonical.{resource}_version" in self._tables:
                for row in self._facts(f"canonical.{resource}_version", "true"):
                    self._of(row).versions.setdefault(resource, []).append(row)

    def _facts(self, table: str, condition: str) -> Iterator[Row]:
        """Rows of a resource with the numbers of their patient, its survivor and their encounter; an imaging study names none."""
        columns = {row["column_name"] for row in self._rows(
            "select column_name from information_schema.columns where table_schema || '.' || table_name = ?", table)}
        visit = "fact.encounter_key" if "encounter_key" in columns else "cast(null as varchar)"
        for row in self._rows(
            "select fact.*, own.identifier_value as patient_identifier_value, survivor.identifier_value as subject_identifier_value, "
            "survivor.id as subject_id, encounter.identifier_value as named_encounter "
            f"from LAKE.{table} fact left join LAKE.canonical.patient own on own.fact_key = fact.subject_key "
            "left join LAKE.canonical.patient_survivor leads on leads.patient_key = fact.subject_key "
            "left join LAKE.canonical.patient survivor on survivor.fact_key = coalesce(leads.survivor_key, fact.subject_key) "
            f"left join LAKE.canonical.encounter encounter on encounter.fact_key = {visit} where {condition}"
        ):
            row["encounter_identifier_value"] = row.get("encounter_identifier_value") or row.pop("named_encounter")
            yield {name: _shown(value) for name, value in row.items()}

    def raw_rows(self) -> None:
        """Every segment split by its delimiters, change rows by their column names, other tables as they are."""
        for row in self._rows("select facility_id, segment_name, segment_text, delimiters from LAKE.raw.raw_hl7v2__segment "
                              "where segment_name is not null and delimiters is not null"):
            self._of(row).raw.setdefault(row["segment_name"].lower(), []).append(_segment_row(**row))
        for row in self._rows(
            "select sent.facility_id, lower(replace(sent.source_table, '.', '_')) as source_table, sent.cells, "
            "list(head.column_name order by head.column_ordinal) as names from LAKE.raw.raw_extract__row sent "
            "join LAKE.raw.raw_extract__column head on head.delivery_id = sent.delivery_id group by all"
        ):
            cells = dict(zip((name.lower() for name in row["names"]), row["cells"], strict=False))
            self._of(row).raw.setdefault(row["source_table"], []).append(cells)
        own = [name for name in self._tables if name.startswith("raw.raw_") and "__" in name and "extract" not in name]
        for name in own:
            dialect, part = name.removeprefix("raw.raw_").split("__")
            for row in self._rows(f"select * from LAKE.{name}"):
                self._of(row).raw.setdefault(part if dialect == "hl7v2" else f"{dialect}_{part}", []).append(row)


def _segment_row(segment_name: str, segment_text: str, delimiters: str) -> Row:
    """Columns of a segment of which nothing is known: first repetitions, components always numbered; field 1 of a header is the separator."""
    field_mark, component, repetition, _, subcomponent = delimiters.ljust(5, "\0")[:5]
    columns: Row = {}
    first = 2 if segment_name in {"MSH", "FHS", "BHS"} else 1
    for number, value in enumerate(segment_text.split(field_mark)[1:], first):
        for place, part in enumerate(value.split(repetition)[0].split(component), 1):
            name = f"{segment_name.lower()}_{number}_{place}"
            columns[name] = part or None
            pieces = part.split(subcomponent)
            columns |= {f"{name}_{n}": piece for n, piece in enumerate(pieces, 1) if len(pieces) > 1}
    return columns


def _shown(value: Any) -> Any:
    """Times as the contract writes them: UTC with Z, fractions without trailing zeros."""
    if isinstance(value, datetime):
        text = value.isoformat()
        return (text.rstrip("0") if "." in text else text) + "Z"
    return value
