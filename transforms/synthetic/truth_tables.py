"""Truth rows as Arrow tables: one schema per table, and the account of the units of each file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from transforms.synthetic.feed_files import FeedFile
from transforms.synthetic.outcomes import OUTCOMES
from transforms.synthetic.truth_billing import ClaimPaymentRow, ClaimRow, EligibilityRow, PaymentRow
from transforms.synthetic.truth_documents import AllergyRow, DocumentRow, ImmunizationRow, ProblemRow
from transforms.synthetic.truth_rows import TruthRows
from transforms.synthetic.truth_studies import ImagingStudyRow
from transforms.synthetic.truth_treatments import PrescriptionRow, ProcedureRow
from transforms.synthetic.truth_types import (
    ConditionRow,
    EncounterRow,
    OrderRow,
    PatientRow,
    PersonRow,
    ReportRow,
    ResultRow,
)

_INSTANTS = {"died_at", "period_start", "period_end", "authored_on", "effective", "issued", "started_at", "ended_at", "ordered_at",
             "collected_at", "resulted_at", "discharged_at", "readmitted_at", "started",
             "performed_at"}
_DATES = {"service_date", "service_end_date", "onset", "batch_date", "readmission_date"}
_INTEGERS = {"person_no", "reuses_number_of_person", "versions", "unit_ordinal", "units", *OUTCOMES, "inpatients", "open_stays",
             "encounters", "persons", "results", "orders", "observation_count", "order_count", "condition_count",
             "days_to_readmission", "item_count", "number_of_series",
             "number_of_instances"}
_FLAGS = {"active", "is_current", "is_deleted", "recorded_in_adt", "is_inpatient_stay", "is_open", "is_readmitted",
          "is_identity_hard"}
_DECIMALS = {"length_of_stay_hours", "order_to_collection_minutes", "collection_to_result_minutes", "order_to_result_minutes",
             "total_value", "submitted_amount", "payment_amount", "patient_responsibility_amount", "payment_amount_value",
             "carried_forward"}


def _type(column: str) -> pa.DataType:
    if column in _INSTANTS:
        return pa.timestamp("s")
    if column in _DATES:
        return pa.date32()
    if column in _INTEGERS:
        return pa.int32()
    if column in _DECIMALS:
        return pa.decimal128(18, 2)
    return pa.bool_() if column in _FLAGS else pa.string()


def table_of(row_type: Any, rows: Sequence[Any]) -> pa.Table:
    """The rows of a NamedTuple type as an Arrow table; column types follow from the names."""
    schema = pa.schema([(name, _type(name)) for name in row_type._fields])
    columns = zip(*rows, strict=True) if rows else [[] for _ in schema]
    return pa.Table.from_arrays(
        [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)], schema=schema)


def truth_tables(rows: TruthRows) -> dict[str, pa.Table]:
    """Table name -> rows of one group of people."""
    return {
        "people": table_of(PersonRow, rows.people), "patients": table_of(PatientRow, rows.patients),
        "encounters": table_of(EncounterRow, rows.encounters), "orders": table_of(OrderRow, rows.orders),
        "reports": table_of(ReportRow, rows.reports), "results": table_of(ResultRow, rows.results),
        "conditions": table_of(ConditionRow, rows.conditions),
        "claims": table_of(ClaimRow, rows.claims), "claim_payments": table_of(ClaimPaymentRow, rows.claim_payments),
        "payments": table_of(PaymentRow, rows.payments), "eligibilities": table_of(EligibilityRow, rows.eligibilities),
        "allergies": table_of(AllergyRow, rows.allergies), "immunizations": table_of(ImmunizationRow, rows.immunizations),
        "problems": table_of(ProblemRow, rows.problems), "documents": table_of(DocumentRow, rows.documents),
        "imaging_studies": table_of(ImagingStudyRow, rows.imaging_studies),
        "prescriptions": table_of(PrescriptionRow, rows.prescriptions), "procedures": table_of(ProcedureRow, rows.procedures),
    }


UNIT_SCHEMA = pa.schema(
    [("facility_id", pa.string()), ("source", pa.string()), ("batch_date", pa.date32()), ("file_name", pa.string()),
     ("unit_kind", pa.string()), ("unit_ordinal", pa.int32()), ("record_type", pa.string()), ("outcome", pa.string()),
     ("reason", pa.string())])


def unit_table(file: FeedFile) -> pa.Table:
    """One row for each unit of a file: what must become of it, and why where a rule says so."""
    size = len(file.units)
    kinds, outcomes, reasons = zip(*file.units, strict=True) if size else ((), (), ())
    fixed = [pa.repeat(pa.scalar(value, kind), size) for value, kind in (
        (file.facility_id, pa.string()), (file.source, pa.string()), (file.day, pa.date32()), (file.name, pa.string()),
        (file.unit_kind, pa.string()))]
    told = [pa.array(range(1, size + 1), pa.int32()), *(pa.array(column, pa.string()) for column in (kinds, outcomes, reasons))]
    return pa.Table.from_arrays([*fixed, *told], schema=UNIT_SCHEMA)


LedgerKey = tuple[str, int, str, str, str]


class LedgerTruth:
    """Counts units by facility, batch date, source, unit kind and record type while files go by."""

    def __init__(self) -> None:
        self._counts: dict[LedgerKey, Counter[str]] = {}

    def add(self, file: FeedFile) -> None:
        """Count the units of one file."""
        for (record_type, outcome), count in Counter((kind, outcome) for kind, outcome, _ in file.units).items():
            key = (file.facility_id, file.day, file.source, file.unit_kind, record_type)
            self._counts.setdefault(key, Counter())[outcome] += count

    def table(self) -> pa.Table:
        """The ledger: `units` received and one column for each outcome; they sum to `units` in every row."""
        names = ["facility_id", "batch_date", "source", "unit_kind", "record_type", "units", *OUTCOMES]
        rows = [(*key, counts.total(), *(counts[outcome] for outcome in OUTCOMES))
                for key, counts in sorted(self._counts.items(), key=lambda item: tuple(map(str, item[0])))]
        schema = pa.schema([(name, _type(name)) for name in names])
        columns = zip(*rows, strict=True) if rows else [[] for _ in schema]
        return pa.Table.from_arrays(
            [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)], schema=schema)
