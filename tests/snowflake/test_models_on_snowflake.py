"""The whole pipeline on the Snowflake double and on DuckDB, from the same raw rows: after its runs both hold the same.

One network, of which two partitions are delivered twice, with corrections: all in one run, or, in the long form, the corrections in a second run
over everything, while another partition is held by hand. The last tests plant differences, so they come last.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from assets.root import Root, Run
from assets.stores.catalog_reading import read_catalog
from checks.gate import hold
from orchestration.cli.main import app
from orchestration.generate import generate
from orchestration.parity.compare import Compared
from orchestration.parity.sides import Ran, Sides, open_sides
from tests.conftest import PROJECT
from tests.snowflake.conftest import MARKS, Double
from tests.snowflake.dialect import allowed_functions, called_functions, is_about_rows
from tests.snowflake.pipeline import account, deliver_again, land
from transforms.errors import ConfigurationError, LakehouseError

pytestmark = MARKS
AGAIN = [("lakeside", date(2026, 1, 6)), ("riverside", date(2026, 1, 6))]
HELD = ("oldmill", date(2026, 1, 6))
UNTOUCHED = "('harbor', 'summit')"
ONE_RUN, TWO_RUNS = ("again",), ("first", "again")


@dataclass(frozen=True)
class Lakes:
    """The two sides after the last run, what each run did on the double, and how the sides compare in the end."""

    sides: Sides
    facilities: Path
    double: Double
    ran: tuple[Ran, ...]
    states_differ: tuple[list[str], ...]
    compared: list[Compared]


@pytest.fixture(scope="module", params=[ONE_RUN, pytest.param(TWO_RUNS, marks=pytest.mark.soak)])
def lakes(request: pytest.FixtureRequest, double: Double, open_test_root: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Lakes:
    """Run the network through both targets."""
    folder = tmp_path_factory.mktemp("lakes")
    network = generate(folder / "network", seed=5, people=8, days=2, facilities=5)
    root, settings = open_test_root(folder / "root", facilities=network.registry, **double.settings())
    partitions = land(root, network.feeds)
    sides = open_sides(settings)
    sides.clear()
    ran, states_differ = [], []
    for run_id in request.param:
        if run_id == "again":
            for partition in AGAIN:
                deliver_again(root, network.feeds, partition)
        on_local, on_cloud = sides.run(run_id, partitions, first=hold_by_hand if ran else nothing)
        ran.append(on_cloud)
        states_differ.append(unlike_states((sides.local, on_local), (sides.cloud, on_cloud)))
    return Lakes(sides, network.registry, double, tuple(ran), tuple(states_differ), sides.compare())


def nothing(root: Root, run: Run) -> None:
    """Let a run begin as it is."""


def hold_by_hand(root: Root, run: Run) -> None:
    """Hold a partition by a person's order before a run's first step."""
    with root.warehouse.open() as warehouse:
        hold(warehouse, run.run_id, run.run_seq, *HELD, "a test", "tester")


def unlike_states(left: tuple[Root, Ran], right: tuple[Root, Ran]) -> list[str]:
    """Name the assets whose recorded rows or fingerprints differ between two targets."""
    recorded = [{state.asset: (state.rows, dict(state.partitions)) for state in account(*side)} for side in (left, right)]
    return sorted(asset for asset in {*recorded[0], *recorded[1]} if recorded[0].get(asset) != recorded[1].get(asset))


def count(root: Root, sql: str) -> int:
    """One number from the warehouse."""
    with root.warehouse.open(read_only=True) as warehouse:
        return int(warehouse.query(sql).to_pylist()[0]["n"])


def test_both_targets_hold_the_same(lakes: Lakes) -> None:
    """Every table of every layer is the same on both targets, row for row, after corrections, which do lead somewhere."""
    assert [one for one in lakes.compared if one.difference] == []
    amended = "select count(*) as n from LAKE.canonical.observation where status in ('amended', 'corrected') and facility_id = '{}'"
    assert count(lakes.sides.cloud, amended.format("riverside")) > 0
    assert count(lakes.sides.cloud, amended.format("lakeside")) > 0


@pytest.mark.soak
@pytest.mark.parametrize("lakes", [TWO_RUNS], indirect=True)
def test_what_did_not_change_is_left_alone(lakes: Lakes) -> None:
    """A second run over the same deliveries moves no fact and no outcome of their facilities on Snowflake either (units and claims are only
    named, to be judged again), and a partition held by hand is in no current table."""
    facilities = f"facility_id in {UNTOUCHED}"
    assert count(lakes.sides.cloud, f"select count(*) as n from LAKE.control.run_scope where {facilities}") > 0
    assert count(lakes.sides.cloud, f"select count(*) as n from LAKE.control.change_log where run_seq = 2 and {facilities} and object not in ('unit', 'unit_rival')") == 0
    assert count(lakes.sides.cloud, f"select count(*) as n from LAKE.control.outcome_move where run_seq = 2 and {facilities}") == 0
    held = f"select count(*) as n from LAKE.canonical.encounter where facility_id = '{HELD[0]}' and batch_date = '{HELD[1]}'"
    assert count(lakes.sides.cloud, held) == 0


def test_every_layer_has_rows(lakes: Lakes) -> None:
    """The comparison compares something: versions, current rows, identities and marts are not empty on Snowflake."""
    rows = {one.table: one.rows_right for one in lakes.compared}
    for table in ("canonical.observation_version", "canonical.encounter", "canonical.unit_outcome", "canonical.ledger", "identity.link",
                  "identity.person", "marts.mart_encounter_summary", "marts.mart_daily_census", "marts.mart_facility_volume",
                  "marts.mart_lab_turnaround", "marts.mart_readmission"):
        assert rows[table] > 0, table


def test_every_model_was_built(lakes: Lakes) -> None:
    """No model of the project is left out of the runs on Snowflake, and each one's table was compared."""
    manifest = json.loads(lakes.sides.cloud.dbt.manifest_path.read_text())
    models = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    assert {node["name"] for node in models} - {one.name for one in lakes.ran[0].built} == set()
    assert {f"{node['schema']}.{node['name']}" for node in models} - {one.table for one in lakes.compared} == set()


