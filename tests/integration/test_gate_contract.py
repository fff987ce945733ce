"""The checks' side of the column contract: compared with the macro that the models read, and with the models that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from checks.mart_tables import MART_TABLES
from checks.resources import CURRENT_TABLES, RESOURCES, VERSION_TABLES, content_columns, mark_groups
from tests.integration.gate_world import CONTRACT, contract

MODELS = Path(__file__).parents[2] / "transforms" / "dbt" / "models"


@pytest.mark.parametrize("resource", RESOURCES)
def test_resources_are_promised_as_the_contract_states_them(resource: str) -> None:
    """Version tables have the contract's columns and `row_hash`, current tables the same without marks and `current_hash`."""
    header, content = contract(resource)
    marks = [name for name, _ in content if name.endswith("_mark")]
    plain = [name for name, _ in content if not name.endswith("_mark")]
    head = [name for name, _ in header]
    assert [c.name for c in VERSION_TABLES[f"canonical.{resource}_version"].columns] == [*head, *plain, *marks, "row_hash"]
    assert [c.name for c in CURRENT_TABLES[f"canonical.{resource}"].columns] == [*head, *plain, "current_hash"]
    assert list(content_columns(resource)) == plain
    assert [f"{group}_mark" for group in mark_groups(resource)] == marks


def test_every_resource_of_the_contract_and_every_model_is_promised() -> None:
    """No resource of the contract, version model or mart is without a schema."""
    assert set(re.findall(r"^  '([a-z_]+)': ", CONTRACT.read_text(), re.M)) == set(RESOURCES)
    versions = {path.stem for path in (MODELS / "canonical").rglob("*_version.sql")}
    assert versions <= {asset.removeprefix("canonical.") for asset in VERSION_TABLES}
    marts = {path.stem for path in (MODELS / "marts").glob("mart_*.sql")}
    assert marts == {asset.removeprefix("marts.") for asset in MART_TABLES}
