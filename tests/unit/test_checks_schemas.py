"""The promises of all tables: complete against their sources, and every single check fails on a row that breaks it."""

from __future__ import annotations

import re
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from checks import forms
from checks.breaches import row_breaches, shape_breaches
from checks.mart_tables import MART_TABLES
from checks.raw_tables import RAW_TABLES
from checks.resources import VERSION_TABLES
from checks.schemas import SCHEMAS
from checks.table_schema import Column, RowRule, Severity, TableSchema
from checks.value_sets import ENCOUNTER_CLASS
from transforms.decode.raw_schema import RAW_SCHEMAS, raw_table_columns, raw_table_names

MODELS = Path(__file__).parents[2] / "transforms" / "dbt" / "models"
CANARY = "ZZCANARYZZ"
MD5, DAY, NOON = "0123456789abcdef" * 2, date(2026, 1, 5), datetime(2026, 1, 5, 12)

# Form -> a value in order and one that is not, chosen from the standards and not from the checks' own patterns.
EXAMPLES: dict[str, tuple[Any, Any]] = {
    forms.MD5.words: (MD5, MD5[:-1] + "G"), forms.SHA256.words: (MD5 * 2, MD5), forms.NAME.words: ("x", ""),
    forms.ORDINAL.words: (1, 0), forms.COUNT.words: (0, -1), forms.FLAG.words: (1, 2),
    forms.FHIR_DATE.words: ("1999-02-28", "1999-02-29"), forms.FHIR_DATETIME.words: ("2026-01-05T08:00:00Z", "2026-01-05T08:00:00+01:00"),
    forms.URI.words: ("http://loinc.org", "LOINC"), forms.SENT_URI.words: ("LOCAL", "no uri"), forms.REASON_CODE.words: ("hl7.missing_pid", "oops"),
    forms.REASON_CODES.words: ("hl7.charset_mismatch,unit.not_ucum", "oops"),
}
IN_ORDER: dict[str, Any] = {
    "String": "text", "Boolean": False, "Date": DAY, "Datetime": NOON, "Float64": 1.0, "Int64": 1, "List": ["text"],
}
# Values that a row needs beside the form's example, so that no rule over several columns is broken.
FITTING: dict[str, Any] = {"is_readmitted": True, "readmission_encounter_key": "f" * 32, "has_reversed_times": False, "is_open": False}
# Rule -> the columns of a row that breaks it.
BROKEN: dict[str, dict[str, Any]] = {
    "birth_date is after the batch date": {"birth_date": "2026-01-06"},
    "birth_date is before 1850": {"birth_date": "1840-12-31"},
    "source_time is more than a day after it was received": {"source_time": datetime(2026, 1, 6, 12, 0, 1)},
    "service_end_date is before service_date": {"service_end_date": date(2026, 1, 4)},
    "period_end is before period_start": {"period_end": "2026-01-05T07:59:59Z"},
    "abatement_datetime is before onset_datetime": {"abatement_datetime": "2026-01-05T07:59:59Z"},
    "dosage_period_end is before dosage_period_start": {"dosage_period_end": "2026-01-05T07:59:59Z"},
    "effective_period_end is before effective_datetime": {"effective_period_end": "2026-01-05T07:59:59Z"},
    "billable_period_end is before billable_period_start": {"billable_period_end": "2026-01-05T07:59:59Z"},
    "value_range_high_value is below value_range_low_value": {"value_range_high_value": 0.5},
    "code_code has no code_system": {"code_system": None},
    "value_quantity_comparator stands without a value": {"value_quantity_value": None},
    "is_open with an end": {"is_open": True},
    "times run backwards": {"has_reversed_times": True},
    "service_date is before admission_date": {"admission_date": date(2026, 1, 6)},
    "days_to_readmission is more than 30": {"days_to_readmission": 31},
    "is_readmitted and the later stay disagree": {"is_readmitted": False},
    "open_stays is more than inpatients": {"open_stays": 2},
    "persons is more than encounters": {"persons": 2},
}


def value_of(column: Column) -> Any:
    """A value in order for a column."""
    if column.name in FITTING:
        return FITTING[column.name]
    if column.form.words in EXAMPLES:
        return EXAMPLES[column.form.words][0]
    if column.name.endswith("_mark"):
        return "V"
    if column.form.test is not None and isinstance(column.form.dtype, pl.String):
        return CODE_OF[column.name]
    return IN_ORDER[type(column.form.dtype).__name__]