def test_recorded_states_are_the_same(lakes: Lakes) -> None:
    """Row counts and fingerprints that go to the catalog do not depend on the target."""
    assert [names for names in lakes.states_differ if names] == []


def test_accounts_are_the_same(lakes: Lakes) -> None:
    """Ledger, quarantine and slices in the catalog do not depend on the target."""
    for table, columns in (("ledger", "facility_id, batch_date, source, record_type, received, canonical, duplicate, superseded, quarantined"),
                           ("quarantine", "facility_id, batch_date, source, reason, units"), ("slice", "mart, facility_id, service_date, state")):
        rows = [sorted(map(repr, read_catalog(root.home, f"select {columns} from {table}"))) for root in (lakes.sides.local, lakes.sides.cloud)]
        assert rows[0] == rows[1], table
        assert rows[0], table


def test_nothing_stays_on_the_stage_or_the_disk(lakes: Lakes) -> None:
    """No loaded file is left on the stage or in the proof's folder, where it would be a copy of patient data that nobody looks after."""
    with lakes.sides.cloud.warehouse.open() as warehouse:
        assert warehouse.query("list @LAKE.raw.landing").num_rows == 0
    assert list(lakes.sides.folder.rglob("*.parquet")) == []


def test_statements_keep_to_the_allowed_functions(lakes: Lakes) -> None:
    """Whatever the pipeline sends, models or not, calls only functions of the list; and the list names none that nothing calls."""
    sent = {name for text in lakes.double.statements() if is_about_rows(text) for name in called_functions(text)}
    assert sent - allowed_functions() == set()
    assert allowed_functions() - sent == set()


def test_a_proof_empties_nobodys_warehouse(lakes: Lakes) -> None:
    """Where LAKE holds a run that is no proof's, a proof refuses to begin and every row stays."""
    with lakes.sides.cloud.warehouse.open() as warehouse:
        warehouse.execute("insert into LAKE.control.run (run_id, run_seq) values ('nightly', 3)")
    with pytest.raises(ConfigurationError, match="Nothing was changed"):
        lakes.sides.clear()
    assert count(lakes.sides.cloud, "select count(*) as n from LAKE.canonical.patient") > 0
    with lakes.sides.cloud.warehouse.open() as warehouse:
        warehouse.execute("delete from LAKE.control.run where run_id = 'nightly'")


def parity_command(lakes: Lakes, monkeypatch: pytest.MonkeyPatch) -> tuple[list[dict[str, Any]], BaseException | None]:
    """`lakehouse parity --compare-only --json` on the sides: its table, and the error by which it ended."""
    for name, value in {**lakes.double.settings(), "home": lakes.sides.root.home, "facilities": lakes.facilities, "build": PROJECT / ".build"}.items():
        monkeypatch.setenv(f"LAKEHOUSE_{name.upper()}", str(value))
    outcome = CliRunner().invoke(app, ["parity", "--compare-only", "--json"])
    return json.loads(outcome.stdout), outcome.exception


def test_planted_differences_are_found_and_named(lakes: Lakes, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command finds a changed value and a doubled row, names tables, column and rows, shows no value, and ends with exit code 1."""
    query = "select record_id from LAKE.canonical.observation order by record_id"
    with lakes.sides.cloud.warehouse.open() as warehouse:
        record_id = warehouse.query(query).to_pylist()[0]["record_id"]
        warehouse.execute("update LAKE.canonical.observation set status = 'PLANTED' where record_id = ?", [record_id])
        one_row = "select * from LAKE.marts.mart_facility_volume where facility_id = 'summit' order by service_date limit 1"
        warehouse.execute(f"insert into LAKE.marts.mart_facility_volume {one_row}")
    rows, problem = parity_command(lakes, monkeypatch)
    assert isinstance(problem, LakehouseError)
    assert problem.exit_code == 1
    found = {row["table"]: row for row in rows if row["result"] != "equal"}
    assert {"canonical.observation", "marts.mart_facility_volume"} == set(found)
    changed, doubled = found["canonical.observation"], found["marts.mart_facility_volume"]
    assert changed["columns"] == ["status"]
    assert {(row["side"], row["record_id"]) for row in changed["rows"]} == {("DuckDB", record_id), ("Snowflake", record_id)}
    assert doubled["rows_snowflake"] == doubled["rows_duckdb"] + 1
    assert {(row["side"], row["facility_id"]) for row in doubled["rows"]} == {("Snowflake", "summit")}
    assert "PLANTED" not in json.dumps(rows)
