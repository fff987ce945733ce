"""Rules over several columns of one canonical row: what can be true together.

A rule applies to every resource that has its columns. Dates and instants are FHIR text, which compares as text: a partial date
sorts before the days it contains.
"""

from __future__ import annotations

import polars as pl

from checks.table_schema import RowRule, Severity

EARLIEST_BIRTH = "1850"  # older ones are the zero dates of databases (1753-01-01, 1800-12-28, 1840-12-31)
CLOCK_SKEW = pl.duration(hours=24)  # a sender's clock and zone may be off; a day is not


def _is_ordered(start: str, end: str) -> pl.Expr:
    # A date without a time is local, an instant is UTC: only two instants can be compared. To the second, because a fraction
    # sorts before the `Z` of a whole second.
    start_text, end_text = pl.col(start), pl.col(end)
    both_exact = (start_text.str.len_bytes() > 10) & (end_text.str.len_bytes() > 10)
    return ~both_exact | (start_text.str.slice(0, 19) <= end_text.str.slice(0, 19))


def _order(start: str, end: str) -> RowRule:
    return RowRule(f"{end} is before {start}", (start, end), lambda: _is_ordered(start, end), Severity.PLAUSIBLE)


def unmarked_value(group: str, columns: tuple[str, ...]) -> RowRule:
    """Give the rule that a field group marked absent or null holds no value: the fold would pass such a value over (HL7 v2.5.1 s2.10.4)."""
    mark = f"{group}_mark"
    return RowRule(
        f"{group} has a value that its mark denies", (mark, *columns),
        lambda: pl.all_horizontal(pl.col(*columns).is_null()) | (pl.col(mark) == "V").fill_null(False), Severity.VALUE,
    )


def stated(column: str) -> RowRule:
    """Give the rule that a column is filled, except in a deletion."""
    return RowRule(f"{column} is empty", (column, "is_deleted"),
                   lambda: pl.col(column).is_not_null() | pl.col("is_deleted").fill_null(False), Severity.STRUCTURE)


RULES: tuple[RowRule, ...] = (
    RowRule("birth_date is after the batch date", ("birth_date", "batch_date"),
            lambda: pl.col("birth_date") <= pl.col("batch_date").dt.strftime("%Y-%m-%d"), Severity.PLAUSIBLE),
    RowRule(f"birth_date is before {EARLIEST_BIRTH}", ("birth_date",), lambda: pl.col("birth_date") >= EARLIEST_BIRTH,
            Severity.PLAUSIBLE),
    RowRule("source_time is more than a day after it was received", ("source_time", "received_time"),
            lambda: pl.col("source_time") <= pl.col("received_time") + CLOCK_SKEW, Severity.PLAUSIBLE),
    RowRule("service_end_date is before service_date", ("service_date", "service_end_date"),
            lambda: pl.col("service_date") <= pl.col("service_end_date"), Severity.PLAUSIBLE),
    _order("period_start", "period_end"),
    _order("onset_datetime", "abatement_datetime"),
    _order("dosage_period_start", "dosage_period_end"),
    _order("effective_datetime", "effective_period_end"),
    _order("billable_period_start", "billable_period_end"),
    RowRule("value_range_high_value is below value_range_low_value", ("value_range_low_value", "value_range_high_value"),
            lambda: pl.col("value_range_low_value") <= pl.col("value_range_high_value"), Severity.PLAUSIBLE),
    RowRule("code_code has no code_system", ("code_code", "code_system"),
            lambda: pl.col("code_code").is_null() | pl.col("code_system").is_not_null(), Severity.VALUE),
    RowRule("value_quantity_comparator stands without a value", ("value_quantity_comparator", "value_quantity_value"),
            lambda: pl.col("value_quantity_comparator").is_null() | pl.col("value_quantity_value").is_not_null(), Severity.VALUE),
)
