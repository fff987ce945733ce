"""Which clusters are persons that were joined with others before, told by the history of links.

Wherever records pass between persons, what each of them was right before is a point to which they may be parted again: a cluster of
those records is that person. So wrong merges (HL7 v2 A40) that chain several persons together are undone with their ids, in one step or in
many, in whatever order. Records that merely arrived or were deleted make no such point: a person that grew is one person.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby


@dataclass(frozen=True)
class LinkEvent:
    """A row of the history of links. has_passed: in that run the record left one person for another. is_living: it has a person still."""

    run_seq: int
    patient_key: str
    is_link: bool
    person_id: str
    has_passed: bool
    is_living: bool


def restored_persons(group: Mapping[str, str], events: Iterable[LinkEvent], held: Container[str] = (),
                     arrived: Mapping[str, int] | None = None) -> dict[str, str]:
    """Give the clusters that are what a person was before records passed between it and another: cluster name -> person id.

    group: record -> cluster name. events: by rising run, all of each person named in them. held: records that had a person before.
    arrived: record -> the run that brought it, of those that came after the first event at least.
    Neither what was deleted since the point nor what came into the index after it counts, though it was a person of its own meanwhile: had
    the records never passed, it would have joined them. Where one person was two of the clusters, or one cluster two persons, the later
    point counts.
    """
    events = list(events)
    points, members_now = _points(events)
    first = dict(arrived or {})
    for event in events:
        first.setdefault(event.patient_key, event.run_seq)
    living = {event.patient_key for event in events if event.is_living}
    clusters = _clusters(group, {record for members in points for record in members})
    found: list[tuple[int, str, str]] = []
    for members, (run_seq, person_id) in points.items():
        # deleted: in no cluster, and either so already or a record that had a person until now; what lives in no cluster is elsewhere
        left = {record for record in members if record in group or (record in living and record not in held)}
        name = group.get(min(left, default=""), "")
        others = clusters.get(name, set()) - left
        lives_elsewhere = any(record not in held for record in members_now[person_id])
        if name and not lives_elsewhere and left <= clusters[name] and all(
                first[record] >= run_seq if record in first else record not in held for record in others):
            found.append((run_seq, person_id, name))
    of_cluster = {name: (run_seq, person_id) for run_seq, person_id, name in sorted(found)}
    of_person = {person_id: name for name, (_, person_id) in sorted(of_cluster.items(), key=lambda one: one[1])}
    return {name: person_id for person_id, name in of_person.items()}


def _clusters(group: Mapping[str, str], records: set[str]) -> dict[str, set[str]]:
    """Give the clusters of some records, whole, by name."""
    clusters: dict[str, set[str]] = {group[record]: set() for record in records if record in group}
    for record, name in group.items():
        if name in clusters:
            clusters[name].add(record)
    return clusters


def _points(events: Iterable[LinkEvent]) -> tuple[dict[frozenset[str], tuple[int, str]], dict[str, set[str]]]:
    """Give the sets of records that were a person right before records passed, with the newest run and the person, and each person's
    records at the end."""
    members: dict[str, set[str]] = {}
    points: dict[frozenset[str], tuple[int, str]] = {}
    for run_seq, together in groupby(events, key=lambda event: event.run_seq):
        of_run = list(together)
        for person_id in sorted({event.person_id for event in of_run if event.has_passed}):
            if members.get(person_id):
                points[frozenset(members[person_id])] = (run_seq, person_id)
        for event in sorted(of_run, key=lambda event: event.is_link):
            held = members.setdefault(event.person_id, set())
            (held.add if event.is_link else held.discard)(event.patient_key)
    return points, members
