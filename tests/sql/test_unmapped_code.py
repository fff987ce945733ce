"""The list of codes that no map knows: by volume, since when, and whose they are."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.sql.fhir_resources import REGISTRY
from tests.sql.marts_world import contract

DBT_PARTS: tuple[str, ...] = ()
MODEL = Path(__file__).parents[2] / "transforms" / "dbt" / "models" / "canonical" / "current" / "unmapped_code.sql"
RESOURCES = (
    "condition", "procedure", "observation", "observation_component", "diagnostic_report", "service_request", "allergy_intolerance",
    "medication_request", "medication_administration", "immunization", "encounter",
)
FIRST, LATER = date(2026, 1, 5), date(2026, 1, 9)
GLUX = {"code_local_code": "GLUX", "code_local_system": "urn:oid:2.999.5.1"}
# Resource -> facts that hold now.
FACTS: dict[str, list[dict[str, Any]]] = {
    "observation": [
        {**GLUX, "batch_date": LATER}, {**GLUX, "batch_date": FIRST, "source": "labs"}, GLUX, {**GLUX, "is_deleted": True},
        {**GLUX, "code_code": "2345-7"}, {"code_text": "Somebody's sugar"},
        {"code_code": "2345-7", "value_quantity_unit_source": "smidgens"}, {"code_code": "2345-7", "value_quantity_unit": "mg", "value_quantity_unit_source": "mg"},
    ],
    "immunization": [{"vaccine_local_code": "FLU"}], "encounter": [{"class_code": "IMP", "class_local_code": "12"}, {}],
}


@pytest.fixture(scope="module")
def listed(shared_scratch: Any) -> list[dict[str, Any]]:
    """The model's rows over these facts."""
    shared_scratch.register(REGISTRY.replace("bulk: {kind: fhir_ndjson}", "bulk: {kind: fhir_ndjson}\n      labs: {kind: hl7v2}"))
    text = MODEL.read_text(encoding="utf-8").partition("\n")[2].replace("{{ ref(resource) }}", "LAKE.canonical.{{ resource }}")
    sql = shared_scratch.compiled(text)
    with shared_scratch.store.open() as warehouse:
        warehouse.execute("create schema if not exists LAKE.canonical")
        for resource in RESOURCES:
            columns = contract(resource)
            warehouse.execute(f"create table LAKE.canonical.{resource} ({', '.join(f'{name} {kind}' for name, kind in columns.items())})")
            for fact in FACTS.get(resource, []):
                row = {"facility_id": "clinic", "batch_date": FIRST, "source": "bulk", "is_deleted": False, **fact}
                warehouse.execute(f"insert into LAKE.canonical.{resource} ({', '.join(row)}) values ({', '.join('?' * len(row))})", list(row.values()))
        return [dict(row) for row in warehouse.query(sql).to_pylist()]


def test_each_code_that_no_map_knows_is_listed_once_with_its_volume(listed: list[dict[str, Any]]) -> None:
    """Codes, vaccines and units; what has a standard code or was deleted is left out."""
    found = {(row["resource"], row["element"], row["local_system"], row["local_code"]): row["facts"] for row in listed}
    assert found == {
        ("observation", "code", "urn:oid:2.999.5.1", "GLUX"): 3, ("observation", "code", None, None): 1,
        ("observation", "value_quantity_unit", None, "smidgens"): 1, ("immunization", "vaccine_code", None, "FLU"): 1,
    }


def test_a_code_tells_since_when_and_whose_it_is(listed: list[dict[str, Any]]) -> None:
    """The feed that sends most of it, that feed's owner, and the first and last day; no text is shown."""
    row = next(row for row in listed if row["local_code"] == "GLUX")
    assert (row["first_batch_date"], row["last_batch_date"], row["source"], row["owner"]) == (FIRST, LATER, "bulk", "data@clinic.example")
    assert "Somebody" not in str(listed)
