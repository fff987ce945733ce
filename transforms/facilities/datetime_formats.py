"""The closed list of date and time formats that a feed may register.

Belongs here: the strptime patterns that staging SQL knows how to read, and which one a column of a feed is read with.
Does not belong here: reading values. A format outside the list is refused when the registry is loaded, so that no
value is ever read by guess (month and day are never swapped).
"""

from __future__ import annotations

SUPPORTED_DATETIME_FORMATS: frozenset[str] = frozenset(
    {
        "%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %I:%M %p",
        "%Y-%m-%d %I:%M:%S %p", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%dT%H:%M:%SZ",
        "%Y-%m-%dT%H:%M:%S.%fZ", "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S.%f%z", "%Y-%m-%d %H:%M:%S%z", "%Y-%m-%d %H:%M:%S.%f %z",
        "%Y-%m-%d-%H.%M.%S.%f", "%Y/%m/%d", "%Y/%m/%d %H:%M", "%Y/%m/%d %H:%M:%S", "%Y.%m.%d", "%Y.%m.%d %H:%M",
        "%Y.%m.%d %H:%M:%S", "%Y%m%d", "%Y%m%d%H%M", "%Y%m%d%H%M%S", "%Y%m%d%H%M%S.%f", "%Y%m%d %H%M%S",
        "%Y%m%d %H:%M", "%Y%m%d %H:%M:%S", "%Y%m%dT%H%M%S", "%y%m%d", "%m/%d/%Y", "%m/%d/%Y %H:%M",
        "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S.%f", "%m/%d/%Y %I:%M %p", "%m/%d/%Y %I:%M:%S %p", "%m/%d/%y",
        "%m/%d/%y %H:%M", "%m/%d/%y %H:%M:%S", "%m/%d/%y %I:%M %p", "%m%d%Y", "%m%d%y", "%m.%d.%Y", "%m-%d-%Y",
        "%m-%d-%Y %H:%M", "%m-%d-%Y %H:%M:%S", "%m-%d-%Y %I:%M %p", "%m-%d-%y", "%d/%m/%Y", "%d/%m/%Y %H:%M",
        "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %I:%M %p", "%d/%m/%Y %I:%M:%S %p", "%d/%m/%y", "%d/%m/%y %H:%M",
        "%d/%m/%y %H:%M:%S", "%d.%m.%Y", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S", "%d.%m.%y", "%d.%m.%y %H:%M",
        "%d.%m.%y %H:%M:%S", "%d%m%Y", "%d%m%y", "%d-%m-%Y", "%d-%m-%Y %H:%M", "%d-%m-%Y %H:%M:%S", "%d-%m-%y",
        "%d-%m-%y %H:%M", "%d-%b-%Y", "%d-%b-%Y %H:%M", "%d-%b-%Y %H:%M:%S", "%d-%b-%Y %I:%M %p", "%d-%b-%y",
        "%d-%b-%y %H:%M", "%d-%b-%y %H:%M:%S", "%d-%b-%y %I.%M.%S.%f %p", "%d/%b/%Y", "%d%b%Y", "%d%b%Y:%H:%M:%S",
        "%d%b%Y %H:%M", "%d%b%Y %H:%M:%S", "%d%b%y", "%d %b %Y", "%d %b %Y %H:%M", "%d %b %Y %H:%M:%S", "%d %B %Y",
        "%b %d %Y", "%b %d %Y %H:%M", "%b %d %Y %I:%M%p", "%b %d, %Y", "%B %d, %Y",
    }
)  # fmt: skip

# How AWS DMS writes SQL Server's date types into CSV (ISO order, space between, fraction of the column's precision).
_DMS_FORMATS = {
    "date": "%Y-%m-%d",
    "smalldatetime": "%Y-%m-%d %H:%M:%S",
    "datetime": "%Y-%m-%d %H:%M:%S.%f",
    "datetime2": "%Y-%m-%d %H:%M:%S.%f",
    "datetimeoffset": "%Y-%m-%d %H:%M:%S.%f %z",
}


def base_type(column_type: str) -> str:
    """Type name without its size: `varchar` for `varchar(20)`."""
    return column_type.partition("(")[0].strip().lower()


def resolve_datetime_format(
    kind: str, column_type: str, own_format: str | None, date_format: str | None, datetime_format: str | None
) -> str | None:
    """Format that a column's values are read with: its own, else its feed's for the column's type, else how DMS writes
    the type; null for columns that hold no dates."""
    name = base_type(column_type)
    if own_format is not None:
        return own_format
    if name == "date" and date_format is not None:
        return date_format
    if name in {"datetime", "datetime2", "smalldatetime"} and datetime_format is not None:
        return datetime_format
    return _DMS_FORMATS.get(name) if kind != "csv_extract" else None
