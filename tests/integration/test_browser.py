"""A person's way: materialize one partition in the Dagster UI, then read of it in the audit catalog, in a headless browser."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from orchestration.generate import generate
from tests.conftest import PROJECT
from tests.pipeline_runs import land_network, run

pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),  # playwright's loop is closed under it
    pytest.mark.filterwarnings("ignore:coroutine:RuntimeWarning"),  # the same
]
CHROMIUM = shutil.which("chromium")
DAY = date(2026, 1, 5)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]


@pytest.fixture
def browser() -> Iterator[Any]:
    """A headless Chromium; in CI it must be there."""
    if CHROMIUM is None:
        if os.environ.get("CI") == "true":
            pytest.fail("chromium is not installed: make chromium")
        pytest.skip("chromium is not installed: make chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


def test_materialize_in_the_ui_and_read_in_the_catalog(
    browser: Any, tmp_path: Path, open_built_root: Callable[..., Any], build_folder: Path,
) -> None:
    """A partition launched with the mouse is materialized, and its pages in the catalog say so."""
    network = tmp_path / "network"
    generate(network, seed=5, people=12, days=1, facilities=5, start=DAY, progress=None)
    root, settings = open_built_root(tmp_path / "root", network / "facilities.yaml")
    land_network(root, network, only=["lakeside"])
    run(root, settings, [("lakeside", DAY)])
    environment = {
        **os.environ, "LAKEHOUSE_HOME": str(root.home), "LAKEHOUSE_FACILITIES": str(network / "facilities.yaml"),
        "LAKEHOUSE_BUILD": str(build_folder), "PYTHONPATH": str(PROJECT), "PYTHONWARNINGS": "ignore",
    }
    with _serving(["ui"], environment) as address:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(f"{address}/assets/canonical/patient_version", wait_until="load", timeout=60_000)
        page.get_by_text("Latest materialization").wait_for(timeout=60_000)
        page.get_by_role("button", name="Materialize").first.click(timeout=60_000)
        # The first run's events are in a storage of its own, so this one does not know its upstream and asks.
        page.get_by_role("button", name="Confirm").click(timeout=60_000)
        dates = page.get_by_placeholder("ex: 2026-01-01")
        dates.fill(DAY.isoformat())
        dates.press("Enter")
        page.get_by_text("Select a partition or create one").click()
        page.get_by_text("lakeside", exact=True).first.click()
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Launch 1 run").click()
        page.screenshot(path=tmp_path / "dagster.png")
        launched = _finished_run(address)
        page.close()
    assert launched["status"] == "SUCCESS"
    assert {"key": "dagster/partition", "value": f"{DAY.isoformat()}|lakeside"} in launched["tags"]
    with _serving(["catalog", "serve"], environment) as address:
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(f"{address}/asset/canonical.patient_version")
        assert "canonical.patient_version" in page.content()
        assert "lakeside" in page.content() or "Lakeside" in page.content()
        page.screenshot(path=tmp_path / "asset.png")
        answer = page.goto(f"{address}/asset/canonical.patient_version/lakeside/{DAY.isoformat()}")
        assert answer.status == 200
        assert launched["runId"][:10] in page.content()
        page.screenshot(path=tmp_path / "partition.png")
        page.close()


def _finished_run(address: str) -> dict[str, Any]:
    query = {"query": "{runsOrError{... on Runs{results{runId status tags{key value}}}}}"}
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        request = urllib.request.Request(f"{address}/graphql", json.dumps(query).encode(), {"Content-Type": "application/json"})  # noqa: S310 - loopback
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310 - loopback
            runs = json.load(response)["data"]["runsOrError"]["results"]
        if runs and runs[0]["status"] in ("SUCCESS", "FAILURE", "CANCELED"):
            return dict(runs[0])
        time.sleep(1)
    pytest.fail("the run launched in the UI did not end within three minutes")


@contextmanager
def _serving(command: list[str], environment: dict[str, str]) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    start = "from orchestration.cli.main import main; main()"
    process = subprocess.Popen([sys.executable, "-c", start, *command, "--port", str(port)], env=environment, cwd=PROJECT,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(address, process)
        yield address
    finally:
        os.killpg(process.pid, 15)
        process.wait(30)


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server ended"
        try:
            with urllib.request.urlopen(address, timeout=5):  # noqa: S310 - loopback
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.5)
    pytest.fail("the server did not answer within two minutes")
