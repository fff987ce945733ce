"""Verdicts on raw completeness: units received, counted in the bytes by code of its own, against units and records in the tables.

Whole sets in SQL: nothing is read into memory but counts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from assets.stores.control import Partition
from assets.stores.warehouse import Warehouse
from checks.reading import as_day, in_run
from checks.verdict import CONTROL_TOTAL, RECONCILIATION, REFERENTIAL, Verdict, words

# Tables whose rows are the records of an accepted unit: each has at least one row in one of them.
_RECORD_TABLES = (
    "raw_hl7v2__segment", "raw_fhir__resource", "raw_extract__row", "raw_extract__event", "raw_x12__unit", "raw_ccda__entry",
    "raw_dicom__element",
)


def judge_raw_completeness(warehouse: Warehouse, run_id: str, partitions: Collection[Partition]) -> Iterator[Verdict]:
    """Judge each partition: units received = units decoded, accepted units have records, the source's control totals agree."""
    counted = {(row["facility_id"], as_day(row["batch_date"])): row for row in warehouse.query(_DELIVERIES, [run_id] * 2).to_pylist()}
    bare = {
        (row["facility_id"], as_day(row["batch_date"])): int(row["units"])
        for row in warehouse.query(_UNITS_WITHOUT_RECORDS, [run_id] * (len(_RECORD_TABLES) + 1)).to_pylist()
    }
    for partition in sorted(partitions):
        row = counted.get(partition, {})
        yield _reconciled(partition, row, bare.get(partition, 0))
        if row.get("controlled"):
            yield _control_total(partition, row)


def judge_raw_references(warehouse: Warehouse, run_id: str, assets: Collection[str],
                         partitions: Collection[Partition]) -> Iterator[Verdict]:
    """Judge that every raw record belongs to a unit of `raw_unit`; records of unit 0 (wrappers, headers) belong to the file.

    Gives a verdict for each table and partition that has records.
    """
    if not assets:
        return
    counted = " union all ".join(_ORPHANS.format(asset=asset, scope=in_run("record")) for asset in sorted(assets))
    for row in warehouse.query(f"{_KNOWN} {counted}", [run_id] * (len(assets) + 1)).to_pylist():
        partition = (row["facility_id"], as_day(row["batch_date"]))
        if partition in partitions:
            failed, total = int(row["orphans"] or 0), int(row["records"])
            yield _verdict(row["asset"], REFERENTIAL, partition, True, failed, total, ["rows whose unit is not in raw_unit"])


_DELIVERIES = f"""
with decoded as (
  select unit.delivery_id, count(*) as units from LAKE.raw.raw_unit unit where {in_run('unit')} group by unit.delivery_id
)
select delivery.facility_id, delivery.batch_date, count(*) as deliveries, sum(delivery.received_units) as received,
  sum(case when coalesce(decoded.units, 0) < delivery.received_units then delivery.received_units - coalesce(decoded.units, 0) else 0 end)
    as missing,
  sum(case when coalesce(decoded.units, 0) > delivery.received_units then coalesce(decoded.units, 0) - delivery.received_units else 0 end)
    as surplus,
  sum(case when delivery.control_total is not null then 1 else 0 end) as controlled,
  sum(case when delivery.control_total <> delivery.received_units then 1 else 0 end) as uncontrolled
from LAKE.raw.raw_delivery delivery
left join decoded on decoded.delivery_id = delivery.delivery_id
where {in_run('delivery')}
group by delivery.facility_id, delivery.batch_date"""

_RECORDED = " union all ".join(
    f"select record.unit_id from LAKE.raw.{table} record where {in_run('record')}" for table in _RECORD_TABLES
)
_UNITS_WITHOUT_RECORDS = f"""
with recorded as ({_RECORDED})
select unit.facility_id, unit.batch_date, count(*) as units
from LAKE.raw.raw_unit unit
where {in_run('unit')} and unit.reject_code is null
  and not exists (select 1 from recorded where recorded.unit_id = unit.unit_id)
group by unit.facility_id, unit.batch_date"""

_KNOWN = f"with known as (select unit.unit_id from LAKE.raw.raw_unit unit where {in_run('unit')})"
_ORPHANS = """
select '{asset}' as asset, record.facility_id, record.batch_date, count(*) as records,
  sum(case when known.unit_id is null then 1 else 0 end) as orphans
from LAKE.{asset} record
left join known on known.unit_id = record.unit_id
where {scope} and record.unit_ordinal > 0
group by record.facility_id, record.batch_date"""


def _reconciled(partition: Partition, row: dict[str, Any], bare: int) -> Verdict:
    missing, surplus = int(row.get("missing") or 0), int(row.get("surplus") or 0)
    reasons = [f"{count:,} {what}" for count, what in (
        (missing, "units received and not decoded"), (surplus, "units decoded and not received"), (bare, "accepted units without a record"),
    ) if count]
    return _verdict("raw.raw_unit", RECONCILIATION, partition, True, missing + surplus + bare, int(row.get("received") or 0), reasons)


def _control_total(partition: Partition, row: dict[str, Any]) -> Verdict:
    failed, total = int(row.get("uncontrolled") or 0), int(row.get("controlled") or 0)
    return _verdict("raw.raw_delivery", CONTROL_TOTAL, partition, False, failed, total,
                    ["deliveries whose control total is not the number of units received"])


def _verdict(asset: str, check: str, partition: Partition, is_blocking: bool, failed: int, total: int, reasons: list[str]) -> Verdict:
    facility_id, day = partition
    return Verdict(asset, check, facility_id, day, is_blocking, not failed, failed, total, words(check, failed, total, reasons))
