"""What starts runs and who hears of failed ones: the landing sensor, the nightly schedule, the alert. No run is made here."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from assets.recording import delivery_row
from assets.root import Root
from assets.stores.landing import LandingStore
from orchestration.alerts import build_alert
from orchestration.jobs import build_pipeline
from orchestration.opening import open_root
from orchestration.run_requests import RANGE_END, RANGE_START
from orchestration.schedules import build_nightly
from orchestration.sensors import build_landing_sensor
from orchestration.settings import Settings
from transforms.governance.projection_rows import Projection
from transforms.landing.delivery import Delivery

MONDAY, TUESDAY = date(2026, 1, 5), date(2026, 1, 6)
ENTRY = """- {{facility_id: {0}, valid_from: 2026-01-01, name: N, region: w, owner: n@x.example, timezone: America/Denver, charset: utf-8,
   source_system: epic, default_authority: A, authorities: {{A: 'urn:oid:2.999.1'}}, sources: {{adt: {{kind: hl7v2}}}}}}"""
REGISTRY = "registry_version: 1\nfirst_batch_date: 2026-01-01\nfacilities:\n" + "\n".join(map(ENTRY.format, ("east", "north", "west")))


@pytest.fixture
def root(tmp_path: Path) -> Root:
    """An empty root of three facilities."""
    (tmp_path / "facilities.yaml").write_text(REGISTRY)
    return open_root(Settings(home=tmp_path / "home", build=tmp_path / "build", facilities=tmp_path / "facilities.yaml"))


def _land(root: Root, facility: str, day: date, content: bytes = b"MSH") -> Delivery:
    return root.landing.land(content, facility_id=facility, source="adt", batch_date=day, original_name="a.hl7",
                             received_time=datetime(2026, 1, 8, tzinfo=UTC))


def _tick(root: Root, cursor: str | None) -> tuple[list[tuple[str, str]], list[str | None], str | None]:
    """One tick: the ranges asked for, their run keys, the cursor."""
    sensor = build_landing_sensor(build_pipeline(), root)
    with dg.DagsterInstance.ephemeral() as instance:
        result: Any = sensor(dg.build_sensor_context(instance=instance, cursor=cursor))
    requests = result.run_requests or []
    return [(one.tags[RANGE_START], one.tags[RANGE_END]) for one in requests], [one.run_key for one in requests], result.cursor


def test_each_landing_is_asked_for_once(root: Root) -> None:
    """A tick asks for what was landed since the last one, neighbours in one run; a tick without news asks for nothing."""
    _land(root, "east", MONDAY)
    _land(root, "north", MONDAY)
    asked, _, cursor = _tick(root, None)
    assert asked == [("2026-01-05|east", "2026-01-05|north")]
    assert _tick(root, cursor)[0] == []
    _land(root, "west", TUESDAY)
    assert _tick(root, cursor)[0] == [("2026-01-06|west", "2026-01-06|west")]


def test_more_for_a_partition_is_asked_for_again(root: Root) -> None:
    """A second delivery of a partition that ran asks for it again, also where its bytes are those of the first."""
    _land(root, "east", MONDAY)
    _, first, cursor = _tick(root, None)
    _land(root, "east", MONDAY)
    asked, second, _ = _tick(root, cursor)
    assert asked == [("2026-01-05|east", "2026-01-05|east")]
    assert first != second


def test_what_lands_during_a_tick_is_not_lost(root: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    """A payload that lands after the tick has read its folder is asked for by the next tick."""
    _land(root, "east", MONDAY)
    read = LandingStore.partitions

    def landed_behind_its_back(store: LandingStore) -> Iterator[tuple[str, date, tuple[str, ...]]]:
        yield from list(read(store))
        _land(root, "east", MONDAY, b"MSH late")

    monkeypatch.setattr(LandingStore, "partitions", landed_behind_its_back)
    asked, _, cursor = _tick(root, None)
    assert asked == [("2026-01-05|east", "2026-01-05|east")]
    monkeypatch.setattr(LandingStore, "partitions", read)
    assert _tick(root, cursor)[0] == [("2026-01-05|east", "2026-01-05|east")]


def test_a_restart_asks_for_the_same_runs(root: Root) -> None:
    """A tick that died before its cursor was kept is made again with the same run keys, by which Dagster knows the runs it has."""
    _land(root, "east", MONDAY)
    _land(root, "west", TUESDAY)
    first, second = _tick(root, None), _tick(root, None)
    assert first == second
    assert len(set(first[1])) == 2


def _nightly(root: Root, night: datetime) -> list[tuple[str, str]]:
    schedule = build_nightly(build_pipeline(), root)
    with dg.DagsterInstance.ephemeral() as instance:
        requests: Any = schedule(dg.build_schedule_context(instance=instance, scheduled_execution_time=night))
        return [(one.tags[RANGE_START], one.tags[RANGE_END]) for one in requests]


def _ran(root: Root, delivery: Delivery, state: str) -> None:
    """As a run leaves the catalog that decoded a delivery and ended in `state`."""
    day = delivery.batch_date.isoformat()
    run = {"run_id": f"run-{state}", "run_seq": 1, "kind": "pipeline", "facilities": [delivery.facility_id], "dates": [day],
           "started": delivery.received_time, "ended": delivery.received_time, "state": state}
    written = {"asset": "raw.raw_delivery", "layer": "raw", "facility_id": delivery.facility_id, "batch_date": day, "run_id": run["run_id"],
               "code_version": "c", "data_version": "d", "reading_rules": None, "rows": 1, "content_hash": None, "time": delivery.received_time}
    with root.catalog() as catalog:
        catalog.record((), [
            Projection("delivery", [{**delivery_row(delivery), "units": 1}], {"delivery_id": delivery.delivery_id}),
            Projection("run", [run], {"run_id": run["run_id"]}),
            Projection("materialization", [written], {"asset": "raw.raw_delivery", "facility_id": delivery.facility_id, "batch_date": day}),
        ])


def test_the_night_runs_yesterday_for_all(root: Root) -> None:
    """At half past five the batch of the day before is asked for, every facility in one run."""
    assert _nightly(root, datetime(2026, 1, 7, 5, 30)) == [("2026-01-06|east", "2026-01-06|west")]
    assert _nightly(root, datetime(2026, 1, 1, 5, 30)) == []


def test_the_night_asks_again_for_what_failed(root: Root) -> None:
    """Landed partitions that a run failed on or never saw are asked for at night; finished ones are not."""
    _ran(root, _land(root, "east", MONDAY), "success")
    _ran(root, _land(root, "west", MONDAY), "failure")
    yesterday = ("2026-01-07|east", "2026-01-07|west")
    assert _nightly(root, datetime(2026, 1, 8, 5, 30)) == [yesterday, ("2026-01-05|west", "2026-01-05|west")]
    _land(root, "east", MONDAY, b"MSH more")
    assert _nightly(root, datetime(2026, 1, 8, 5, 30)) == [
        yesterday, ("2026-01-05|east", "2026-01-05|east"), ("2026-01-05|west", "2026-01-05|west")]


@pytest.fixture
def webhook() -> Iterator[tuple[str, list[Any]]]:
    """An address that keeps what is posted to it."""
    posted: list[Any] = []

    class Keeper(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Keep the body."""
            posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Keeper)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/alerts", posted
    server.shutdown()
    thread.join()
    server.server_close()


