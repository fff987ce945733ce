"""Verdict `referential`: the share of rows whose patient or encounter is known at the facility.

Never blocking: a feed may speak of a patient before the feed that admits them arrives, and such rows are published or wait by
their own rules. A sudden jump still shows a broken key.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from assets.stores.control import Partition
from assets.stores.warehouse import Warehouse
from checks.reading import as_day, in_run
from checks.verdict import REFERENTIAL, Verdict, words


@dataclass(frozen=True)
class Reference:
    """A key column and the resource whose `fact_key` it holds."""

    column: str
    target: str


_PATIENT, _ENCOUNTER = Reference("subject_key", "patient"), Reference("encounter_key", "encounter")
REFERENCES: Mapping[str, tuple[Reference, ...]] = {
    "patient_identifier": (_PATIENT,),
    "patient_link": (_PATIENT, Reference("other_key", "patient")),
    "encounter": (_PATIENT,),
    **dict.fromkeys(
        ("condition", "procedure", "observation", "diagnostic_report", "service_request", "medication_request", "medication_administration",
         "allergy_intolerance", "immunization", "document_reference", "imaging_statement"),
        (_PATIENT, _ENCOUNTER),
    ),
    "coverage": (_PATIENT,),
    "claim": (_PATIENT,),
    "coverage_eligibility": (_PATIENT,),
    "imaging_instance": (_PATIENT,),
}


def judge_references(warehouse: Warehouse, run_id: str, resource: str, tables: Collection[str],
                     partitions: Collection[Partition]) -> Iterator[Verdict]:
    """Judge the version rows of one resource; a verdict for each partition that has rows. `tables` are those that exist."""
    references = [one for one in REFERENCES.get(resource, ()) if f"canonical.{one.target}_version" in tables]
    if not references:
        return
    query, scopes = _query(resource, references, tables)
    asset = f"canonical.{resource}_version"
    for row in warehouse.query(query, [run_id] * scopes).to_pylist():
        partition = (row["facility_id"], as_day(row["batch_date"]))
        if partition not in partitions:
            continue
        total, failed = int(row["total"]), int(row["failed"])
        reasons = [
            f"{one.column} of an unknown {one.target} ({int(row[one.column]):,})" for one in references if row[one.column]
        ]
        yield Verdict(asset, REFERENTIAL, *partition, False, not failed, failed, total, words(REFERENTIAL, failed, total, reasons))


def _query(resource: str, references: list[Reference], tables: Collection[str]) -> tuple[str, int]:
    """Give the counting statement and how many times it binds the run id. Known is what is current or came in this run."""
    targets = sorted({one.target for one in references})
    known, scopes = [], 0
    for target in targets:
        sources = [f"select came.fact_key from LAKE.canonical.{target}_version came where {in_run('came')}"]
        scopes += 1
        if f"canonical.{target}" in tables:
            sources.append(f"select stands.fact_key from LAKE.canonical.{target} stands")
        known.append(f"known_{target} as ({' union '.join(sources)})")
    is_unknown = {
        one.column: f"said.{one.column} is not null and {one.column}_of.fact_key is null" for one in references
    }
    counts = ", ".join(f"sum(case when {test} then 1 else 0 end) as {column}" for column, test in is_unknown.items())
    joins = " ".join(f"left join known_{one.target} {one.column}_of on {one.column}_of.fact_key = said.{one.column}" for one in references)
    query = (
        f"with {', '.join(known)} select said.facility_id, said.batch_date, count(*) as total, {counts}, "
        f"sum(case when {' or '.join(f'({test})' for test in is_unknown.values())} then 1 else 0 end) as failed "
        f"from LAKE.canonical.{resource}_version said {joins} where {in_run('said')} group by said.facility_id, said.batch_date"
    )
    return query, scopes + 1
