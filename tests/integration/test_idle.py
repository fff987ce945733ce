"""Models that a run leaves out: only those that could change nothing, and never at the price of another run's rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from assets.idle import busy_consumers, consumed_objects, idle_models, objects_read, stated_objects
from assets.models import read_manifest
from assets.root import Root, Run
from assets.spoken import dialect_of, is_silent
from assets.stores.shapes import note_shaped
from transforms.decode.formats import FORMATS
from transforms.synthetic.registry_text import registry_text

DAY = date(2026, 1, 5)
CONSUMED = {"patient": frozenset({"patient_version"}), "observation": frozenset({"observation_version", "patient"}),
            "location": frozenset({"location_version"})}


# models of the tests below that the present project has built
BUILT = {"stg_hl7v2__a", "stg_fhir__a", "stg_x12__a", "claim_version", "coverage_version", "patient_version", "location", "ledger", "unit_outcome",
         "stg_hl7v2__result"}


def node(schema: str, name: str, materialized: str = "scoped", dialect: str = "") -> dict[str, Any]:
    """A model as the manifest has it, as far as it matters here."""
    return {"unique_id": f"model.lakehouse.{name}", "schema": schema, "name": name, "fqn": ["lakehouse", schema, dialect, name],
            "config": {"materialized": materialized}}


def version(name: str, *read: str) -> dict[str, Any]:
    """A version model that reads those models."""
    made = node("canonical", name)
    made["config"]["strategy"] = "merge_version"
    return {**made, "depends_on": {"nodes": ["source.lakehouse.control.run_scope", "model.lakehouse.unit", *(f"model.lakehouse.{one}" for one in read)]}}


@pytest.fixture
def root(open_test_root: Callable[..., Any], tmp_path: Path, network: Path) -> Root:
    """A root whose warehouse has its control tables only."""
    opened, _ = open_test_root(tmp_path, facilities=network / "facilities.yaml")
    return opened


def begin(root: Root, source: str) -> Run:
    """Begin a run over the partition of lakeside, with one delivery of a feed."""
    run = root.begin("one", [("lakeside", DAY)])
    with root.warehouse.open() as warehouse:
        note_shaped(warehouse, root.project, BUILT)
        warehouse.execute("insert into LAKE.raw.raw_delivery (facility_id, batch_date, source) values ('lakeside', ?, ?)", [DAY, source])
    return run


def test_objects_are_read_from_the_sql_itself() -> None:
    """Objects are known where every read of the log names them; one read that does not makes the model never idle."""
    read = 'select 1 from "LAKE"."control"."change_log" change_log where change_log.object '
    assert objects_read(f"{read}= 'patient' union {read}in ('link', 'encounter')") == {"patient", "link", "encounter"}
    assert objects_read(f"{read}= 'patient' union {read}like '%_version'") == frozenset()


def test_every_current_and_touch_model_is_understood(root: Root) -> None:
    """The rule covers the project: each current resource names its versions, each touch model what touches it."""
    known = consumed_objects(root.dbt.compiled_manifest_path)
    assert known["observation"] == {"observation_version", "patient", "patient_survivor"}
    assert known["touch_mart_readmission"] == {"encounter", "link", "patient_survivor"}
    assert "unit_outcome" not in known
    manifest = read_manifest(root.dbt.manifest_path)["nodes"].values()
    assert stated_objects(manifest) == {"patient_survivor": {"patient", "patient_identifier", "patient_link"}, "feature_rule": {"reference"}}
    assert known["patient_features"] == {"patient", "patient_identifier", "feature_rule"}
    assert known["person"] == {"link", "patient", "feature_rule"}


def test_a_change_wakes_what_reads_it_and_what_reads_that() -> None:
    """A changed patient version wakes patients and, since these may log changes, observations; locations stay idle."""
    building = set(CONSUMED)
    assert busy_consumers(building, building, CONSUMED, {"patient": frozenset({"patient_version"})}) == {"patient", "observation"}
    assert busy_consumers(building, building, CONSUMED, {}) == set()
    assert busy_consumers(building, building - {"location"}, CONSUMED, {}) == {"location"}


def test_every_format_has_a_dialect() -> None:
    """Each kind of feed leads to a folder of staging models."""
    folder = Path(__file__).parents[2] / "transforms" / "dbt" / "models" / "staging"
    assert {dialect_of(kind) for kind in FORMATS} == {path.name for path in folder.iterdir()}


def test_a_dialect_that_nobody_spoke_is_left_out_and_emptied(root: Root) -> None:
    """Staging of another dialect is not built, and rows that an earlier run left there are gone; the spoken dialect is built."""
    run = begin(root, "adt_oru")
    nodes = [node("staging", "stg_hl7v2__a", "run_table", "hl7v2"), node("staging", "stg_fhir__a", "run_table", "fhir"),
             node("staging", "stg_fhir__new", "run_table", "fhir")]
    with root.warehouse.open() as warehouse:
        for name in ("stg_hl7v2__a", "stg_fhir__a"):
            warehouse.execute(f"create table LAKE.staging.{name} as select 1 as n")
    assert [one["name"] for one in idle_models(root, run, nodes)] == ["stg_fhir__a"]
    with root.warehouse.open(read_only=True) as warehouse:
        left = [warehouse.query(f"select count(*) as n from LAKE.staging.{name}").to_pylist()[0]["n"] for name in ("stg_hl7v2__a", "stg_fhir__a")]
    assert left == [1, 0]


def test_a_staging_model_is_silent_where_none_of_its_words_was_said() -> None:
    """Of a spoken dialect, a model that names its words is built where one of them was said; one that names none is always built."""
    condition, message = node("staging", "stg_hl7v2__condition", "run_table", "hl7v2"), node("staging", "stg_hl7v2__message", "run_table", "hl7v2")
    condition["config"]["told_by"] = ["DG1"]
    assert [is_silent(one, {"hl7v2": frozenset({"MSH", "PID"})}) for one in (condition, message)] == [True, False]
    assert [is_silent(one, {"hl7v2": frozenset({"MSH", "DG1"})}) for one in (condition, message)] == [False, False]
    assert [is_silent(one, {"fhir": frozenset({"Patient"})}) for one in (condition, message)] == [True, True]


def test_versions_of_which_nobody_spoke_are_left_out_unless_some_are_there(root: Root) -> None:
    """Versions that only a silent dialect tells of are not built, unless the run's partition holds some, which must be restated."""
    run = begin(root, "adt_oru")
    nodes = [node("staging", "stg_hl7v2__a", "run_table", "hl7v2"), node("staging", "stg_x12__a", "run_table", "x12"),
             version("claim_version", "stg_x12__a"), version("coverage_version", "stg_x12__a"), version("patient_version", "stg_hl7v2__a", "stg_x12__a")]
    with root.warehouse.open() as warehouse:
        for name in ("stg_hl7v2__a", "stg_x12__a"):
            warehouse.execute(f"create table LAKE.staging.{name} as select 1 as n")
        for name in ("claim_version", "coverage_version", "patient_version"):
            warehouse.execute(f"create table LAKE.canonical.{name} (facility_id varchar, batch_date date)")
        warehouse.execute("insert into LAKE.canonical.claim_version values ('harbor', ?)", [DAY])
        warehouse.execute("insert into LAKE.canonical.coverage_version values ('lakeside', ?)", [DAY])
    assert {one["name"] for one in idle_models(root, run, nodes)} == {"stg_x12__a", "claim_version"}


