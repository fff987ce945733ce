"""Order does not matter (I3): whatever happens on the way, the warehouse is that of one rebuild of everything that arrived."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from orchestration.generate import generate
from tests.corrections import CORRECTED_AT, corrected
from tests.invariants.histories import Round, changed_registry, draw_histories, land, received_in
from tests.steps import run_steps
from tests.whole_warehouse import differences, whole_warehouse

HISTORIES_A_BRAID = 50


def live(rounds: list[Round], folder: Path, network: Path, open_built_root: Callable[..., Any], open_root: Callable[..., Any]) -> Any:
    """Live the rounds one after the other, each with its landings, its registry and its run."""
    registry = network / "facilities.yaml"
    for number, one in enumerate(rounds):
        if one.is_registry_changed:
            changed = network / "changed.yaml"
            changed.write_text(changed_registry(registry.read_text()))
            registry = changed
        root, _ = (open_root if number else open_built_root)(folder, registry)
        land(root, one.landings, received_in(number))
        if one.partitions:
            run_steps(root, f"round-{number}", one.partitions, until=one.crash)
    return root


def rebuild(rounds: list[Round], folder: Path, network: Path, open_built_root: Callable[..., Any]) -> Any:
    """Land everything as it arrived, then run it all at once."""
    root, _ = open_built_root(folder, network / "changed.yaml")
    for number, one in enumerate(rounds):
        land(root, one.landings, received_in(number))
    run_steps(root, "rebuild", [(facility, day) for facility, day, _ in root.landing.partitions()])
    return root


def braid(seed: int, folder: Path, open_built_root: Callable[..., Any], open_test_root: Callable[..., Any],
          histories: int = HISTORIES_A_BRAID) -> None:
    """Draw histories, live them and compare; a difference names the facilities whose rows differ."""
    network = folder / "network"
    generate(network, seed=seed, people=2 * histories, days=3, facilities=histories, start=date(2026, 1, 5), progress=None)
    rounds = draw_histories(seed, network / "feeds")
    lived = live(rounds, folder / "lived", network, open_built_root, open_test_root)
    built = rebuild(rounds, folder / "rebuilt", network, open_built_root)
    content = whole_warehouse(built)
    assert content["canonical.observation"]
    assert content["marts.mart_encounter_summary"]
    found = differences(whole_warehouse(lived), content)
    assert found == [], f"seed {seed}: {found}; rounds: {[(len(one.landings), len(one.partitions), one.crash) for one in rounds]}"


def test_fifty_histories_give_the_warehouse_of_one_rebuild(tmp_path: Path, open_built_root: Callable[..., Any],
                                                              open_test_root: Callable[..., Any]) -> None:
    """Late, repeated, reordered and corrected files, partial and ended runs and a changed registry leave no trace in the answer."""
    braid(4, tmp_path, open_built_root, open_test_root)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 100 + int(os.environ.get("LAKEHOUSE_BRAIDS", "20"))))
def test_a_thousand_histories(seed: int, tmp_path: Path, open_built_root: Callable[..., Any], open_test_root: Callable[..., Any]) -> None:
    """The same, twenty times fifty histories."""
    braid(seed, tmp_path, open_built_root, open_test_root)


def test_the_draw_has_every_kind_of_event(tmp_path: Path) -> None:
    """Fifty histories hold late files, repeated files, corrections, a registry change, partial runs and runs that end early."""
    generate(tmp_path / "network", seed=4, people=100, days=3, facilities=HISTORIES_A_BRAID, start=date(2026, 1, 5), progress=None)
    rounds = draw_histories(4, tmp_path / "network" / "feeds")
    landings = [(number, one) for number, each in enumerate(rounds) for one in each.landings]
    paths = [one.arrival.path for _, one in landings if not one.is_correction]
    assert len({one.arrival.facility_id for _, one in landings}) == HISTORIES_A_BRAID
    assert len(paths) > len(set(paths))
    assert any(one.is_correction for _, one in landings)
    assert any(number > (one.arrival.batch_date - date(2026, 1, 5)).days for number, one in landings)
    assert sum(each.is_registry_changed for each in rounds) == 1
    assert any(each.crash for each in rounds)
    assert {len(each.partitions) for each in rounds} > {0} or len({each.partitions for each in rounds}) > 2


def test_a_correction_corrects() -> None:
    """The correction that histories land is a newer version of final results in both result formats and of claims, and changes nothing else."""
    sent = b"MSH|^~\\&|LAB|LAK|LAKE|HUB|20260106123221-0600||ORU^R01|1\rOBX|1|NM|GLU||5|||||F\rOBX|2|NM|K||4|||||P|x\r"
    assert corrected(sent) == sent.replace(b"20260106123221-0600", CORRECTED_AT).replace(b"|F\r", b"|C\r")
    assert corrected(b'{"versionId":"2","status":"final"}') == b'{"versionId":"92","status":"amended"}'
    claims = b"ISA*00*          *00*          *ZZ*A*ZZ*B*260106*2200*^*00501*000000002*0*P*:~GS*HC*A*B*20260106*2200*2*X*005010X222A1~" \
        b"ST*837*0001~BHT*0019*00*1*20260106*2200*CH~CLM*C7*5***11:B:1*Y~SE*4*0001~GE*1*2~IEA*1*000000002~"
    assert corrected(claims) == claims.replace(b"000000002", b"900000002").replace(b"20260106", CORRECTED_AT[:8]).replace(
        b":1*Y~SE*4", b":7*Y~REF*F8*ICN7~SE*5")
    assert corrected(b"ID,NAME\r\n1,F\r\n") == b"ID,NAME\r\n1,F\r\n"
