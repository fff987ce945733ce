"""What a case expects against what a store holds, as sentences that name each difference.

Belongs here: the meaning of `expected.json` (`cases/README.md`). Does not belong here: reading the store.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from tests.acceptance.case_rows import Found, Row
from tests.acceptance.golden_cases import SHIPPED, Case

KIND_OF_CODE = {code: row[0] for code, row in json.loads((SHIPPED / "vocabulary.json").read_text("utf-8"))["codes"].items()}
# Of two conflicting units the first received stays: in reverse order it is the other one.
FIRST_RECEIVED_STAYS = frozenset({
    "identity.visit_patient_conflict", "fhir.version_conflict", "dicom.sop_uid_conflict", "dicom.study_patient_conflict",
    "csv.version_conflict", "x12.duplicate_control_number",
})


def differences(case: Case, found: Found, late: frozenset[str] = frozenset()) -> list[str]:
    """Everything in which a store differs from `expected.json`; `late` are flags of feeds that delivered nothing."""
    return [*ledger_differences(case, found), *_flag_differences(case, found, late), *canonical_differences(case, found),
            *_history_differences(case, found), *_raw_differences(case, found)]


def ledger_differences(case: Case, found: Found) -> Iterator[str]:
    """Outcomes, codes and amounts of the units."""
    expected = case.expected
    wanted = {outcome: count for outcome, count in expected["ledger"].items() if count}
    if dict(found.outcomes) != wanted:
        yield f"ledger: expected {wanted}, found {dict(found.outcomes)}, for {_codes(found)}"
    if found.unbalanced:
        yield f"ledger: {found.unbalanced} feeds and days do not balance"
    if expected["units"] and not found.unit_kinds[expected["unit"]]:
        yield f"ledger: no unit {expected['unit']}, found {dict(found.unit_kinds)}"
    for outcome, kind in (("quarantined", "quarantine"), ("ignored_by_rule", "ignore")):
        codes = {code for code in case.reasons if KIND_OF_CODE[code] == kind}
        if set(found.reasons.get(outcome, {})) != codes:
            yield f"{outcome}: expected codes {sorted(codes)}, found {dict(found.reasons.get(outcome, {}))}"
    for item in expected.get("quarantine", []):
        count = found.reasons.get("quarantined", {}).get(item["code"], 0)
        if count != item["count"]:
            yield f"quarantine {item['code']}: expected {item['count']} units, found {count}"
        if "amount" in item and not _equal(item["amount"], found.held_amounts.get(item["code"])):
            yield f"quarantine {item['code']}: expected amount {item['amount']}, found {found.held_amounts.get(item['code'])}"


def canonical_differences(case: Case, found: Found) -> Iterator[str]:
    """Current rows: those that must be there, those that must not, counts and sums."""
    expected = case.expected
    for resource, rows in expected["canonical"].items():
        yield from _missing("canonical", resource, rows, found.current.get(resource, []))
    for resource, rows in expected.get("absent", {}).items():
        for row in rows:
            if any(_matches(row, candidate) for candidate in found.current.get(resource, [])):
                yield f"absent {resource}: {row} is there"
    for resource, count in expected.get("row_counts", {}).items():
        if len(found.current.get(resource, [])) != count:
            yield f"row_counts {resource}: expected {count}, found {len(found.current.get(resource, []))}"
    for item in expected.get("aggregate", []):
        chosen = [row for row in found.current.get(item["resource"], []) if _matches(item["where"], row)]
        for column, total in item["sum"].items():
            added = sum((Decimal(str(row[column])) for row in chosen if row.get(column) is not None), Decimal(0))
            if not _equal(total, added):
                yield f"aggregate {item['resource']}.{column}: expected {total}, found {added}"


def _history_differences(case: Case, found: Found) -> Iterator[str]:
    for resource, rows in case.expected.get("history", {}).items():
        yield from _missing("history", resource, rows, found.versions.get(resource, []))


def _raw_differences(case: Case, found: Found) -> Iterator[str]:
    for table, rows in case.expected.get("raw", {}).items():
        for row in rows:
            lowered = {column.lower(): value for column, value in row.items()}
            if not any(_matches(lowered, candidate) for candidate in found.raw.get(table.lower(), [])):
                yield f"raw {table}: no row {row}"


def _flag_differences(case: Case, found: Found, late: frozenset[str]) -> Iterator[str]:
    flags = {code for code in case.reasons if KIND_OF_CODE[code] == "flag"}
    if flags - found.flags - late:
        yield f"flags: {sorted(flags - found.flags - late)} are missing, found {sorted(found.flags)}"


def _codes(found: Found) -> dict[str, int]:
    return {code: count for codes in found.reasons.values() for code, count in codes.items()}


def _missing(part: str, resource: str, expected: Sequence[Row], candidates: Sequence[Row]) -> Iterator[str]:
    """Rows without a match of their own; each with the candidate that comes nearest."""
    options = {n: [m for m, candidate in enumerate(candidates) if _matches(row, candidate)] for n, row in enumerate(expected)}
    taken: dict[int, int] = {}
    for number, row in enumerate(expected):
        if not _assign(number, options, taken, set()):
            yield f"{part} {resource}: no row {row}; {_nearest(row, candidates)}"


def _assign(number: int, options: Mapping[int, list[int]], taken: dict[int, int], tried: set[int]) -> bool:
    """Give an expected row a candidate of its own, moving others where they have a second choice."""
    for candidate in options[number]:
        if candidate not in tried:
            tried.add(candidate)
            if candidate not in taken or _assign(taken[candidate], options, taken, tried):
                taken[candidate] = number
                return True
    return False


def _nearest(row: Row, candidates: Sequence[Row]) -> str:
    if not candidates:
        return "there is none of that resource"
    differing = [{name: found.get(name) for name, value in row.items() if not _equal_in(name, value, found)} for found in candidates]
    return f"of {len(candidates)} rows the nearest has {min(differing, key=len)}"


def _matches(expected: Row, found: Row) -> bool:
    return all(_equal_in(name, value, found) for name, value in expected.items())


def _equal_in(name: str, expected: Any, found: Row) -> bool:
    value = found.get(name)
    if isinstance(expected, dict):
        return isinstance(value, str) and len(value) == expected["$length"]
    if isinstance(expected, list):
        listed = [] if value in (None, "") else value.split(",") if isinstance(value, str) else list(value)
        return sorted(listed) == expected
    if name.endswith("_source") or not isinstance(value, (Decimal, int, float)) or isinstance(value, bool):
        return bool(value == expected)
    return _equal(expected, value)


def _equal(expected: Any, found: Any) -> bool:
    """Numerically equal; null equals nothing but null."""
    if expected is None or found is None:
        return expected is found
    try:
        return Decimal(str(expected)) == Decimal(str(found))
    except InvalidOperation:
        return False
