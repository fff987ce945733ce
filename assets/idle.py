"""Which models a run need not build, because nothing that they read has changed: most of them, when one clinic is run again.

dbt spends more time on a model without rows than the engine does. A model is left out only where its table exists, the present project has
built it before, so that it lacks no column, and
- it is a view that says nothing of the run (views are dropped when the project changes, so one that exists is the present one), or
- it is staging of what no delivery of the run speaks of (`spoken`); its rows, those of an earlier run, are removed, or
- it holds rows by partition of which only such staging tells, and none of the run's partitions, or
- it derives what the change log says and the log holds nothing that it has not seen: its SQL names the objects that it reads, or, where it
  derives all from tables whose changes are logged, its config `consumes` does.
Everything else is built. `idle_models` must be asked before each group, since each group writes to the change log.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from assets.root import Root, Run
from assets.spoken import is_silent, spoken
from assets.stores.shapes import shaped_models
from assets.stores.warehouse import Warehouse, existing_tables, filled_tables

Node = Mapping[str, Any]
UNITS = "model.lakehouse.unit"
# How macros `changed_fact_keys`, `changed_patients`, `changed_persons` and `unseen_changes` name what they read.
READS_LOG = re.compile(r"\bchange_log\"? change_log\b")
READS_OBJECTS = re.compile(r"\bchange_log\.object (?:= ('\w+')|in \(([^)]*)\))")


def idle_models(root: Root, run: Run, nodes: Sequence[Node]) -> list[Node]:
    """Give those of the nodes that the run may leave out, and empty the staging tables among them."""
    sql = compiled_sql(root.dbt.compiled_manifest_path)
    consumed = {**consumed_objects(root.dbt.compiled_manifest_path), **stated_objects(nodes)}
    with root.warehouse.open() as warehouse:
        tables = existing_tables(warehouse)
        said = spoken(warehouse, run)
        news = unseen_objects(warehouse, consumed)
        shaped = shaped_models(warehouse, root.project)
        present = [node for node in nodes if table_of(node) in tables and node["name"] in shaped]
        silent = [node for node in present if node["schema"] == "staging" and is_silent(node, said)]
        empty(warehouse, [table_of(node) for node in silent if node["config"]["materialized"] != "view"])
        untold = without_partitions(warehouse, run, untold_tables(present, silent))
    lasting = {name for name, text in sql.items() if "run_scope" not in text}
    views = [node for node in present if node["config"]["materialized"] == "view" and node["name"] in lasting and node not in silent]
    busy = busy_consumers({str(node["name"]) for node in nodes}, {str(node["name"]) for node in present}, consumed, news)
    unmoved = [node for node in present if node["name"] in consumed and node["name"] not in busy]
    return [*silent, *untold, *views, *unmoved]


def untold_tables(nodes: Sequence[Node], silent: Sequence[Node]) -> list[Node]:
    """Give the models by partition that read silent staging and no other model, but for the units whose rows version tables leave out."""
    left_out = {node["unique_id"] for node in silent}
    by_partition = [node for node in nodes if node["config"].get("strategy") in ("merge_version", "replace_scope")]
    read = {node["unique_id"]: {one for one in node["depends_on"]["nodes"] if one.startswith("model.")} - {UNITS} for node in by_partition}
    return [node for node in by_partition if read[node["unique_id"]] and read[node["unique_id"]] <= left_out]


def without_partitions(warehouse: Warehouse, run: Run, nodes: Sequence[Node]) -> list[Node]:
    """Give the models whose tables have no row of the run's partitions."""
    in_scope = ("exists (select 1 from LAKE.control.run_scope scope where scope.run_id = ? "
                "and scope.facility_id = held.facility_id and scope.batch_date = held.batch_date)")
    filled = filled_tables(warehouse, [table_of(node) for node in nodes], in_scope, [run.run_id])
    return [node for node in nodes if table_of(node) not in filled]


def table_of(node: Node) -> str:
    """Give the `schema.table` of a model."""
    return f"{node['schema']}.{node.get('alias') or node['name']}".lower()


@lru_cache(maxsize=4)
def compiled_sql(manifest: Path) -> Mapping[str, str]:
    """Give each model's compiled SQL by name; none where the project was not compiled, as for Snowflake."""
    if not manifest.exists():
        return {}
    nodes = json.loads(manifest.read_text(encoding="utf-8"))["nodes"].values()
    return {str(node["name"]): node.get("compiled_code") or "" for node in nodes if node["resource_type"] == "model"}


@lru_cache(maxsize=4)
def consumed_objects(manifest: Path) -> Mapping[str, frozenset[str]]:
    """Give, for each model that reads the change log by object, the objects; one that reads it otherwise is left out: never idle."""
    return {name: objects for name, text in compiled_sql(manifest).items() if (objects := objects_read(text))}


def stated_objects(nodes: Iterable[Node]) -> dict[str, frozenset[str]]:
    """Give the objects that models state themselves; such a model moves a watermark like any consumer."""
    return {str(node["name"]): frozenset(node["config"]["consumes"]) for node in nodes if node["config"].get("consumes")}


def objects_read(sql: str) -> frozenset[str]:
    """Give the objects of the change log that a statement reads; none where not every read of the log names its objects."""
    if "change_log" not in sql:
        return frozenset()
    named = READS_OBJECTS.findall(sql)
    if len(named) != len(READS_LOG.findall(sql)):
        return frozenset()
    return frozenset(text.strip("' ") for one, several in named for text in (one or several).split(","))


def busy_consumers(building: set[str], present: set[str], consumed: Mapping[str, frozenset[str]],
                   news: Mapping[str, frozenset[str]]) -> set[str]:
    """Give the consumers with something to derive: unseen changes, or changes that another model of this group may yet log."""
    busy = {name for name in building if name not in consumed or name not in present or consumed[name] & news.get(name, frozenset())}
    while True:
        woken = {name for name in building - busy if consumed[name] & busy}
        if not woken:
            return busy
        busy |= woken


def unseen_objects(warehouse: Warehouse, consumers: Iterable[str]) -> dict[str, frozenset[str]]:
    """Give, for each consumer, the objects with changes above its watermark."""
    newest = {
        row["object"]: int(row["run_seq"])
        for row in warehouse.query("select object, max(run_seq) as run_seq from LAKE.control.change_log group by object").to_pylist()
    }
    seen = {
        row["consumer"]: int(row["run_seq"])
        for row in warehouse.query("select consumer, max(run_seq) as run_seq from LAKE.control.consumer group by consumer").to_pylist()
    }
    return {name: frozenset(one for one, run_seq in newest.items() if run_seq > seen.get(name, -1)) for name in consumers}


def empty(warehouse: Warehouse, tables: Sequence[str]) -> None:
    """Remove the rows of those tables that have any."""
    with warehouse.transaction():
        for name in sorted(filled_tables(warehouse, tables)):
            warehouse.execute(f"delete from LAKE.{name}")
