"""The Dagster instance of a data root: its storage lies in the root, so that two roots never see each other."""

from __future__ import annotations

import os
from pathlib import Path

DAGSTER_YAML = """\
telemetry:
  enabled: false
concurrency:
  pools:
    default_limit: 1
    granularity: run
run_monitoring:
  enabled: true
  free_slots_after_run_end_seconds: 30
run_coordinator:
  module: dagster.core.run_coordinator
  class: QueuedRunCoordinator
"""


def dagster_home(home: Path) -> Path:
    """Give the instance's folder, writing its configuration, and point Dagster at it."""
    folder = home / "dagster"
    folder.mkdir(parents=True, exist_ok=True)
    configuration = folder / "dagster.yaml"
    if not configuration.exists() or configuration.read_text() != DAGSTER_YAML:
        configuration.write_text(DAGSTER_YAML)
    os.environ["DAGSTER_HOME"] = str(folder)
    return folder
