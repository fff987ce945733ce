"""Which person each cluster is: ids outlive their clusters.

A person keeps its id while it has records. A cluster that is exactly what a person was before records passed between it and others is that
person again (`restoring.py`). Otherwise, where a person splits, its id stays with a part that no older person shares, so that a
redirect always speaks for a whole person, then with the part that holds most of the records that were its own before any merge, then
most of its records, then the record linked first.
Where persons merge, the oldest id stays and the others are redirected to it. A part that no living person claims takes back the id
that its records had before a merge, so that undoing a merge restores the persons. Ids are minted from a counter under the store's
salt: opaque, never derived from patient data, never given to two humans at once.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class OldLink:
    """The person that a record belonged to before, the run that linked it, and the ordinal of the person."""

    person_id: str
    run_seq: int
    ordinal: int


@dataclass(frozen=True)
class Persons:
    """`person`: record -> person id. `minted`: new ids with their ordinals. `redirects`: person that ended -> person it went into, and a
    person that came back -> itself."""

    person: dict[str, str]
    minted: dict[str, int]
    redirects: dict[str, str]


def mint(ordinal: int, salt: str) -> str:
    """Give the person id of an ordinal: 80 bits of a salted SHA-256, so that ids tell neither order nor number."""
    return "p-" + hashlib.sha256(f"{salt}|person|{ordinal}".encode()).hexdigest()[:20]


def assign_persons(group: dict[str, str], old: dict[str, OldLink], next_ordinal: int, salt: str,
                   ended: Iterable[tuple[str, int, str]] = (), restored: Mapping[str, str] | None = None) -> Persons:
    """Name clusters.

    group: record -> cluster name. old: links before, also of records that are no longer in any cluster. ended: (record, ordinal, person id)
    of persons that were merged away and have no record now, for each record that they had. restored: cluster name -> person that
    it was before (`restored_persons`); nothing outweighs it.
    """
    restored = restored or {}
    taken = set(restored.values())
    ended = list(ended)
    heirs = _heirs(group, old, {record for record, _, _ in ended}, restored)
    returning = _returning(group, [one for one in ended if one[2] not in taken and group.get(one[0]) not in restored])
    claims: dict[str, list[tuple[int, str]]] = {}
    for (ordinal, person_id), name in heirs.items():
        claims.setdefault(name, []).append((ordinal, person_id))
    came_back = {person_id for _, _, person_id in ended}
    person_of: dict[str, str] = {}
    minted: dict[str, int] = {}
    redirects: dict[str, str] = {}
    for name in sorted(set(group.values())):
        claimants = sorted(claims.get(name, []))
        if name in restored:
            person_of[name] = restored[name]
            redirects |= {person_id: restored[name] for _, person_id in claimants}
            if restored[name] in came_back:
                redirects[restored[name]] = restored[name]
        elif claimants:
            person_of[name] = claimants[0][1]
            redirects |= {person_id: claimants[0][1] for _, person_id in claimants[1:]}
        elif name in returning:
            person_of[name] = returning[name]
            redirects[returning[name]] = returning[name]
        else:
            person_of[name] = mint(next_ordinal, salt)
            minted[person_of[name]] = next_ordinal
            next_ordinal += 1
    return Persons({record: person_of[name] for record, name in group.items()}, minted, redirects)


def _returning(group: dict[str, str], ended: Iterable[tuple[str, int, str]]) -> dict[str, str]:
    """Give each cluster the oldest ended person of its records; of several clusters that hold its records the one with most has it."""
    shares: dict[tuple[int, str], Counter[str]] = {}
    for record, ordinal, person_id in ended:
        if record in group:
            shares.setdefault((ordinal, person_id), Counter())[group[record]] += 1
    returning: dict[str, str] = {}
    for (_, person_id), counts in sorted(shares.items()):
        returning.setdefault(min((-count, name) for name, count in counts.items())[1], person_id)
    return returning


def _heirs(group: dict[str, str], old: dict[str, OldLink], merged: set[str], restored: Mapping[str, str]) -> dict[tuple[int, str], str]:
    """Give for each old person (ordinal, id) the cluster that inherits it; a person without remaining records, or restored, has none.

    merged: records that came from a person that ended, and that take that one back where they part.
    """
    taken = set(restored.values())
    shares: dict[tuple[int, str], Counter[str]] = {}
    own: dict[tuple[int, str], Counter[str]] = {}
    first: dict[tuple[int, str, str], tuple[int, str]] = {}
    for record, link in old.items():
        if record not in group or link.person_id in taken:
            continue
        person = (link.ordinal, link.person_id)
        shares.setdefault(person, Counter())[group[record]] += 1
        own.setdefault(person, Counter())[group[record]] += record not in merged
        key = (*person, group[record])
        first[key] = min(first.get(key, (link.run_seq, record)), (link.run_seq, record))
    oldest: dict[str, tuple[int, str]] = {}
    for person, counts in sorted(shares.items(), reverse=True):
        oldest.update(dict.fromkeys(counts, person))
    return {person: min((name in restored, oldest[name] < person, -own[person][name], -count, first[(*person, name)], name)
                        for name, count in counts.items())[5]
            for person, counts in shares.items()}
