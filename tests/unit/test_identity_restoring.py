"""Which clusters are persons of earlier, told by a history of links written by hand."""

from __future__ import annotations

import pytest

from transforms.identity.persons import OldLink, assign_persons
from transforms.identity.restoring import LinkEvent, restored_persons

# a, and b with c, are two persons; in run 2 the first goes into the second, in run 3 both into that of d
CHAIN = [
    LinkEvent(1, "a", True, "p1", False, True), LinkEvent(1, "b", True, "p2", False, True), LinkEvent(1, "c", True, "p2", False, True),
    LinkEvent(1, "d", True, "p0", False, True),
    LinkEvent(2, "a", False, "p1", True, True), LinkEvent(2, "a", True, "p2", True, True),
    *(LinkEvent(3, key, is_link, "p0" if is_link else "p2", True, True) for key in "abc" for is_link in (False, True)),
]
ALL = "abcd"


@pytest.mark.parametrize(("group", "held", "persons"), [
    ({"a": "a", "b": "b", "c": "b", "d": "d"}, ALL, {"a": "p1", "b": "p2", "d": "p0"}),
    # undone step by step: the two that were joined first are joined still
    ({"a": "a", "b": "a", "c": "a", "d": "d"}, ALL, {"a": "p2", "d": "p0"}),
    # a record that came later and one that was deleted since change nothing
    ({"a": "a", "e": "a", "b": "b", "d": "d"}, ALL, {"a": "p1", "b": "p2", "d": "p0"}),
    # e had a person before, so that this is a joining
    ({"a": "a", "e": "a", "b": "b", "c": "b", "d": "d"}, "abcde", {"b": "p2", "d": "p0"}),
    # never were they a person
    ({"a": "a", "b": "a", "c": "c", "d": "d"}, ALL, {"d": "p0"}),
])
def test_a_cluster_is_the_person_that_it_was_before_records_passed(group: dict[str, str], held: str, persons: dict[str, str]) -> None:
    """Two wrong merges in a row, undone in one step or two: each part is who it was; a part that was nobody is left to other rules."""
    assert restored_persons(group, CHAIN, held) == persons


@pytest.mark.parametrize(("came", "persons"), [(2, {"a": "p1"}), (4, {"a": "p1"}), (1, {})])
def test_what_came_after_a_point_does_not_hinder_it(came: int, persons: dict[str, str]) -> None:
    """A record that came when the others had passed already, and was a person of its own meanwhile, belongs to who they were."""
    group = {"a": "a", "e": "a", "b": "b", "c": "b", "d": "d"}
    assert restored_persons(group, CHAIN, "abcde", {"e": came}) == {"b": "p2", "d": "p0"} | persons


def test_a_person_that_lives_elsewhere_is_not_restored() -> None:
    """A person whose records are not all at hand is not given to another cluster: two humans would share an id."""
    assert "p1" not in restored_persons({"a": "a"}, [*CHAIN, LinkEvent(4, "f", True, "p1", False, True)], ALL).values()


def test_a_record_that_lives_with_an_unnamed_person_is_not_deleted() -> None:
    """Two were one person until one of them passed to a person that no event names: the other alone is not that person, unless it was deleted."""
    for is_living, persons in ((True, {}), (False, {"a": "p1"})):
        events = [LinkEvent(1, "a", True, "p1", False, True), LinkEvent(1, "f", True, "p1", False, is_living),
                  LinkEvent(2, "f", False, "p1", True, is_living)]
        assert restored_persons({"a": "a"}, events, "a") == persons


def test_a_restored_person_keeps_its_id_before_older_ones() -> None:
    """An id that was merged away comes back and points to itself; the living person keeps the rest, and a merge still redirects to the older."""
    old = {key: OldLink("p0", 3, 0) for key in ALL}
    ended = [("a", 1, "p1"), ("a", 2, "p2"), ("b", 2, "p2"), ("c", 2, "p2")]
    group = {"a": "a", "b": "b", "c": "b", "d": "d"}
    given = assign_persons(group, old, 9, "salt", ended, restored_persons(group, CHAIN, old))
    assert given.person == {"a": "p1", "b": "p2", "c": "p2", "d": "p0"}
    assert (given.redirects, given.minted) == ({"p1": "p1", "p2": "p2"}, {})
