"""The Dagster instance of a data root: its storage lies in the root, so that two roots never see each other."""

from __future__ import annotations

import os
from pathlib import Path

# Events of one step are written together; without it Dagster's storage writes each alone.
EVENT_BATCH_SIZE = "1000"
DAGSTER_YAML = """\
event_log_storage:
  module: orchestration.event_log
  class: PooledEventLog
  config:
    base_dir: {folder}/history/runs
run_storage:
  module: dagster._core.storage.runs
  class: SqliteRunStorage
  config:
    base_dir: {folder}/history
schedule_storage:
  module: dagster._core.storage.schedules
  class: SqliteScheduleStorage
  config:
    base_dir: {folder}/schedules
nux:
  enabled: false
telemetry:
  enabled: false
concurrency:
  pools:
    default_limit: 1
    granularity: run
run_monitoring:
  enabled: true
  free_slots_after_run_end_seconds: 30
# A run that fails or dies with its process is tried once more, from its first step; what is left then is asked for at night.
run_retries:
  enabled: true
  max_retries: 1
run_coordinator:
  module: dagster.core.run_coordinator
  class: QueuedRunCoordinator
"""


def dagster_home(home: Path) -> Path:
    """Give the instance's folder, writing its configuration, and point Dagster at it."""
    folder = home / "dagster"
    folder.mkdir(parents=True, exist_ok=True)
    configuration = folder / "dagster.yaml"
    text = DAGSTER_YAML.replace("{folder}", str(folder))
    if not configuration.exists() or configuration.read_text() != text:
        configuration.write_text(text)
    os.environ["DAGSTER_HOME"] = str(folder)
    os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", EVENT_BATCH_SIZE)
    return folder
