"""A steward's decisions on pairs of records: append-only, and of two at once the first wins and the second is told.

What belongs here: writing one decision with what was known when it was made. What it does to persons follows from the next
resolution, which reads the newest decision of each pair.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from assets.stores.warehouse import Warehouse
from transforms.errors import ConfigurationError, ContractError
from transforms.identity.evidence import EVIDENCE

LINK, CANNOT_LINK, WITHDRAWN = "link", "cannot_link", "withdrawn"


@dataclass(frozen=True)
class Decision:
    """What a steward says of two records, and why. `seen`: the newest decision on the pair that the steward knew of, 0 for none."""

    left: str
    right: str
    decision: str
    decided_by: str
    reason: str
    seen: int = 0


def record_decision(warehouse: Warehouse, said: Decision, decided_time: datetime, model_version: str, policy_version: str) -> int:
    """Append a decision with the score and the evidence of the pair as they stand; give its number.

    Raises ConfigurationError where a record is not in the index or both are one, ContractError where somebody else decided meanwhile.
    """
    left, right = sorted((said.left, said.right))
    refuse_strangers(warehouse, said)
    with warehouse.transaction():
        refuse_unseen(warehouse, said)
        warehouse.execute(f"""
            insert into identity.decision (patient_key_l, patient_key_r, decision_seq, decision, decided_by, decided_time, reason, score,
                                           evidence, model_version, policy_version)
            select ?, ?, (select coalesce(max(decision_seq), 0) + 1 from identity.decision), ?, ?, cast(? as timestamp), ?,
              (select max(score) from identity.edge edge where {_PAIR}), (select max({_LEVELS}) from identity.edge edge where {_PAIR}), ?, ?
        """, [left, right, said.decision, said.decided_by, decided_time, said.reason, left, right, left, right, model_version,
              policy_version])
        written = newest_decision(warehouse, left, right)
    assert written is not None
    return int(str(written["decision_seq"]))


def refuse_strangers(warehouse: Warehouse, said: Decision) -> None:
    """Raise ConfigurationError where a decision is not on two different records of the index."""
    pair = [said.left, said.right]
    known = warehouse.query("select count(distinct patient_key) as n from identity.link where patient_key in (?, ?)", pair)
    if known["n"][0].as_py() != 2:
        raise ConfigurationError("identity: a decision needs two different patient records of the index. "
                                 "Remedy: take both keys from `lakehouse identity review`.")


def refuse_unseen(warehouse: Warehouse, said: Decision) -> None:
    """Raise ContractError where somebody decided on the pair what the steward did not see."""
    newest = newest_decision(warehouse, *sorted((said.left, said.right)))
    if newest and newest["decision_seq"] != said.seen:
        raise ContractError(
            f"identity: {newest['decided_by']} decided {newest['decision']} on this pair (decision {newest['decision_seq']}); nothing "
            f"was written. Remedy: look at it, then decide again with --seen {newest['decision_seq']}.")


def newest_decision(warehouse: Warehouse, left: str, right: str) -> dict[str, object] | None:
    """Give the decision that holds on a pair (smaller key left), or None."""
    found = warehouse.query("""
        select decision_seq, decision, decided_by, decided_time, reason from identity.decision
        where patient_key_l = ? and patient_key_r = ? order by decision_seq desc nulls last limit 1
    """, [left, right]).to_pylist()
    return dict(found[0]) if found else None


_PAIR = "edge.patient_key_l = ? and edge.patient_key_r = ? and edge.given is not null"
_LEVELS = " || ' ' || ".join(f"'{name}=' || coalesce(edge.{name}, 'unknown')" for name in EVIDENCE)
