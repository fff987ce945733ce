"""Verdict `null_rate`: how many rows of a partition leave a column empty that a feed normally fills.

What belongs here: limits as data and their judgement. Not here: comparison with the facility's past (`drift`). The limits that block
depend on the partition alone, so that a verdict does not depend on the order in which partitions were processed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from assets.stores.control import Partition
from assets.stores.warehouse import Warehouse
from checks.reading import as_day, in_run
from checks.verdict import NULL_RATE, Verdict, words

# A share says nothing about a handful of rows.
ENOUGH_ROWS = 100


@dataclass(frozen=True)
class NullLimit:
    """At most `limit` of the rows that speak of the columns may leave all of them empty.

    `mark` names the source field group: an HL7 record in which it is absent does not speak of it (HL7 v2.5.1 s2.10.4).
    """

    columns: tuple[str, ...]
    limit: float
    is_blocking: bool = False
    mark: str | None = None

    @property
    def name(self) -> str:
        """The columns in words."""
        return " and ".join(self.columns)

    def speaks(self, alias: str) -> str:
        """SQL condition that a row counts: no deletion, no by-product, and it speaks of the field."""
        condition = f"{alias}.is_deleted = false and coalesce({alias}.maintains, 1) = 1"
        return f"{condition} and {alias}.{self.mark}_mark is not null" if self.mark else condition

    def is_empty(self, alias: str) -> str:
        """SQL condition that all its columns are empty."""
        return " and ".join(f"{alias}.{column} is null" for column in self.columns)


_SUBJECT = NullLimit(("subject_key",), 0.05, is_blocking=True)
_ANY_CODE = NullLimit(("code_code", "code_local_code", "code_text"), 0.05, is_blocking=True)
_STANDARD_CODE = NullLimit(("code_code",), 0.5)
NULL_LIMITS: Mapping[str, tuple[NullLimit, ...]] = {
    "patient": (
        NullLimit(("name_family",), 0.5, is_blocking=True, mark="name"),
        NullLimit(("birth_date",), 0.5, is_blocking=True, mark="birth_date"),
        NullLimit(("gender",), 0.5, mark="gender"), NullLimit(("identifier_value",), 0.2),
        NullLimit(("address_postal_code",), 0.8, mark="address"),
    ),
    "patient_identifier": (NullLimit(("system",), 0.5),),
    "encounter": (_SUBJECT, NullLimit(("class_code",), 0.5, mark="class"), NullLimit(("period_start",), 0.5, mark="period_start")),
    "condition": (_SUBJECT, _ANY_CODE, _STANDARD_CODE),
    "procedure": (_SUBJECT, _ANY_CODE, _STANDARD_CODE),
    "observation": (_SUBJECT, _ANY_CODE, _STANDARD_CODE, NullLimit(("status",), 0.05), NullLimit(("effective_datetime",), 0.5)),
    "diagnostic_report": (_SUBJECT, _ANY_CODE, NullLimit(("issued", "effective_datetime"), 0.5)),
    "service_request": (_SUBJECT, _ANY_CODE, _STANDARD_CODE),
    "medication_request": (
        _SUBJECT, NullLimit(("medication_code_code", "medication_text", "medication_local_code"), 0.05, is_blocking=True),
    ),
    "medication_administration": (
        _SUBJECT, NullLimit(("medication_code_code", "medication_text", "medication_local_code"), 0.05, is_blocking=True),
    ),
    "immunization": (_SUBJECT, NullLimit(("vaccine_code_code", "vaccine_text", "vaccine_local_code"), 0.05, is_blocking=True)),
    "allergy_intolerance": (_SUBJECT, _ANY_CODE),
    "claim": (NullLimit(("total_value",), 0.05, is_blocking=True),),
}


def judge_null_rates(warehouse: Warehouse, run_id: str, resource: str, partitions: Collection[Partition]) -> Iterator[Verdict]:
    """Judge the version rows of one resource; a verdict for each partition that has rows."""
    limits = NULL_LIMITS.get(resource)
    if limits is None:
        return
    asset = f"canonical.{resource}_version"
    query = f"{null_counts(asset, limits)} where {in_run('said')} group by said.facility_id, said.batch_date"
    for row in warehouse.query(query, [run_id]).to_pylist():
        partition = (row["facility_id"], as_day(row["batch_date"]))
        if partition not in partitions:
            continue
        over = [
            (one, int(row[f"empty_{place}"]), int(row[f"spoken_{place}"])) for place, one in enumerate(limits)
            if is_over(one, int(row[f"empty_{place}"]), int(row[f"spoken_{place}"]))
        ]
        reasons = [f"{one.name} empty in {empty:,} of {spoken:,}, limit {one.limit:.0%}" for one, empty, spoken in over]
        failed = max((empty for _, empty, _ in over), default=0)
        blocks = any(one.is_blocking for one, _, _ in over) or (not over and any(one.is_blocking for one in limits))
        total = int(row["total"])
        yield Verdict(asset, NULL_RATE, *partition, blocks, not over, failed, total, words(NULL_RATE, failed, total, reasons))


def null_counts(asset: str, limits: Collection[NullLimit]) -> str:
    """SQL up to its `where`: rows, and for each limit the rows that speak of its columns and those that leave them empty."""
    counts = "".join(
        f", sum(case when {one.speaks('said')} then 1 else 0 end) as spoken_{place}"
        f", sum(case when {one.speaks('said')} and {one.is_empty('said')} then 1 else 0 end) as empty_{place}"
        for place, one in enumerate(limits)
    )
    return f"select said.facility_id, said.batch_date, count(*) as total{counts} from LAKE.{asset} said"


def is_over(limit: NullLimit, empty: int, spoken: int) -> bool:
    """Whether a partition breaks a limit."""
    return spoken >= ENOUGH_ROWS and empty > limit.limit * spoken
