"""Short answers about a whole root: what each facility sent became, and how many persons and mart rows there are."""

from __future__ import annotations

from typing import Any

from assets.root import Root


def facility_summary(root: Root) -> list[dict[str, Any]]:
    """Give one row for each facility: received and the five outcomes, and whether they balance."""
    with root.warehouse.open(read_only=True) as warehouse:
        rows = warehouse.query(
            "select facility_id as facility, cast(sum(received) as bigint) as received, cast(sum(canonical) as bigint) as canonical, "
            "cast(sum(duplicate) as bigint) as duplicate, cast(sum(superseded) as bigint) as superseded, "
            "cast(sum(quarantined) as bigint) as quarantined, cast(sum(ignored_by_rule) as bigint) as ignored_by_rule, "
            "min(case when is_balanced then 1 else 0 end) = 1 as balanced "
            "from LAKE.canonical.reconciliation group by facility_id order by facility_id"
        )
        return list(rows.to_pylist())


def mart_summary(root: Root) -> list[dict[str, Any]]:
    """Give the number of persons and the rows of each mart."""
    with root.warehouse.open(read_only=True) as warehouse:
        marts = [row["table_name"] for row in warehouse.query(
            "select table_name from information_schema.tables where table_catalog = 'LAKE' and table_schema = 'marts' "
            "and table_name like 'mart_%' order by table_name").to_pylist()]
        answers = [("patients", "select count(*) as n from LAKE.canonical.patient where not is_deleted"),
                   ("persons", "select count(distinct person_id) as n from LAKE.identity.link")]
        answers += [(name, f"select count(*) as n from LAKE.marts.{name}") for name in marts]
        return [{"answer": name, "figure": int(warehouse.query(sql).to_pylist()[0]["n"])} for name, sql in answers]