CODE_OF = {
    "status": "unknown", "status_stated": "unknown", "status_event": "cancelled", "gender": "female", "marital_status_code": "M", "birth_sex": "F",
    "ethnicity_omb_code": "2186-5", "race_omb_codes": "2106-3", "class_code": "IMP", "use": "usual", "priority": "routine",
    "value_quantity_comparator": "<",
    "data_absent_reason_code": "unknown", "clinical_status": "active", "verification_status": "confirmed", "type": "replaced-by",
    "kind": "request", "outcome": "complete",
    "unit_kind": "csv.row", "result_kind": "observation",
}
CODE_OF_TABLE = {
    **{asset: {"status": "active"} for asset in ("canonical.claim_version", "canonical.claim", "canonical.coverage_version",
                                                 "canonical.coverage", "canonical.location_version", "canonical.location")},
    **{f"canonical.{resource}{suffix}": {"status": "active"} for suffix in ("", "_version")
       for resource in ("explanation_of_benefit", "payment_reconciliation", "payment_reconciliation_detail", "coverage_eligibility")},
    **{f"canonical.{resource}{suffix}": {"status": status} for suffix in ("", "_version")
       for resource, status in (("immunization", "completed"), ("document_reference", "current"), ("imaging_instance", "available"),
                                ("imaging_statement", "available"))},
    **{asset: {"type": "professional", "status": "active"} for asset in ("canonical.claim_version", "canonical.claim")},
    **{asset: {"verification_status": "confirmed"} for asset in ("canonical.allergy_intolerance",)},
    "marts.mart_lab_turnaround": {"status": "final"},
}


def rows_in_order(table: TableSchema, rows: int = 3) -> list[dict[str, Any]]:
    """Rows that keep the promise, told apart by their grain."""
    kept = []
    for ordinal in range(rows):
        row = {column.name: value_of(column) for column in table.columns} | CODE_OF_TABLE.get(table.asset, {})
        key = table.grain[0] if len(table.grain) == 1 or table.grain[0] not in ("facility_id",) else table.grain[-1]
        if key in ("class_code",):
            row[key] = sorted(ENCOUNTER_CLASS)[ordinal]
        elif key == "location_point_of_care":
            row[key] = f"ward {ordinal}"
        else:
            row[key] = f"{ordinal + 1:032x}"
        kept.append(row)
    return kept


def frame_of(table: TableSchema, rows: list[dict[str, Any]]) -> pl.DataFrame:
    """The columns that the checks read, of some rows."""
    schema = {column.name: column.form.dtype for column in table.columns}
    return pl.DataFrame(rows, schema=schema).select(table.read_columns)


def phrases(table: TableSchema, rows: list[dict[str, Any]]) -> dict[str, int]:
    """Breach -> rows, over all partitions."""
    found = row_breaches(table, frame_of(table, rows))
    return {words: count for counter in found.by_phrase.values() for (_, words), count in counter.items()}


TABLES = [pytest.param(table, id=asset) for asset, table in SCHEMAS.items()]


def test_every_raw_table_is_promised_with_all_its_columns() -> None:
    """Each table that the decoders and the loader fill has a schema with exactly its columns."""
    assert {*RAW_SCHEMAS, "raw_delivery", "raw_unit"} == {asset.removeprefix("raw.") for asset in RAW_TABLES}
    for name in raw_table_names():
        assert [column.name for column in RAW_TABLES[f"raw.{name}"].columns] == list(raw_table_columns(name))


@pytest.mark.parametrize("mart", sorted(MART_TABLES))
def test_marts_are_promised_as_their_models_select_them(mart: str) -> None:
    """A mart's promised columns are those of its model's last select, in order."""
    text = re.sub(r"\{#.*?#\}|\{%.*?%\}", "", (MODELS / "marts" / f"{mart.removeprefix('marts.')}.sql").read_text(), flags=re.S)
    text = re.sub(r"\{\{.*?\}\}", "macro", text, flags=re.S)
    final = text[text.rindex("\nselect ") + len("\nselect "):]
    body, depth, items = re.split(r"\nfrom ", final)[0], 0, [""]
    for character in body:
        depth += (character == "(") - (character == ")")
        if character == "," and not depth:
            items.append("")
        else:
            items[-1] += character
    assert [column.name for column in MART_TABLES[mart].columns] == [re.split(r"[\s.]+", item.strip())[-1] for item in items]


@pytest.mark.parametrize("table", TABLES)
def test_rows_in_order_break_nothing(table: TableSchema) -> None:
    """A table's rows as the standards allow them raise no breach at all."""
    assert phrases(table, rows_in_order(table)) == {}
    assert shape_breaches(table, pl.DataFrame(schema={column.name: column.form.dtype for column in table.columns})) == {}


