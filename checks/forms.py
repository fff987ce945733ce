"""Forms of columns: what a value that is present must look like.

What belongs here: the forms and the words that say how a value breaks one. Not here: which column has which form
(`raw_tables`, `resources`, `mart_tables`). A test is a Polars expression over one column; it need not care for nulls.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

Test = Callable[[pl.Expr], pl.Expr]

# FHIR R4 s2.24.0.1, date: year, year and month, or a calendar day.
_DATE = r"(\d{3}[1-9]|\d{2}[1-9]\d|\d[1-9]\d{2}|[1-9]\d{3})(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01])"
# FHIR R4 s2.24.0.1, dateTime, narrowed to the product's one rendering: UTC with `Z`, no trailing zeros.
_TIME = r"(T([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d*[1-9])?Z)?"


@dataclass(frozen=True)
class Form:
    """What a column holds.

    `words` complete "<column> …" for a value that breaks the form. A structural form carries keys or folds: one broken row
    corrupts what is built on it. Others state values, where a few broken rows harm nobody else.
    """

    words: str
    dtype: pl.DataType
    test: Test | None = None
    is_structural: bool = False


def _matches(pattern: str) -> Test:
    return lambda column: column.str.contains(f"^(?:{pattern})$")


def _is_calendar_text(pattern: str) -> Test:
    # The pattern allows 30 February; the calendar does not. Partial dates have no day to ask about.
    def test(column: pl.Expr) -> pl.Expr:
        day = column.str.slice(0, 10)
        is_day = (day.str.len_bytes() < 10) | day.str.to_date("%Y-%m-%d", strict=False).is_not_null()
        return column.str.contains(f"^(?:{pattern})$") & is_day

    return test


def code(values: frozenset[str], is_structural: bool = False) -> Form:
    """Form of a column drawn from a closed set."""
    return Form("is no code of its value set", pl.String(), lambda column: column.is_in(sorted(values)), is_structural)


def codes(values: frozenset[str]) -> Form:
    """Form of a text that joins codes of a closed set by commas."""
    one = "|".join(sorted(values))
    return Form("holds something that is no code of its value set", pl.String(), _matches(f"(?:{one})(?:,(?:{one}))*"))


TEXT = Form("is not text", pl.String())
BOOLEAN = Form("is not true or false", pl.Boolean())
DAY = Form("is not a date", pl.Date())
TIMESTAMP = Form("is not a timestamp", pl.Datetime("us"))
NUMBER = Form("is not a number", pl.Float64())
AMOUNT = Form("is negative", pl.Float64(), lambda column: column >= 0)
WHOLE = Form("is not a whole number", pl.Int64())
COUNT = Form("is negative", pl.Int64(), lambda column: column >= 0)
ORDINAL = Form("does not count from 1", pl.Int64(), lambda column: column >= 1, is_structural=True)
FLAG = Form("is not 0 or 1", pl.Int64(), lambda column: column.is_in([0, 1]), is_structural=True)
TEXTS = Form("is not a list of texts", pl.List(pl.String))

MD5 = Form("is not 32 hexadecimal digits", pl.String(), _matches("[0-9a-f]{32}"), is_structural=True)
SHA256 = Form("is not 64 hexadecimal digits", pl.String(), _matches("[0-9a-f]{64}"), is_structural=True)
NAME = Form("is an empty text", pl.String(), lambda column: column.str.len_bytes() > 0, is_structural=True)
MARK = code(frozenset({"V", "N"}), is_structural=True)
FHIR_DATE = Form("is not a FHIR date", pl.String(), _is_calendar_text(rf"{_DATE})?)?"))
FHIR_DATETIME = Form("is not a FHIR dateTime in UTC", pl.String(), _is_calendar_text(rf"{_DATE}{_TIME})?)?"))
# Of systems that the mapping chooses; a sender's own may be relative (FHIR R4 s2.24.0.1, uri: no blanks).
URI = Form("is not an absolute URI", pl.String(), _matches(r"[A-Za-z][A-Za-z0-9+.-]*:\S+"))
SENT_URI = Form("is not a URI", pl.String(), _matches(r"\S+"))
REASON_CODE = Form("is not a reason code", pl.String(), _matches(r"[a-z0-9]+\.[a-z0-9_]+"))
REASON_CODES = Form("is not a list of reason codes", pl.String(), _matches(r"[a-z0-9]+\.[a-z0-9_]+(, ?[a-z0-9]+\.[a-z0-9_]+)*"))
