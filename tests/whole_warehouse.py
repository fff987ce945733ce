"""The whole warehouse as comparable rows, under the definition of "the same answer" in ARCHITECTURE.md.

Left out: staging (the run's scope only), control tables and restated rows (history of processing), and ids that are minted.
Persons are compared as sets of patient records.
"""

from __future__ import annotations

from typing import Any

from assets.root import Root

# A view over identity.link that names persons by their minted ids is compared through the link itself.
LEFT_OUT_TABLES = ("_restated", "patient_person")
# What depends on when something was landed or processed rather than on what it says.
ARRIVAL_COLUMNS = frozenset({"received_time", "current_hash", "outcome_hash"})
PROCESSING_COLUMNS = frozenset({"run_seq", "score", "model_version"})


# Which of two equal units stands for both: decided by the delivery's id, so a second landing may take the first's place.
PROVENANCE_COLUMNS = frozenset({"record_id", "unit_id", "delivery_id", "payload_id", "record_locator", "batch_date", "source"})


def whole_warehouse(root: Root, *, without_arrival: bool = False, without_provenance: bool = False) -> dict[str, list[tuple[Any, ...]]]:
    """Give every compared table's rows, sorted; person ids are replaced by the smallest patient key of the person."""
    left_out = PROCESSING_COLUMNS | (ARRIVAL_COLUMNS if without_arrival else frozenset())
    left_out |= PROVENANCE_COLUMNS if without_provenance else frozenset()
    with root.warehouse.open(read_only=True) as warehouse:
        columns: dict[str, list[str]] = {}
        for row in warehouse.query(
            "select table_schema || '.' || table_name as name, column_name from information_schema.columns where table_catalog = 'LAKE' "
            "and (table_schema in ('raw', 'canonical', 'marts') or (table_schema = 'identity' and table_name in ('link', 'person'))) "
            "and table_name not like 'touch_%' order by 1, ordinal_position"
        ).to_pylist():
            columns.setdefault(row["name"], []).append(row["column_name"])
        warehouse.execute(
            "create temp table person_name as select person_id, min(patient_key) as name from LAKE.identity.link group by person_id"
        )
        content = {}
        for table, names in columns.items():
            if table.endswith(LEFT_OUT_TABLES):
                continue
            shown = [
                f"(select n.name from person_name n where n.person_id = t.{name}) as {name}" if name == "person_id" else f"t.{name}"
                for name in names if name not in left_out
            ]
            rows = warehouse.query(f"select {', '.join(shown)} from LAKE.{table} t").to_pylist()
            content[table] = sorted((tuple(_plain(value) for value in row.values()) for row in rows), key=repr)
        return content


def differences(left: dict[str, list[tuple[Any, ...]]], right: dict[str, list[tuple[Any, ...]]]) -> list[str]:
    """Name every table that differs, with the number of rows that only one side has and one row of each side."""
    found = []
    for table in sorted(set(left) | set(right)):
        only_left = set(map(repr, left.get(table, []))) - set(map(repr, right.get(table, [])))
        only_right = set(map(repr, right.get(table, []))) - set(map(repr, left.get(table, [])))
        if only_left or only_right or len(left.get(table, [])) != len(right.get(table, [])):
            found.append(f"{table}: {len(only_left)} rows only left, {len(only_right)} only right; e.g. "
                         f"{min(only_left, default='-')} / {min(only_right, default='-')}")
    return found


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