@pytest.mark.parametrize("table", TABLES)
def test_each_wrong_and_each_missing_value_is_caught(table: TableSchema) -> None:
    """Every column that has a form, and every required one, reports the one row among all whose value breaks it or is empty."""
    formed = [column for column in table.columns if column.form.test is not None]
    # The columns that name the partition cannot be empty in it.
    required = [column for column in table.columns if column.required and column.name not in ("facility_id", table.date_column)]
    rows = rows_in_order(table, len(formed) + len(required))
    for row, column in zip(rows, formed, strict=False):
        row[column.name] = EXAMPLES[column.form.words][1] if column.form.words in EXAMPLES else CANARY
    for row, column in zip(rows[len(formed):], required, strict=True):
        row[column.name] = None
    wanted = {f"{column.name} {column.form.words}" for column in formed} | {f"{column.name} is empty" for column in required}
    found = phrases(table, rows)
    assert {words: found.get(words) for words in wanted} == dict.fromkeys(wanted, 1)


@pytest.mark.parametrize("table", TABLES)
def test_rows_of_one_key_are_caught(table: TableSchema) -> None:
    """Two rows with the same grain are both counted."""
    rows = rows_in_order(table)
    for name in table.grain:
        rows[1][name] = rows[0][name]
    assert phrases(table, rows)["rows share their key"] == 2


@pytest.mark.parametrize("table", [case for case in TABLES if SCHEMAS[str(case.id)].rules])
def test_each_rule_is_caught(table: TableSchema) -> None:
    """Every rule over several columns reports the one row, of as many as there are rules, that breaks it."""
    rows = rows_in_order(table, len(table.rules))
    for row, rule in zip(rows, table.rules, strict=True):
        if rule.words.endswith("that its mark denies"):
            row[rule.columns[0]] = "N"
        elif rule.words.endswith(" is empty"):
            row[rule.columns[0]] = None
        else:
            row |= BROKEN[rule.words] if rule.words in BROKEN else {rule.columns[1]: row[rule.columns[0]]}
    found = phrases(table, rows)
    assert {rule.words: found.get(rule.words) for rule in table.rules} == {rule.words: 1 for rule in table.rules}


def test_a_missing_column_and_one_of_another_type_are_caught() -> None:
    """A table that lost a promised column, or has it with another type, is seen without any row."""
    table = VERSION_TABLES["canonical.patient_version"]
    types = {column.name: column.form.dtype for column in table.columns if column.name != "gender"} | {"batch_date": pl.String()}
    assert shape_breaches(table, pl.DataFrame(schema=types)) == {"gender": "is missing", "batch_date": "is of another type"}


def test_a_rule_over_an_unknown_column_is_refused() -> None:
    """A rule that could never fail, because its column does not exist, cannot be written down."""
    rule = RowRule("x", ("no_such_column",), lambda: pl.lit(True), Severity.VALUE)
    columns = (Column("facility_id", forms.NAME), Column("batch_date", forms.DAY))
    with pytest.raises(ValueError, match="no_such_column"):
        TableSchema("raw.x", columns, ("facility_id",), (rule,))


def test_a_deletion_may_leave_out_what_it_deletes() -> None:
    """An identifier's deletion may name its key alone; a statement without a value is caught."""
    table = VERSION_TABLES["canonical.patient_identifier_version"]
    rows = rows_in_order(table)
    rows[1] |= {"is_deleted": True, "value": None}
    assert phrases(table, rows) == {}


def test_pandera_text_holds_no_value(capsys: pytest.CaptureFixture[str]) -> None:
    """Even Pandera's own errors, which are thrown away, hold none of the values that failed, nor is anything printed."""
    from pandera.errors import SchemaErrors

    from checks.table_schema import row_schema

    table = VERSION_TABLES["canonical.patient_version"]
    endings = ("_key", "_code", "_date", "_mark", "_id", "gender", "name_family")
    texts = {name: CANARY for name in table.read_columns if name.endswith(endings)}
    del texts["facility_id"], texts["batch_date"], texts["service_date"], texts["service_end_date"]
    frame = frame_of(table, [row | texts for row in rows_in_order(table)])
    with pytest.raises(SchemaErrors) as caught:
        row_schema(table, frozenset(frame.columns), frozenset()).validate(frame, lazy=True)
    errors = [caught.value, *caught.value.schema_errors]
    assert len(errors) > 20
    assert not any(CANARY in str(error) or CANARY in str(error.args) for error in errors)
    assert not any(CANARY in str(getattr(error, "failure_cases", "")) for error in errors)
    found = row_breaches(table, frame)
    assert found.broken.total() == 3
    assert CANARY not in repr(found)
    assert CANARY not in "".join(capsys.readouterr())


def test_the_environment_cannot_switch_checks_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pandera's own switch leaves the checks on."""
    from pandera.config import CONFIG

    monkeypatch.setattr(CONFIG, "validation_enabled", False)
    table = VERSION_TABLES["canonical.patient_version"]
    rows = rows_in_order(table)
    rows[1]["gender"] = CANARY
    assert phrases(table, rows) == {"gender is no code of its value set": 1}
