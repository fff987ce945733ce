"""What is paid before any work: the start of the command line, of the code location, and column lineage without its cache."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator
from pathlib import Path

from orchestration.preparing import prepare_root
from orchestration.settings import Settings
from tests.bench.measuring import Figure
from tests.bench.spending import spend
from tests.conftest import PROJECT

IMPORTING = "import dagster, dagster_dbt, dbt.cli.main, dbt.adapters.duckdb, duckdb, polars"
LINEAGE = """
from pathlib import Path
from assets.stores.control import CONTROL_TABLES
from orchestration.catalog.projecting import project_graph
project_graph(Path({manifest!r}), {{f"control.{{name}}": columns for name, columns in CONTROL_TABLES.items()}})
"""
PARSING = """
import json, sqlglot
from pathlib import Path
for node in json.loads(Path({manifest!r}).read_text())["nodes"].values():
    if node["resource_type"] == "model":
        sqlglot.parse_one(node["compiled_code"], dialect="duckdb")
"""


def starting(folder: Path, runs: int) -> Iterator[Figure]:
    """Measure in CPU seconds, since nothing here waits."""
    root = prepare_root(Settings(home=folder / "home", build=PROJECT / ".build"))
    manifest = str(root.dbt.compiled_manifest_path)
    environment = {"LAKEHOUSE_HOME": str(root.home), "LAKEHOUSE_BUILD": str(PROJECT / ".build")}
    yield _figure("The command line, its help shown", "from orchestration.cli.main import main; main()", ["--help"],
                  "starting Python", "pass", environment, runs)
    yield _figure("Code location: all definitions loaded", "import orchestration.code_location", [], "importing Dagster and dbt", IMPORTING,
                  environment, runs)
    yield _figure("Column lineage of all models, cold", LINEAGE.format(manifest=manifest), [], "sqlglot, parse only",
                  PARSING.format(manifest=manifest), environment, runs)


def _figure(what: str, code: str, words: list[str], peer_name: str, peer: str, environment: dict[str, str], runs: int) -> Figure:
    ours, theirs = [], []
    for _ in range(runs):
        ours.append(spend([sys.executable, "-c", code, *words], environment).cpu)
        theirs.append(spend([sys.executable, "-c", peer], environment).cpu)
    return Figure(what, "seconds of CPU", statistics.median(ours), peer_name, statistics.median(theirs))
