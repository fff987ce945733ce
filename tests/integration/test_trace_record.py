"""Who looks at a value is in the audit log: who, what and why, and never whose value it was."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assets.stores.catalog_reading import read_catalog
from lineage.trace_result import Question, Trace
from orchestration.catalog.tracing import warehouse_tracer
from transforms.errors import ContractError
from transforms.synthetic.registry_text import registry_text

FOUND = Trace("1970-01-02", ())


@pytest.fixture
def root(tmp_path: Path, open_test_root: Callable[..., Any]) -> Any:
    """A root that nobody ran anything in."""
    (tmp_path / "facilities.yaml").write_text(registry_text(1))
    return open_test_root(tmp_path / "home", tmp_path / "facilities.yaml")[0]


def _asked(reader: str, number: str = "MRN77001") -> Question:
    return Question("canonical.patient", {"identifier_value": number}, "birth_date", reader, "complaint")


def test_a_look_is_in_the_log(root: Any) -> None:
    """The entry names reader, purpose, table and column, and the row by a mark that is the same each time and says nothing of it."""
    tracer = warehouse_tracer(root)
    for question in (_asked("amy"), _asked("ben"), _asked("amy", "MRN77002")):
        tracer.record(question, FOUND)
    entries = read_catalog(root.home, "select json_extract(body, '$.actor') as actor, json_extract(body, '$.body') as body from entry "
                                      "where kind = 'access.trace' order by rowid")
    bodies = [json.loads(entry["body"]) for entry in entries]
    assert [entry["actor"] for entry in entries] == ["user:amy", "user:ben", "user:amy"]
    assert {(body["purpose"], body["product"], tuple(body["columns"])) for body in bodies} == {("complaint", "canonical.patient", ("birth_date",))}
    assert bodies[0]["patient"] == bodies[1]["patient"] != bodies[2]["patient"]
    assert "77001" not in json.dumps(entries)


def test_a_reader_without_an_account_name_is_refused(root: Any) -> None:
    """What is no account is told so, and nothing is written for it."""
    with pytest.raises(ContractError, match="without spaces"):
        warehouse_tracer(root).record(_asked("amy and ben"), FOUND)
