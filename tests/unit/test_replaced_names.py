"""Names inside dbt, mashumaro and Dagster that the product replaces or calls: an upgrade that drops one fails here, by its name."""

from __future__ import annotations

import inspect
from typing import Any

import dbt.adapters.duckdb.connections as duckdb_connections
import dbt.adapters.duckdb.environments.local as duckdb_local
import dbt.adapters.factory as factory
import dbt.task.build as build
import dbt_common.behavior_flags as behavior_flags
import dbt_common.clients.jinja as jinja
import dbt_common.context as context
import dbt_common.dataclass_schema as dataclass_schema
import dbt_common.events.event_manager as event_manager
import mashumaro.mixins.dict as mixin
import pytest
from dagster._core.storage.event_log import SqliteEventLogStorage
from mashumaro.core.meta.code.builder import CodeBuilder

DBT: list[tuple[Any, str]] = [
    (behavior_flags.BehaviorFlagRendered, "_default_source"),
    (dataclass_schema.dbtClassMixin, "validate"),
    (event_manager.EventManager, "fire_event"),
    (context.get_invocation_context.__globals__["InvocationContext"]({}), "_env"),
    (factory.FACTORY, "adapters"),
    (duckdb_connections.DuckDBConnectionManager, "_ENV"),
    (duckdb_connections.DuckDBConnectionManager, "close_all_connections"),
    (duckdb_local.LocalEnvironment, "close"),
    (build.BuildTask, "compile_manifest"),
    (build.BuildTask, "get_selection_spec"),
    (build.BuildTask, "get_graph_queue"),
    (build.BuildTask, "before_run"),
    (jinja.MacroFuzzEnvironment, "compile"),
    (mixin, "compile_mixin_packer"),
    (mixin, "compile_mixin_unpacker"),
    (CodeBuilder, "add_pack_method"),
    (CodeBuilder, "add_unpack_method"),
]
DAGSTER = [
    "_connect", "_db_lock", "_get_asset_entry_values", "_get_latest_materialization_records", "_has_asset_key_col_on_connection", "_initdb", "_initialized_dbs", "_store_asset_event_tags",
    "asset_records_have_last_observation", "conn_string_for_shard", "has_asset_key_col", "has_table",
    "path_for_shard", "store_asset_check_event", "store_event",
    "store_event_batch",
]


@pytest.mark.parametrize(("owner", "name"), DBT, ids=[f"{getattr(owner, '__name__', type(owner).__name__)}.{name}" for owner, name in DBT])
def test_dbt_still_has_the_name(owner: Any, name: str) -> None:
    """What is replaced inside dbt and mashumaro is there: replacing what nobody calls would change nothing without a word."""
    assert hasattr(owner, name)


@pytest.mark.parametrize("name", DAGSTER)
def test_dagster_still_has_the_name(name: str, tmp_path: Any) -> None:
    """What the event log overrides or calls in Dagster's own is there."""
    assert hasattr(SqliteEventLogStorage(str(tmp_path)), name)


def test_mashumaro_still_looks_its_compilers_up() -> None:
    """A class being defined calls the two compilers by their names in the module, where they are replaced."""
    called = mixin.DataClassDictMixin.__init_subclass__.__func__.__code__.co_names  # type: ignore[attr-defined]
    assert {"compile_mixin_unpacker", "compile_mixin_packer"} <= set(called)
    assert {"first_method", "allow_postponed_evaluation", "format_name", "decoder", "encoder", "default_dialect"} <= set(
        inspect.signature(CodeBuilder.__init__).parameters)


def test_dbt_still_compiles_a_text_alone() -> None:
    """dbt makes a template from its text by Jinja's `from_string`, which compiles the text and nothing else."""
    assert "from_string" in jinja.get_template.__code__.co_names
    source = inspect.getsource(jinja.MacroFuzzEnvironment.from_string)
    assert "self.compile(source)" in source
