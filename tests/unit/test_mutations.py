"""The list of planted faults is up to date: each can still be planted, names tests that exist, and no promise is without one."""

from __future__ import annotations

import re

import pytest

from tests.conftest import PROJECT
from tests.mutations.mutations import Mutation, mutations

ALL = mutations()


@pytest.mark.parametrize("mutation", ALL, ids=lambda one: str(one.number))
def test_it_can_be_planted(mutation: Mutation) -> None:
    """The text that a fault replaces stands once in its file, is another than what replaces it, and its tests exist."""
    assert mutation.occurrences(PROJECT) == 1
    assert mutation.old != mutation.new
    for test in mutation.tests:
        path, _, function = test.partition("::")
        assert f"def {function}(" in (PROJECT / path).read_text() or not function


def test_every_promise_has_a_fault() -> None:
    """Each row of the promises' tables names a test that some planted fault turns red."""
    rows = [line for line in (PROJECT / "docs" / "promises.md").read_text().splitlines() if re.match(r"\| (?!promise|-)", line)]
    aimed = {test for mutation in ALL for test in mutation.tests}
    bare = [row for row in rows if not any(
        name in aimed or name.partition("::")[0] in aimed for name in re.findall(r"`(tests/[^`]+::\w+)`", row))]
    assert bare == []
