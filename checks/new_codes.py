"""Verdict `new_code`: local codes without a standard one that a facility has not sent in the four weeks before.

Never blocking: the rows are published with their local code, and the code waits in `canonical.unmapped_code` for its owner. A facility
whose past is too small says nothing. Codes stay inside; descriptions name columns and counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta

from assets.stores.control import Partition
from assets.stores.warehouse import Warehouse
from checks.drift import HISTORY_DAYS
from checks.reading import as_day
from checks.shares import ENOUGH_ROWS
from checks.verdict import NEW_CODE, Verdict, words

# Resource -> its columns of a standard code and of the local code that stands where no map knows one.
_BY_CODE = ("condition", "procedure", "observation", "observation_component", "diagnostic_report", "service_request", "allergy_intolerance")
LOCAL_CODES: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(_BY_CODE, ("code_code", "code_local_code")),
    **dict.fromkeys(("medication_request", "medication_administration"), ("medication_code_code", "medication_local_code")),
    "immunization": ("vaccine_code_code", "vaccine_local_code"), "encounter": ("class_code", "class_local_code"),
}


def judge_new_codes(warehouse: Warehouse, run_id: str, resource: str, totals: Mapping[Partition, int]) -> Iterator[Verdict]:
    """Judge the version rows of one resource; a verdict for each partition of `totals` (its rows) whose facility has enough past."""
    if resource not in LOCAL_CODES or not totals:
        return
    days = [day for _, day in totals]
    sent, rows = _sent(warehouse, run_id, resource, min(days) - timedelta(days=HISTORY_DAYS), max(days))
    for facility_id, day in sorted(totals):
        before = [day - timedelta(days=back) for back in range(1, HISTORY_DAYS + 1)]
        if sum(rows.get((facility_id, earlier), 0) for earlier in before) < ENOUGH_ROWS:
            continue
        known = {code for earlier in before for code in sent.get((facility_id, earlier), {})}
        new = {code: count for code, count in sent.get((facility_id, day), {}).items() if code not in known}
        failed, total = sum(new.values()), totals[facility_id, day]
        reasons = [f"{LOCAL_CODES[resource][1]} brings codes that are new here and known to no map ({len(new):,})"]
        yield Verdict(f"canonical.{resource}_version", NEW_CODE, facility_id, day, False, not new, failed, total,
                      words(NEW_CODE, failed, total, reasons))


def _sent(warehouse: Warehouse, run_id: str, resource: str, first: date,
          last: date) -> tuple[dict[Partition, dict[str, int]], dict[Partition, int]]:
    """Unmapped local codes with their rows, and rows in all, of the run's facilities by partition, by one statement."""
    standard, local = LOCAL_CODES[resource]
    counted = warehouse.query(
        f"select said.facility_id, said.batch_date, case when said.{standard} is null then said.{local} end as code, count(*) as n "
        f"from LAKE.canonical.{resource}_version said where said.batch_date >= ? and said.batch_date <= ? and said.is_deleted = false "
        "and said.facility_id in (select run_scope.facility_id from LAKE.control.run_scope run_scope where run_scope.run_id = ?) "
        f"group by said.facility_id, said.batch_date, case when said.{standard} is null then said.{local} end",
        [first, last, run_id],
    )
    codes: dict[Partition, dict[str, int]] = {}
    rows: dict[Partition, int] = {}
    for row in counted.to_pylist():
        partition = (row["facility_id"], as_day(row["batch_date"]))
        rows[partition] = rows.get(partition, 0) + int(row["n"])
        if row["code"] is not None:
            codes.setdefault(partition, {})[row["code"]] = int(row["n"])
    return codes, rows