def test_a_view_and_an_unmoved_table_are_left_out_until_something_changes(root: Root) -> None:
    """A current table is idle while its watermark covers the log; one more entry of what it reads makes it busy. A view over the run's
    rows names the run, and is made anew."""
    run = begin(root, "adt_oru")
    nodes = [node("canonical", "location"), node("canonical", "ledger", "view"), node("canonical", "unit_outcome"),
             node("staging", "stg_hl7v2__result", "view", "hl7v2")]
    with root.warehouse.open() as warehouse:
        for table in ("location", "unit_outcome"):
            warehouse.execute(f"create table LAKE.canonical.{table} (n integer)")
        for view in ("canonical.ledger", "staging.stg_hl7v2__result"):
            warehouse.execute(f"create view LAKE.{view} as select 1 as n")
        warehouse.execute("insert into LAKE.control.change_log (run_seq, object) values (1, 'location_version')")
        warehouse.execute("insert into LAKE.control.consumer (consumer, run_seq) values ('location', 1)")
    assert {one["name"] for one in idle_models(root, run, nodes)} == {"location", "ledger"}
    with root.warehouse.open() as warehouse:
        warehouse.execute("insert into LAKE.control.change_log (run_seq, object) values (2, 'location_version')")
    assert {one["name"] for one in idle_models(root, run, nodes)} == {"ledger"}


def test_rules_of_features_wake_where_the_registry_changed_and_only_then(open_test_root: Callable[..., Any], tmp_path: Path) -> None:
    """They are idle while the registry is as it was; one that changed wakes them and the features, even where
    this very run has built them before."""
    text = registry_text(1)
    registry = tmp_path / "facilities.yaml"
    registry.write_text(text)
    nodes = [node("identity", "feature_rule"), node("identity", "patient_features")]
    nodes[0]["config"]["consumes"] = ["reference"]

    def idle(run_id: str) -> set[str]:
        opened, _ = open_test_root(tmp_path / "root", facilities=registry)
        run = opened.begin(run_id, [("lakeside", DAY)])
        with opened.warehouse.open() as warehouse:
            for name in ("feature_rule", "patient_features"):
                warehouse.execute(f"create table if not exists LAKE.identity.{name} (n integer)")
            note_shaped(warehouse, opened.project, ["feature_rule", "patient_features"])
        left = {one["name"] for one in idle_models(opened, run, nodes)}
        with opened.warehouse.open() as warehouse:
            for name in {"feature_rule", "patient_features"} - left:
                warehouse.execute("delete from LAKE.control.consumer where consumer = ?", [name])
                warehouse.execute("insert into LAKE.control.consumer (consumer, run_seq) values (?, ?)", [name, run.run_seq])
        return left

    assert idle("one") == set()
    idle("two")
    assert idle("three") == {"feature_rule", "patient_features"}
    for edit in ("once", "twice"):
        registry.write_text(f"{text}# edited {edit}\n")
        assert idle("three") == set(), edit


def test_nothing_that_an_earlier_project_built_is_left_out(root: Root) -> None:
    """A table that the present project has not built may lack a column, so neither silence nor an unmoved log leaves its model out."""
    run = begin(root, "adt_oru")
    nodes = [node("canonical", "location"), node("staging", "stg_fhir__a", "run_table", "fhir")]
    with root.warehouse.open() as warehouse:
        warehouse.execute("create table LAKE.canonical.location (n integer)")
        warehouse.execute("create table LAKE.staging.stg_fhir__a (n integer)")
    assert len(idle_models(root, run, nodes)) == 2
    with root.warehouse.open() as warehouse:
        warehouse.execute("update LAKE.control.shaped_model set project = 'earlier'")
    assert idle_models(root, run, nodes) == []
