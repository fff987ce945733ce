"""Clusters of patient records: a pure function of edges, must-links and barred pairs.

Connected components alone let one wrong edge join two humans and all their records. So groups join strongest edge first,
and never where a barred pair (a veto of the policy or a steward's cannot-link) would end up in one group, nor where two groups
each insist on another birth date, or by a slip in the given name on another spelling: a slip of the keyboard is made once, two
records that agree on a date or a spelling are a human's own. Every order is fixed: the same edges give the same clusters whoever
came first, and a component depends on nothing outside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Edge:
    """Evidence that two records are of one human. Strongest first: by rank, weight, then keys.

    rank: 0 for what people decided (steward, trusted merge), then the places of the policy's rules. is_slip: the given names are taken for
    two spellings of one.
    """

    rank: int
    negative_weight: float
    left: str
    right: str
    rule: str = field(compare=False, default="")
    is_slip: bool = field(compare=False, default=False)


@dataclass(frozen=True)
class Clusters:
    """`group`: record -> the smallest record of its cluster. `refused`: edges that a barred pair stopped."""

    group: dict[str, str]
    refused: tuple[Edge, ...]


class _Groups:
    """Union of groups, each named by its smallest member."""

    def __init__(self, records: Iterable[str]) -> None:
        self.of = {record: record for record in records}
        self.members: dict[str, list[str]] = {}

    def name(self, record: str) -> str:
        while self.of[record] != record:
            self.of[record] = self.of[self.of[record]]
            record = self.of[record]
        return record

    def list(self, name: str) -> list[str]:
        return self.members.get(name, [name])

    def join(self, left: str, right: str) -> None:
        kept, gone = (left, right) if left < right else (right, left)
        self.of[gone] = kept
        self.members[kept] = [*self.list(kept), *self.list(gone)]
        self.members.pop(gone, None)


def cluster(records: Iterable[str], decided: Iterable[Edge], edges: Iterable[Edge], barred: Iterable[tuple[str, str]],
            parted: Iterable[tuple[str, str]], births: Mapping[str, Any] | None = None,
            givens: Mapping[str, str] | None = None) -> Clusters:
    """Cluster records.

    decided: steward links and trusted merges, which vetoes do not stop. edges: the policy's auto edges. barred: pairs under a veto.
    parted: steward cannot-links, which stop everything. births, givens: record -> birth date, given name, where it is known. No cluster
    holds a parted pair, nor a barred pair that `decided` did not join.
    """
    groups = _Groups(records)
    refused: list[Edge] = []
    hard = _opponents(parted)
    soft = _opponents([*barred, *parted])
    for chosen, opponents, is_policy in ((decided, hard, False), (edges, soft, True)):
        for edge in sorted(chosen, key=_strength):
            left, right = groups.name(edge.left), groups.name(edge.right)
            if left == right:
                continue
            one, other = groups.list(left), groups.list(right)
            insisted = is_policy and (_insist(one, other, births or {}) or (edge.is_slip and _insist(one, other, givens or {})))
            if insisted or _opposed(one, other, opponents):
                refused.append(edge)
            else:
                groups.join(left, right)
    return Clusters({record: groups.name(record) for record in groups.of}, tuple(refused))


def _strength(edge: Edge) -> tuple[int, float, str, str]:
    return edge.rank, edge.negative_weight, edge.left, edge.right


def _opponents(pairs: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    opponents: dict[str, set[str]] = {}
    for left, right in pairs:
        opponents.setdefault(left, set()).add(right)
        opponents.setdefault(right, set()).add(left)
    return opponents


def _opposed(left: list[str], right: list[str], opponents: dict[str, set[str]]) -> bool:
    small, large = (left, right) if len(left) <= len(right) else (right, left)
    return any(not opponents[record].isdisjoint(large) for record in small if record in opponents)


def _insist(left: list[str], right: list[str], said: Mapping[str, Any]) -> bool:
    """Do two groups, each with two records that say the same at least, have nothing that both say?"""
    if len(left) < 2 or len(right) < 2:
        return False
    one, other = ([said[record] for record in group if record in said] for group in (left, right))
    return len(set(one)) < len(one) and len(set(other)) < len(other) and set(one).isdisjoint(other)
