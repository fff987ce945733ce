"""Passing the gate on a small warehouse, and asking what came of it: for the tests of holds, of releases and of checks."""

from __future__ import annotations

from datetime import date

from checks.gate import GateResult, apply_gate, judge
from checks.verdict import Verdict
from tests.integration.gate_world import DAY, RESOURCES, GateWorld

NORTH, SOUTH = ("north", DAY), ("south", DAY)


def pass_gate(world: GateWorld, name: str, *partitions: tuple[str, date]) -> GateResult:
    """Begin a run, judge its partitions and apply the gate."""
    run_seq = world.run(name, *partitions)
    return apply_gate(world.warehouse, name, run_seq, judge(world.warehouse, name, partitions))


def failing(verdicts: list[Verdict]) -> dict[tuple[str, str, str], tuple[int, bool]]:
    """(asset, check, facility) -> failing rows and whether the partition is held, for verdicts that failed."""
    return {(one.asset, one.check_name, one.facility_id): (one.failed_rows, one.holds) for one in verdicts if not one.has_passed}


def held(world: GateWorld) -> set[tuple[str, date]]:
    """Partitions that readers leave out, by the condition that the models use."""
    return set(world.rows("select distinct facility_id, batch_date from LAKE.control.held_partition where is_released = false"))


def log(world: GateWorld, run_seq: int) -> set[tuple[str, str, str]]:
    """Object, key and facility of a run's entries in the change log."""
    return set(world.rows("select object, fact_key, facility_id from LAKE.control.change_log where run_seq = ?", run_seq))


def everything_said(world: GateWorld, facility: str) -> set[tuple[str, str, str]]:
    """All version keys and unit contents of a facility, as the change log must name them."""
    said = set()
    for resource in RESOURCES:
        for (key,) in world.rows(f"select fact_key from LAKE.canonical.{resource}_version where facility_id = ?", facility):
            said.add((f"{resource}_version", key, facility))
    for (content,) in world.rows("select content_hash from LAKE.canonical.unit where facility_id = ?", facility):
        said.add(("unit", content, facility))
    return said


def spoil(world: GateWorld, facility: str = "north") -> None:
    """Let one observation of a facility lose its key's form."""
    world.rows("update LAKE.canonical.observation_version set unit_id = 'broken' where rowid = "
               "(select min(rowid) from LAKE.canonical.observation_version where facility_id = ?)", facility)


def mend(world: GateWorld) -> None:
    """Give every broken key its form back."""
    world.rows("update LAKE.canonical.observation_version set unit_id = md5('mended') where unit_id = 'broken'")
