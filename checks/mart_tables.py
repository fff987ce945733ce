"""What the marts promise: forms, grain and rules of the tables that people read. Partitions of a mart are its slices, by service date."""

from __future__ import annotations

import polars as pl

from checks import forms, value_sets
from checks.table_schema import Column, RowRule, Severity, TableSchema

_CLASS = forms.code(value_sets.ENCOUNTER_CLASS | {"unknown"})
_INPATIENT = forms.code(frozenset({"IMP", "ACUTE", "NONAC"}))
_SLICE = (Column("facility_id", forms.NAME, required=True), Column("service_date", forms.DAY, required=True))


def _key(name: str, required: bool = False) -> Column:
    return Column(name, forms.MD5, required)


def _order(earlier: str, later: str) -> RowRule:
    return RowRule(f"{later} is before {earlier}", (earlier, later), lambda: pl.col(earlier) <= pl.col(later), Severity.PLAUSIBLE)


def _at_most(part: str, whole: str) -> RowRule:
    return RowRule(f"{part} is more than {whole}", (part, whole), lambda: pl.col(part) <= pl.col(whole), Severity.STRUCTURE)


def _mart(name: str, columns: tuple[Column, ...], grain: tuple[str, ...], rules: tuple[RowRule, ...] = ()) -> TableSchema:
    return TableSchema(f"marts.{name}", (*_SLICE, *columns), grain, rules, date_column="service_date")


_ALL = (
    _mart("mart_encounter_summary", (
        _key("encounter_key", required=True), Column("person_id", forms.NAME), _key("patient_key"),
        Column("class_code", forms.code(value_sets.ENCOUNTER_CLASS)), Column("status", forms.code(value_sets.STATUS["encounter"])),
        Column("is_inpatient_stay", forms.BOOLEAN, required=True), Column("is_open", forms.BOOLEAN, required=True),
        Column("started_at", forms.TIMESTAMP), Column("ended_at", forms.TIMESTAMP), Column("service_end_date", forms.DAY),
        Column("length_of_stay_hours", forms.AMOUNT), Column("location_point_of_care", forms.TEXT),
        Column("discharge_disposition_code", forms.TEXT), Column("disposition_group", forms.TEXT),
        Column("observation_count", forms.COUNT, required=True), Column("condition_count", forms.COUNT, required=True),
        Column("order_count", forms.COUNT, required=True), Column("primary_condition_code", forms.TEXT),
        Column("primary_condition_system", forms.URI),
    ), ("encounter_key",), (
        _order("service_date", "service_end_date"),
        RowRule("is_open with an end", ("is_open", "service_end_date"), lambda: ~pl.col("is_open") | pl.col("service_end_date").is_null(),
                Severity.VALUE),
    )),
    _mart("mart_lab_turnaround", (
        _key("result_key", required=True),
        Column("result_kind", forms.code(frozenset({"diagnostic_report", "observation"})), required=True),
        Column("person_id", forms.NAME), _key("patient_key"), _key("encounter_key"), Column("class_code", _CLASS),
        Column("code_code", forms.TEXT), Column("code_system", forms.URI),
        Column("status", forms.code(frozenset({"final", "amended", "corrected", "appended"})), required=True), _key("order_key"),
        Column("priority", forms.code(value_sets.REQUEST_PRIORITY)), Column("ordered_at", forms.TIMESTAMP),
        Column("collected_at", forms.TIMESTAMP), Column("resulted_at", forms.TIMESTAMP),
        Column("order_to_collection_minutes", forms.NUMBER), Column("collection_to_result_minutes", forms.NUMBER),
        Column("order_to_result_minutes", forms.NUMBER), Column("has_reversed_times", forms.BOOLEAN, required=True),
    ), ("result_key",), (
        RowRule("times run backwards", ("has_reversed_times",), lambda: ~pl.col("has_reversed_times"), Severity.PLAUSIBLE),
    )),
    _mart("mart_readmission", (
        _key("index_encounter_key", required=True), Column("person_id", forms.NAME), _key("patient_key"),
        Column("admission_date", forms.DAY), Column("discharged_at", forms.TIMESTAMP), Column("discharge_disposition_code", forms.TEXT),
        Column("is_readmitted", forms.BOOLEAN, required=True), Column("days_to_readmission", forms.COUNT),
        Column("readmission_facility_id", forms.NAME), _key("readmission_encounter_key"), Column("readmission_date", forms.DAY),
    ), ("index_encounter_key",), (
        _order("admission_date", "service_date"),
        RowRule("days_to_readmission is more than 30", ("days_to_readmission",), lambda: pl.col("days_to_readmission") <= 30,
                Severity.STRUCTURE),
        RowRule("is_readmitted and the later stay disagree", ("is_readmitted", "readmission_encounter_key"),
                lambda: pl.col("is_readmitted") == pl.col("readmission_encounter_key").is_not_null(), Severity.STRUCTURE),
        RowRule("is its own readmission", ("index_encounter_key", "readmission_encounter_key"),
                lambda: pl.col("index_encounter_key") != pl.col("readmission_encounter_key"), Severity.STRUCTURE),
    )),
    _mart("mart_daily_census", (
        Column("class_code", _INPATIENT, required=True), Column("location_point_of_care", forms.NAME, required=True),
        Column("inpatients", forms.ORDINAL, required=True), Column("open_stays", forms.COUNT, required=True),
    ), ("facility_id", "service_date", "class_code", "location_point_of_care"), (_at_most("open_stays", "inpatients"),)),
    _mart("mart_facility_volume", (
        Column("class_code", _CLASS, required=True), Column("encounters", forms.COUNT, required=True),
        Column("persons", forms.COUNT, required=True), Column("results", forms.COUNT, required=True),
        Column("orders", forms.COUNT, required=True),
    ), ("facility_id", "service_date", "class_code"), (_at_most("persons", "encounters"),)),
)

MART_TABLES: dict[str, TableSchema] = {schema.asset: schema for schema in _ALL}
