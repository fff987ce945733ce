"""The whole pipeline on the Snowflake double and on DuckDB, from the same payloads: after every run both hold the same.

One network, three runs: all partitions; all again; one partition delivered again with corrections while another is held by hand.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest

from assets.root import Root
from assets.stores.catalog_reading import read_catalog
from orchestration.generate import generate
from tests.snowflake.compare import Difference, compare
from tests.snowflake.conftest import Double
from tests.snowflake.dialect import allowed_functions, called_functions, is_about_rows
from tests.snowflake.pipeline import Ran, deliver_again, land, run

pytestmark = [
    pytest.mark.soak,
    pytest.mark.xdist_group("snowflake"),
    # the connector ships a `requests` of its own that does not know the newest urllib3
    pytest.mark.filterwarnings("ignore:urllib3 .* doesn't match a supported version"),
]
SCHEMAS = ("raw", "ref", "control", "staging", "canonical", "identity", "marts")
AGAIN = [("lakeside", date(2026, 1, 6)), ("riverside", date(2026, 1, 6))]
HELD = ("oldmill", date(2026, 1, 6))


@dataclass(frozen=True)
class Lakes:
    """The two roots after the last run, what each run did on the double, and how the warehouses differed after it."""

    local: Root
    cloud: Root
    double: Double
    ran: tuple[Ran, ...]
    states_differ: tuple[list[str], ...]
    differences: tuple[list[Difference], ...]


@pytest.fixture(scope="module")
def lakes(double: Double, open_test_root: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Lakes:
    """Run the network through both targets, comparing after every run."""
    folder = tmp_path_factory.mktemp("lakes")
    network = generate(folder / "network", seed=5, people=24, days=2, facilities=5)
    local, _ = open_test_root(folder / "local", facilities=network.registry)
    cloud, _ = open_test_root(folder / "cloud", facilities=network.registry, **double.settings())
    partitions = [land(root, network.feeds) for root in (local, cloud)][0]
    steps: list[tuple[str, dict[str, Any]]] = [
        ("first", {"partitions": partitions}), ("same-again", {"partitions": partitions}),
        ("delivered-again", {"partitions": AGAIN, "hold_by_hand": HELD}),
    ]
    ran, states_differ, differences = [], [], []
    for run_id, arguments in steps:
        if run_id == "delivered-again":
            for root in (local, cloud):
                for partition in AGAIN:
                    deliver_again(root, network.feeds, partition)
        on_local, on_cloud = run(local, run_id, **arguments), run(cloud, run_id, **arguments)
        ran.append(on_cloud)
        states_differ.append(unlike_states(on_local, on_cloud))
        with local.warehouse.open(read_only=True) as left, cloud.warehouse.open(read_only=True) as right:
            differences.append(compare(left, right, SCHEMAS))
    return Lakes(local, cloud, double, tuple(ran), tuple(states_differ), tuple(differences))


def unlike_states(left: Ran, right: Ran) -> list[str]:
    """Name the assets whose recorded rows or fingerprints differ between two targets."""
    recorded = [{state.asset: (state.rows, dict(state.partitions)) for state in ran.states} for ran in (left, right)]
    return sorted(asset for asset in {*recorded[0], *recorded[1]} if recorded[0].get(asset) != recorded[1].get(asset))


def count(root: Root, sql: str) -> int:
    """One number from the warehouse."""
    with root.warehouse.open(read_only=True) as warehouse:
        return int(warehouse.query(sql).to_pylist()[0]["n"])


def test_first_run_holds_the_same(lakes: Lakes) -> None:
    """After the first run every table of every layer is the same on both targets, row for row."""
    assert lakes.differences[0] == []


def test_same_run_again_holds_the_same_and_changes_nothing(lakes: Lakes) -> None:
    """A repeated run leaves both targets the same, and no fact, link or outcome moves on Snowflake either."""
    assert lakes.differences[1] == []
    assert count(lakes.cloud, "select count(*) as n from LAKE.control.change_log where run_seq = 2 and object <> 'unit'") == 0
    assert count(lakes.cloud, "select count(*) as n from LAKE.control.outcome_move where run_seq = 2") == 0
    assert count(lakes.cloud, "select count(*) as n from LAKE.identity.link_history where run_seq = 2") == 0


def test_partition_delivered_again_holds_the_same(lakes: Lakes) -> None:
    """Corrections and a hold by hand lead to the same tables on both targets, and they do lead somewhere."""
    assert lakes.differences[2] == []
    amended = "select count(*) as n from LAKE.canonical.observation where status in ('amended', 'corrected') and facility_id = '{}'"
    assert count(lakes.cloud, amended.format("riverside")) > 0
    assert count(lakes.cloud, amended.format("lakeside")) > 0
    held = f"select count(*) as n from LAKE.canonical.encounter where facility_id = '{HELD[0]}' and batch_date = '{HELD[1]}'"
    assert count(lakes.cloud, held) == 0


def test_every_layer_has_rows(lakes: Lakes) -> None:
    """The comparison compares something: versions, current rows, identities and marts are not empty on Snowflake."""
    for table in ("canonical.observation_version", "canonical.encounter", "canonical.unit_outcome", "canonical.ledger", "identity.link",
                  "identity.person", "marts.mart_encounter_summary", "marts.mart_daily_census", "marts.mart_facility_volume",
                  "marts.mart_lab_turnaround", "marts.mart_readmission"):
        assert count(lakes.cloud, f"select count(*) as n from LAKE.{table}") > 0, table


def test_every_model_was_built(lakes: Lakes) -> None:
    """No model of the project is left out of the runs on Snowflake."""
    manifest = json.loads(lakes.cloud.dbt.manifest_path.read_text())
    models = {node["name"] for node in manifest["nodes"].values() if node["resource_type"] == "model"}
    assert models - {one.name for one in lakes.ran[0].built} == set()


def test_recorded_states_are_the_same(lakes: Lakes) -> None:
    """Row counts and fingerprints that go to the catalog do not depend on the target."""
    assert lakes.states_differ == ([], [], [])


def test_accounts_are_the_same(lakes: Lakes) -> None:
    """Ledger, quarantine and slices in the catalog do not depend on the target."""
    for table, columns in (("ledger", "facility_id, batch_date, source, record_type, received, canonical, duplicate, superseded, quarantined"),
                           ("quarantine", "facility_id, batch_date, source, reason, units"), ("slice", "mart, facility_id, service_date, state")):
        rows = [sorted(map(repr, read_catalog(root.home, f"select {columns} from {table}"))) for root in (lakes.local, lakes.cloud)]
        assert rows[0] == rows[1], table
        assert rows[0], table


def test_nothing_stays_on_the_stage(lakes: Lakes) -> None:
    """No loaded file is left on the stage, where it would be a copy of patient data that nobody looks after."""
    with lakes.cloud.warehouse.open() as warehouse:
        assert warehouse.query("list @LAKE.raw.landing").num_rows == 0


def test_statements_keep_to_the_allowed_functions(lakes: Lakes) -> None:
    """Whatever the pipeline sends, models or not, calls only functions of the list; and the list names none that nothing calls."""
    sent = {name for text in lakes.double.statements() if is_about_rows(text) for name in called_functions(text)}
    assert sent - allowed_functions() == set()
    assert allowed_functions() - sent == set()


