"""Clusters and persons as pure functions."""

from __future__ import annotations

import itertools
import random

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.identity.cluster import Edge, cluster
from transforms.identity.components import components
from transforms.identity.persons import OldLink, assign_persons, mint

RECORDS = "abcdefgh"
PAIRS = [pair for pair in itertools.combinations(RECORDS, 2)]


def _edges(pairs: list[tuple[str, str]], weights: list[int]) -> list[Edge]:
    return [
        Edge(weight % 3, -float(weight), left, right, f"rule{weight % 3}")
        for (left, right), weight in zip(pairs, weights, strict=False)
    ]


def _components(records: str | list[str], pairs: list[tuple[str, str]]) -> dict[str, str]:
    keys = pa.array(sorted(records), pa.string())
    names = components(keys, pa.array([left for left, _ in pairs], pa.string()), pa.array([right for _, right in pairs], pa.string()))
    return dict(zip(keys.to_pylist(), names.to_pylist(), strict=True))


def _groups(group: dict[str, str]) -> set[frozenset[str]]:
    return {frozenset(record for record, name in group.items() if name == one) for one in set(group.values())}


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(PAIRS), max_size=12, unique=True), st.lists(st.integers(1, 9), min_size=12, max_size=12),
       st.lists(st.sampled_from(PAIRS), max_size=6, unique=True), st.lists(st.sampled_from(PAIRS), max_size=3, unique=True), st.randoms())
def test_no_cluster_holds_a_barred_or_parted_pair(pairs: list[tuple[str, str]], weights: list[int], barred: list[tuple[str, str]],
                                                  parted: list[tuple[str, str]], draw: random.Random) -> None:
    """Whatever the edges say, in whatever order they come, no barred pair ends in one cluster, and the clusters are the same."""
    edges = _edges(pairs, weights)
    found = cluster(RECORDS, [], edges, barred, parted)
    assert all(found.group[left] != found.group[right] for left, right in [*barred, *parted])
    shuffled, records = list(edges), list(RECORDS)
    draw.shuffle(shuffled)
    draw.shuffle(records)
    again = cluster(records, [], shuffled, list(reversed(barred)), parted)
    assert _groups(again.group) == _groups(found.group)
    assert again.refused == found.refused


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(PAIRS), max_size=12, unique=True), st.lists(st.integers(1, 9), min_size=12, max_size=12),
       st.lists(st.sampled_from(PAIRS), max_size=6, unique=True))
def test_a_component_depends_on_nothing_outside_it(pairs: list[tuple[str, str]], weights: list[int], barred: list[tuple[str, str]]) -> None:
    """Clustering each component alone gives the clusters of the whole: what makes re-clustering of touched components exact."""
    edges = _edges(pairs, weights)
    whole = cluster(RECORDS, [], edges, barred, [])
    of = _components(RECORDS, pairs)
    for name in set(of.values()):
        records = [record for record in RECORDS if of[record] == name]
        inside = [pair for pair in barred if set(pair) <= set(records)]
        alone = cluster(records, [], [edge for edge in edges if edge.left in records], inside, [])
        assert {record: whole.group[record] for record in records} == alone.group


def test_without_bars_clusters_are_the_components() -> None:
    """Nothing barred: connected records are one cluster, named by its smallest record."""
    found = cluster("abcde", [], _edges([("a", "b"), ("c", "b"), ("d", "e")], [1, 2, 3]), [], [])
    assert found.group == {"a": "a", "b": "a", "c": "a", "d": "d", "e": "d"} == _components("abcde", [("a", "b"), ("b", "c"), ("d", "e")])


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 60), st.data())
def test_components_of_any_pairs_are_the_clusters_without_bars(size: int, data: st.DataObject) -> None:
    """Chains, stars and rings in any order, also pairs that are said twice: the components are what joining pair by pair gives."""
    records = [f"r{number:02}" for number in range(size)]
    drawn = data.draw(st.lists(st.tuples(st.sampled_from(records), st.sampled_from(records)), max_size=90))
    pairs = [(min(pair), max(pair)) for pair in drawn if pair[0] != pair[1]]
    assert _components(records, pairs) == cluster(records, [], _edges(pairs, [1] * len(pairs)), [], []).group


def test_the_stronger_edge_wins_where_both_cannot_hold() -> None:
    """Of two edges that a bar makes exclusive the stronger joins and the weaker is reported."""
    strong, weak = Edge(0, -9.0, "a", "c"), Edge(0, -2.0, "b", "c")
    found = cluster("abc", [], [weak, strong], [("a", "b")], [])
    assert _groups(found.group) == {frozenset("ac"), frozenset("b")}
    assert found.refused == (weak,)


def test_people_outrank_vetoes_and_cannot_link_outranks_all() -> None:
    """A decided link joins a barred pair; a parted pair stays apart even where a merge says otherwise."""
    link = Edge(0, 0.0, "a", "b", "steward_link")
    assert _groups(cluster("ab", [link], [], [("a", "b")], []).group) == {frozenset("ab")}
    assert _groups(cluster("ab", [link], [], [], [("a", "b")]).group) == {frozenset("a"), frozenset("b")}


def test_two_groups_that_each_repeat_their_spelling_are_no_slip_of_one() -> None:
    """One SHALENE among SHALINEs is a slip; two of them, on either side, are another human, and the link becomes a question."""
    same = [Edge(1, -9.0, "a", "b"), Edge(1, -9.0, "c", "d")]
    slip = Edge(2, -5.0, "b", "c", is_slip=True)
    spelled = {"a": "SHALINE", "b": "SHALINE", "c": "SHALENE", "d": "SHALENE"}
    found = cluster("abcd", [], [*same, slip], [], [], givens=spelled)
    assert _groups(found.group) == {frozenset("ab"), frozenset("cd")}
    assert found.refused == (slip,)
    assert _groups(cluster("abc", [], [same[0], slip], [], [], givens=spelled).group) == {frozenset("abc")}
    assert _groups(cluster("abcd", [], [*same, Edge(2, -5.0, "b", "c")], [], [], givens=spelled).group) == {frozenset("abcd")}


def test_a_person_keeps_its_id_on_the_larger_part_then_on_the_older() -> None:
    """On a split the id stays with most records; equal parts: with the record that was linked first."""
    old = {"a": OldLink("p1", 1, 1), "b": OldLink("p1", 2, 1), "c": OldLink("p1", 2, 1)}
    larger = assign_persons({"a": "a", "b": "b", "c": "b"}, old, 2, "salt")
    assert larger.person["b"] == larger.person["c"] == "p1"
    assert larger.minted == {larger.person["a"]: 2}
    equal = assign_persons({"a": "a", "b": "b"}, {key: old[key] for key in "ab"}, 2, "salt")
    assert equal.person["a"] == "p1"


def test_on_a_merge_the_older_id_stays_and_the_other_is_redirected() -> None:
    """The person minted first survives, however the records are called."""
    old = {"a": OldLink("young", 5, 7), "b": OldLink("old", 1, 2)}
    merged = assign_persons({"a": "a", "b": "a"}, old, 8, "salt")
    assert set(merged.person.values()) == {"old"}
    assert merged.redirects == {"young": "old"}
    assert merged.minted == {}


def test_minted_ids_are_opaque_and_bound_to_the_salt() -> None:
    """Ids of one store never repeat, and another store's salt gives other ids."""
    ids = [mint(ordinal, "one") for ordinal in range(2000)]
    assert len(set(ids)) == 2000
    assert not set(ids) & {mint(ordinal, "two") for ordinal in range(2000)}
    assert sorted(ids) != ids
