"""What was known of a person when, and which evidence made a link."""

from __future__ import annotations

import dataclasses
import math
from datetime import date, datetime
from pathlib import Path

import pytest

from assets.stores.identity_questions import link_history, pair_evidence, who_was
from tests.sql.identity_world import OTHER, SETTINGS, IdentityWorld, patient
from transforms.identity.evidence import waterfall

PAGE = Path(__file__).parents[2] / "docs" / "identity.md"


@pytest.fixture
def world() -> IdentityWorld:
    """Give an empty identity warehouse."""
    return IdentityWorld()


def test_who_was_this_person_then_as_known_later(world: IdentityWorld) -> None:
    """One query tells the person on one day as known on another: before a link was known the records stand alone. What the page says in SQL
    says the same."""
    world.warehouse.execute(
        "create table canonical.patient_version (record_id varchar, fact_key varchar, facility_id varchar, name_family varchar, "
        "name_given varchar, birth_date varchar, gender varchar, source_time timestamp, source_order varchar, received_time timestamp)")
    for key, family, said, heard in (("a", "OLD", "2026-01-10", "2026-01-11"), ("a", "NEW", "2026-03-20", "2026-03-21"),
                                     ("b", "NEW", "2026-02-10", "2026-03-15")):
        world.warehouse.execute("insert into canonical.patient_version values (?, ?, 'riverside', ?, 'X', null, null, ?, '', ?)",
                                [f"{key}{said}", key, family, datetime.fromisoformat(said), datetime.fromisoformat(heard)])
    for day, row in ((datetime(2026, 1, 12), patient("a")), (datetime(2026, 3, 16), patient("b"))):
        world.settings = dataclasses.replace(SETTINGS, clock=lambda day=day: day)
        world.put(row)
        world.resolve()

    def names(on: date, known: date) -> list[tuple[object, object]]:
        return [(row["patient_key"], row["name_family"]) for row in who_was(world.warehouse, "a", on, known)]

    assert names(date(2026, 3, 1), date(2026, 3, 2)) == [("a", "OLD")]
    assert names(date(2026, 3, 1), date(2026, 4, 1)) == [("a", "OLD"), ("b", "NEW")]
    assert names(date(2026, 4, 1), date(2026, 4, 1)) == [("a", "NEW"), ("b", "NEW")]
    assert names(date(2026, 1, 1), date(2026, 4, 1)) == []
    written = PAGE.read_text(encoding="utf-8").split("```sql\n")[1].split("```")[0].replace("'KEY'", "'a'")
    asked = [{name: value for name, value in row.items() if name != "policy_version"} for row in who_was(world.warehouse, "a", date(2026, 3, 1), date(2026, 4, 1))]
    assert world.warehouse.query(written).to_pylist() == asked


def test_the_waterfall_adds_up(world: IdentityWorld) -> None:
    """Field by field the bits add up to the score that the pair has, from the odds of two random records."""
    world.put(patient("a"), patient("b", middle="IVAN", phone="5035550199"))
    world.resolve()
    edge = pair_evidence(world.warehouse, "b", "a")
    assert edge is not None
    rows = waterfall(SETTINGS.model, edge, float(str(edge["score"])))
    assert rows[0]["bits"] == round(math.log2(2e-6 / (1 - 2e-6)), 1)
    assert rows[-1]["total"] == round(float(str(edge["score"])), 1)
    assert {row["comparison"]: row["level"] for row in rows}["phone"] == "different"
    assert sum(float(str(row["bits"])) for row in rows) == pytest.approx(float(str(edge["score"])), abs=0.6)


def test_the_history_says_why_a_past_link_was_made(world: IdentityWorld) -> None:
    """The levels that spoke for a link are told after its edge is gone or says something else; an edge that stays as it was is not kept twice."""
    world.put(patient("a"), patient("b", middle="IVAN"))
    world.resolve()
    score = world.rows("select score from identity.edge")[0][0]
    world.resolve_full()
    assert world.rows("select count(*) from identity.edge_past") == [(0,)]
    for changed in (patient("b", middle="IVAN", phone="5035559999"), patient("b", **OTHER, postal_code="10001")):
        world.put(changed)
        world.resolve()
    assert world.person("a") != world.person("b")
    assert world.rows("select until_seq from identity.edge_past order by 1") == [(2,), (3,)]
    # of the two only the new person is minted: whichever record kept the old one was linked in the first run
    told = [row for key in "ab" for row in link_history(world.warehouse, key) if row["event"] == "link" and row["run_seq"] == 1]
    assert [(row["other"], row["score"]) for row in told] == [("b", score), ("a", score)]
    assert all({"phone=exact", "given=exact", "middle=unknown"} <= set(str(row["evidence"]).split()) for row in told)
    alone = [row for key in "ab" for row in link_history(world.warehouse, key) if row["event"] == "link" and row["run_seq"] == 3]
    assert [(row["link_rule"], row["evidence"]) for row in alone] == [("single", None)]
