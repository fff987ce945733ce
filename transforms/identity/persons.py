"""Which person each cluster is: ids outlive their clusters.

A person keeps its id while it has records. Where a person splits, its id stays with the part that holds most of its records
(then the part with the record linked first); where persons merge, the oldest id stays and the others are redirected to it. Ids
are minted from a counter under the store's salt: opaque, never derived from patient data, never used twice.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True)
class OldLink:
    """The person that a record belonged to before, the run that linked it, and the ordinal of the person."""

    person_id: str
    run_seq: int
    ordinal: int


@dataclass(frozen=True)
class Persons:
    """`person`: record -> person id. `minted`: new ids with their ordinals. `redirects`: person that ended -> person it went into."""

    person: dict[str, str]
    minted: dict[str, int]
    redirects: dict[str, str]


def mint(ordinal: int, salt: str) -> str:
    """Give the person id of an ordinal: 80 bits of a salted SHA-256, so that ids tell neither order nor number."""
    return "p-" + hashlib.sha256(f"{salt}|person|{ordinal}".encode()).hexdigest()[:20]


def assign_persons(group: dict[str, str], old: dict[str, OldLink], next_ordinal: int, salt: str) -> Persons:
    """Name clusters.

    group: record -> cluster name. old: links before, also of records that are no longer in any cluster.
    """
    heirs = _heirs(group, old)
    claims: dict[str, list[tuple[int, str]]] = {}
    for (ordinal, person_id), name in heirs.items():
        claims.setdefault(name, []).append((ordinal, person_id))
    person_of: dict[str, str] = {}
    minted: dict[str, int] = {}
    redirects: dict[str, str] = {}
    for name in sorted(set(group.values())):
        claimants = sorted(claims.get(name, []))
        if claimants:
            person_of[name] = claimants[0][1]
            redirects |= {person_id: claimants[0][1] for _, person_id in claimants[1:]}
        else:
            person_of[name] = mint(next_ordinal, salt)
            minted[person_of[name]] = next_ordinal
            next_ordinal += 1
    return Persons({record: person_of[name] for record, name in group.items()}, minted, redirects)


def _heirs(group: dict[str, str], old: dict[str, OldLink]) -> dict[tuple[int, str], str]:
    """Give for each old person (ordinal, id) the cluster that inherits it; a person without remaining records has none."""
    shares: dict[tuple[int, str], Counter[str]] = {}
    first: dict[tuple[int, str, str], tuple[int, str]] = {}
    for record, link in old.items():
        if record not in group:
            continue
        person = (link.ordinal, link.person_id)
        shares.setdefault(person, Counter())[group[record]] += 1
        key = (*person, group[record])
        first[key] = min(first.get(key, (link.run_seq, record)), (link.run_seq, record))
    return {person: min((-count, first[(*person, name)], name) for name, count in counts.items())[2] for person, counts in shares.items()}