def _fail_and_alert(settings: Settings) -> str:
    """Run a job that fails over a patient's name, then its alert; gives the run's id."""
    @dg.op
    def break_down() -> None:
        raise ValueError("QUILLFEATHER^ODETTE")

    @dg.job
    def pipeline() -> None:
        break_down()

    with dg.DagsterInstance.ephemeral() as instance:
        done = pipeline.execute_in_process(instance=instance, raise_on_error=False, tags={"dagster/partition": "2026-01-05|east"})
        failed = next(event for event in done.all_events if event.is_run_failure)
        context = dg.build_run_status_sensor_context("run_failed", failed, instance, done.dagster_run).for_run_failure()
        build_alert(settings)(context)
        return done.run_id


def test_a_failed_run_is_posted_where_a_webhook_is_set(tmp_path: Path, webhook: tuple[str, list[Any]]) -> None:
    """The webhook gets run, job and partition of a failed run, and nothing of the error's text."""
    address, posted = webhook
    run_id = _fail_and_alert(Settings(home=tmp_path, alert_webhook=address))
    assert posted == [{"event": "run_failure", "run_id": run_id, "job": "pipeline", "partition": "2026-01-05|east"}]


def test_a_failed_run_is_logged_by_default(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], webhook: tuple[str, list[Any]],
) -> None:
    """Without a webhook the alert is a line of the log, and nothing is posted."""
    run_id = _fail_and_alert(Settings(home=tmp_path))
    said = [line for line in capfd.readouterr().err.splitlines() if f"Run {run_id} of pipeline failed" in line]
    assert [line.endswith("failed at 2026-01-05|east.") for line in said] == [True]
    assert webhook[1] == []
