"""Every table that the checks know, by layer. What they promise is said in `raw_tables`, `resources` and `mart_tables`."""

from __future__ import annotations

from checks.mart_tables import MART_TABLES
from checks.raw_tables import RAW_TABLES
from checks.resources import CURRENT_TABLES, RESOURCES, VERSION_TABLES
from checks.table_schema import TableSchema

__all__ = ["CURRENT_TABLES", "MART_TABLES", "RAW_TABLES", "RESOURCES", "SCHEMAS", "VERSION_TABLES"]

SCHEMAS: dict[str, TableSchema] = {**RAW_TABLES, **VERSION_TABLES, **CURRENT_TABLES, **MART_TABLES}
"""Asset (`schema.table`) -> promise."""
