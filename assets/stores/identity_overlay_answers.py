"""What stewards said of overlays: append-only; the newest answer to an overlay holds and takes it off the list.

An overlay is one change of one record's content (`patient_key`, `run_seq`), so that a later change raises anew whatever was said of an
earlier one. An answer moves no record: where two humans share a person, an unlink parts them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from assets.stores.warehouse import Warehouse
from transforms.errors import ConfigurationError, ContractError

# the same human all the same (a corrected record); another human, and the facility was told
NO_OVERLAY, OVERLAY = "no_overlay", "overlay"
ANSWERS = (NO_OVERLAY, OVERLAY)
# contents that a steward sees of a record: the newest and what came before; records of its person that are named
CONTENTS, NAMED = 4, 10
SAID = ("name_family", "name_given", "name_suffix", "birth_date", "gender", "telecom_phone", "telecom_email", "address_line",
        "address_postal_code")
_NEWEST = """
answered as (
  select patient_key, run_seq, answer_seq, answer, decided_by, decided_time,
    row_number() over (partition by patient_key, run_seq order by answer_seq desc nulls last) as recency
  from identity.overlay_answer
)
"""


@dataclass(frozen=True)
class OverlayAnswer:
    """What a steward says of one change of content, and why. `seen`: the newest answer to it that the steward knew of, 0 for none."""

    patient_key: str
    run_seq: int
    answer: str
    decided_by: str
    reason: str
    seen: int = 0


def record_answer(warehouse: Warehouse, said: OverlayAnswer, decided_time: datetime) -> int:
    """Append an answer; give its number. Raises ContractError where somebody else answered meanwhile."""
    with warehouse.transaction():
        refuse_unseen_answer(warehouse, said)
        warehouse.execute("""
            insert into identity.overlay_answer (patient_key, run_seq, answer_seq, answer, decided_by, decided_time, reason)
            select ?, ?, (select coalesce(max(answer_seq), 0) + 1 from identity.overlay_answer), ?, ?, cast(? as timestamp), ?
        """, [said.patient_key, said.run_seq, said.answer, said.decided_by, decided_time, said.reason])
        newest = _newest_answer(warehouse, said)
    assert newest is not None
    return int(str(newest["answer_seq"]))


def refuse_no_answer(said: OverlayAnswer) -> None:
    """Raise ConfigurationError where what is said is none of ANSWERS."""
    if said.answer not in ANSWERS:
        raise ConfigurationError(f"identity: an overlay is answered by one of {', '.join(ANSWERS)}.")


def refuse_unraised(warehouse: Warehouse, patient_key: str, run_seq: int) -> None:
    """Raise ConfigurationError where that run raised no overlay of this record."""
    raised = warehouse.query("select count(*) as n from identity.overlay where patient_key = ? and run_seq = ?", [patient_key, run_seq])
    if not raised["n"][0].as_py():
        raise ConfigurationError("identity: that run raised no overlay of this record. "
                                 "Remedy: take record and run from `lakehouse identity overlays`.")


def refuse_unseen_answer(warehouse: Warehouse, said: OverlayAnswer) -> None:
    """Raise ContractError where somebody answered what the steward did not see."""
    newest = _newest_answer(warehouse, said)
    if newest and newest["answer_seq"] != said.seen:
        raise ContractError(
            f"identity: {newest['decided_by']} answered {newest['answer']} to this overlay (answer {newest['answer_seq']}); nothing was "
            f"written. Remedy: look at it, then answer again with --seen {newest['answer_seq']}.")


def overlays(warehouse: Warehouse, limit: int, closed: bool = False) -> list[dict[str, object]]:
    """Give the changes of content that speak of another human, newest first; answered ones only where `closed` is asked for.

    Each with record, facility, run, since (UTC), score, how the record is linked now (its person, by which rule, how many other records
    that person has; a record that was deleted since has no person), and the answer that holds, by whom.
    """
    wanted = "1 = 1" if closed else "answered.answer is null"
    order = "overlay.run_seq desc nulls last, overlay.score nulls last, overlay.patient_key"
    return list(warehouse.query(_listed(f"{wanted} order by {order} limit {int(limit)}")).to_pylist())


def _listed(wanted: str) -> str:
    """Give the query of the overlays that `wanted` (a condition, an order after it) names."""
    return f"""
        with {_NEWEST}
        select overlay.patient_key, overlay.facility_id, overlay.run_seq, resolution.recorded_time as since, overlay.score, link.person_id,
          link.link_rule, coalesce(held.records - 1, 0) as others, answered.answer, answered.decided_by, answered.answer_seq
        from identity.overlay overlay
        left join answered on answered.patient_key = overlay.patient_key and answered.run_seq = overlay.run_seq and answered.recency = 1
        left join identity.resolution resolution on resolution.run_seq = overlay.run_seq
        left join identity.link link on link.patient_key = overlay.patient_key
        left join (select person_id, count(*) as records from identity.link group by person_id) held on held.person_id = link.person_id
        where {wanted}
    """


def overlay_counts(warehouse: Warehouse) -> dict[str, int]:
    """Count the overlays that wait (`waiting`) and those that were answered, by the answer that holds."""
    found = warehouse.query(f"""
        with {_NEWEST}
        select coalesce(answered.answer, 'waiting') as answer, count(*) as n from identity.overlay overlay
        left join answered on answered.patient_key = overlay.patient_key and answered.run_seq = overlay.run_seq and answered.recency = 1
        group by coalesce(answered.answer, 'waiting')
    """).to_pylist()
    return dict.fromkeys(("waiting", *ANSWERS), 0) | {str(row["answer"]): int(row["n"]) for row in found}


def overlay_raised(warehouse: Warehouse, patient_key: str, run_seq: int) -> dict[str, object]:
    """Give one overlay as `overlays` does. Raises ConfigurationError where that run raised none of this record."""
    refuse_unraised(warehouse, patient_key, run_seq)
    found = warehouse.query(_listed("overlay.patient_key = ? and overlay.run_seq = ?"), [patient_key, run_seq])
    return dict(found.to_pylist()[0])


def linked_records(warehouse: Warehouse, patient_key: str) -> list[dict[str, object]]:
    """Give the records that share the record's person (patient_key, facility_id), of many the first NAMED."""
    return list(warehouse.query(f"""
        select other.patient_key, other.facility_id from identity.link link
        join identity.link other on other.person_id = link.person_id and other.patient_key <> link.patient_key
        where link.patient_key = ? order by other.facility_id, other.patient_key limit {NAMED}
    """, [patient_key]).to_pylist())


def contents(warehouse: Warehouse, patient_key: str) -> list[dict[str, object]]:
    """Give what the record's messages said, newest first, one row for each content that differs from the one before it: columns SAID,
    identifier_value and source_time. Read from the versions that are kept anyway; an empty list where none is left."""
    rows = warehouse.query(f"""
        select {', '.join(SAID)}, identifier_value, source_time from canonical.patient_version
        where fact_key = ? order by source_time desc nulls last, source_order desc nulls last, record_id
    """, [patient_key]).to_pylist()
    told = [row for place, row in enumerate(rows)
            if place + 1 == len(rows) or any(row[name] != rows[place + 1][name] for name in SAID)]
    return told[:CONTENTS]


def _newest_answer(warehouse: Warehouse, said: OverlayAnswer) -> dict[str, object] | None:
    found = warehouse.query("""
        select answer_seq, answer, decided_by from identity.overlay_answer where patient_key = ? and run_seq = ?
        order by answer_seq desc nulls last limit 1
    """, [said.patient_key, said.run_seq]).to_pylist()
    return dict(found[0]) if found else None
