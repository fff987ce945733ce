"""The Snowflake double as a process of its own, and data roots that use it."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PROJECT

START_SECONDS = 60
# One process starts one double; what the connector and dbt's adapter say of their own dependencies is nothing that a test could mend.
MARKS = [
    pytest.mark.filterwarnings("ignore:urllib3 .* doesn't match a supported version"),
    pytest.mark.filterwarnings("ignore:The 'insecure_mode' connection property is deprecated:DeprecationWarning"),
]


@dataclass(frozen=True)
class Double:
    """A running double: its port, and the file in which it notes every statement it was sent."""

    port: int
    statements_file: Path

    def settings(self) -> dict[str, Any]:
        """Settings of a data root whose warehouse is the double."""
        return {
            "target": "cloud", "snowflake_host": "127.0.0.1", "snowflake_port": self.port, "snowflake_protocol": "http",
            "snowflake_account": "fakesnow", "snowflake_user": "fake", "snowflake_password": "snow",
        }

    def statements(self) -> list[str]:
        """Every statement so far, in order."""
        return [one for one in self.statements_file.read_text(encoding="utf-8").split("\0") if one]


def double_python() -> Path:
    """Interpreter of the double's environment (LAKEHOUSE_DOUBLE, default `.venv-double`); without one the test is skipped, in CI it fails."""
    python = Path(os.environ.get("LAKEHOUSE_DOUBLE", PROJECT / ".venv-double")) / "bin" / "python"
    if not python.exists():
        missing = f"{python}: the environment of the Snowflake double is missing. Remedy: make test makes it, or set LAKEHOUSE_DOUBLE."
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    return python


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_listening(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Wait for the double; fails with the end of its log where it ends or stays silent."""
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail(f"the Snowflake double does not answer: {log.read_text(encoding='utf-8')[-2000:]}")


@pytest.fixture(scope="session")
def double(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Double]:
    """The double, empty at first, for all tests of a process."""
    python, folder, port = double_python(), tmp_path_factory.mktemp("double"), free_port()
    log, statements = folder / "double.log", folder / "statements"
    statements.touch()
    command = [str(python), "-m", "tests.snowflake.start_double", "--port", str(port), "--statements", str(statements)]
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    with log.open("wb") as output, subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=output, stderr=output) as process:
        try:
            wait_until_listening(process, port, log)
            yield Double(port, statements)
        finally:
            process.terminate()
