"""A verdict: what one check says of one table and one partition. The table `control.verdict` is the truth; Dagster's checks are views.

What belongs here: the row and its words. Not here: how a verdict is reached (`gate`, `marts`, `ledger`), what follows from it (`hold`).
Words and counts only: no verdict holds a value of a record.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from assets.stores.control import Partition

# Check names are stable: they name the Dagster checks and the causes of holds.
SCHEMA = "schema"
PLAUSIBILITY = "plausibility"
NULL_RATE = "null_rate"
DRIFT = "drift"
NEW_CODE = "new_code"
REFERENTIAL = "referential"
RECONCILIATION = "reconciliation"
CONTROL_TOTAL = "control_total"
CONTRACT = "contract"
LEDGER = "ledger"

WORDS = {
    SCHEMA: "Every row has the columns, forms, codes and keys that the table promises.",
    PLAUSIBILITY: "Values can be true together: no birth after the batch, no end before its start.",
    NULL_RATE: "Columns that a feed normally fills are filled.",
    DRIFT: "Empty columns and codes occur as often as in the facility's own last four weeks.",
    NEW_CODE: "Local codes that no map knows were seen in the facility's own last four weeks.",
    REFERENTIAL: "What a row refers to is known.",
    RECONCILIATION: "Units received, counted in the bytes, are the units decoded.",
    CONTROL_TOTAL: "The source's own control total is the number of units received.",
    CONTRACT: "The columns of each file are those of its feed's contract.",
    LEDGER: "Every unit received has exactly one outcome.",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """One check on one asset (`schema.table`) and one partition.

    `batch_date` is the partition's date; of a mart it is the service date of the slice. `is_blocking`: a failure keeps the partition
    out of what is published. `failed_rows` of `total_rows` fail; what a row is depends on the check (rows, units, deliveries).
    """

    asset: str
    check_name: str
    facility_id: str
    batch_date: date
    is_blocking: bool
    has_passed: bool
    failed_rows: int
    total_rows: int
    description: str

    @property
    def partition(self) -> Partition:
        """Facility and date that the verdict speaks of."""
        return self.facility_id, self.batch_date

    @property
    def holds(self) -> bool:
        """Whether the partition may not be published because of this verdict."""
        return self.is_blocking and not self.has_passed


def in_order(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Sort verdicts by date, facility, asset and check: the warehouse gives rows in no order."""
    return sorted(verdicts, key=lambda one: (one.batch_date, one.facility_id, one.asset, one.check_name))


def words(check_name: str, failed: int, total: int, reasons: Iterable[str]) -> str:
    """Describe a verdict: what the check asks, or what fails with counts. Reasons are phrases such as `gender is no code (2)`."""
    if not failed:
        return WORDS[check_name]
    return f"{failed:,} of {total:,}: " + "; ".join(reasons) + "."
