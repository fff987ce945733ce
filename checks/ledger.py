"""Verdict `ledger`: received = canonical + duplicate + superseded + quarantined + ignored by rule, for each partition.

Judged after the outcomes are derived. Received is counted in the bytes by code that shares nothing with the decoders; the outcomes are
counted in `unit_outcome`. Not blocking: what is published by then is right, but somebody must look.
"""

from __future__ import annotations

from collections.abc import Collection

from assets.stores.control import Partition
from assets.stores.warehouse import Warehouse, existing_tables
from checks.reading import as_day, in_run
from checks.verdict import LEDGER, Verdict, words

ASSET = "canonical.ledger"


def judge_ledger(warehouse: Warehouse, run_id: str, partitions: Collection[Partition]) -> list[Verdict]:
    """Judge each partition of the run; one without a delivery balances at nothing. Nothing is judged before outcomes exist."""
    if "canonical.reconciliation" not in existing_tables(warehouse):
        return []
    counted = {
        (row["facility_id"], as_day(row["batch_date"])): row
        for row in warehouse.query(
            "select ledger.facility_id, ledger.batch_date, sum(ledger.received) as received, "
            "sum(abs(ledger.received - ledger.accounted)) as units, "
            "sum(case when ledger.received <> ledger.accounted then 1 else 0 end) as feeds "
            "from (select reconciliation.facility_id, reconciliation.batch_date, reconciliation.received, "
            "reconciliation.canonical + reconciliation.duplicate + reconciliation.superseded + reconciliation.quarantined "
            "+ reconciliation.ignored_by_rule as accounted from LAKE.canonical.reconciliation) ledger "
            f"where {in_run('ledger')} group by ledger.facility_id, ledger.batch_date", [run_id],
        ).to_pylist()
    }
    verdicts = []
    for partition in sorted(partitions):
        row = counted.get(partition, {})
        failed, total = int(row.get("units") or 0), int(row.get("received") or 0)
        reasons = [f"units without an outcome or with one too many, in {int(row.get('feeds') or 0):,} feeds"]
        verdicts.append(Verdict(ASSET, LEDGER, *partition, False, not failed, failed, total, words(LEDGER, failed, total, reasons)))
    return verdicts
