"""What the dbt profile tells the engine, by the adapter's own code."""

from __future__ import annotations

from pathlib import Path

import yaml
from dbt.adapters.duckdb.credentials import DuckDBCredentials
from dbt.adapters.duckdb.environments import Environment

from assets.stores.dbt_runner import project_folder


def test_a_model_is_built_after_another_one_spilled(tmp_path: Path) -> None:
    """An engine that has spilled to its folder takes the next model's connection, and keeps its limit and its spill files sealed."""
    target = yaml.safe_load((project_folder() / "profiles.yml").read_text())["lakehouse"]["outputs"]["local"]
    options = {**target["config_options"], "temp_directory": str(tmp_path / "spill"), "memory_limit": "60MB"}
    stated = DuckDBCredentials(database="memory", schema="main", path=":memory:", config_options=options, settings=target["settings"])
    engine = Environment.initialize_db(stated)
    try:
        first = Environment.initialize_cursor(stated, engine.cursor())
        first.execute("create temp table spilling as select n, md5(cast(n as varchar)) as text from range(2000000) made(n)")
        assert list((tmp_path / "spill").iterdir())
        second = Environment.initialize_cursor(stated, engine.cursor())
        asked = "select current_setting('memory_limit'), current_setting('temp_file_encryption'), current_setting('TimeZone')"
        assert second.execute(asked).fetchone() == ("57.2 MiB", True, "UTC")
    finally:
        engine.close()
