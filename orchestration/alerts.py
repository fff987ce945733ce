"""The run-failure alert: a log line by default, a webhook by setting. It carries coordinates, never the error's text."""

import json
import urllib.request

import dagster as dg

from orchestration.settings import Settings


def alert_payload(run_id: str, job: str, partition: str) -> dict[str, str]:
    """Give what an alert says."""
    return {"event": "run_failure", "run_id": run_id, "job": job, "partition": partition}


def build_alert(settings: Settings) -> dg.SensorDefinition:
    """Build the sensor that reports failed runs."""

    @dg.run_failure_sensor(name="run_failed", description="Reports failed runs: log, or webhook where LAKEHOUSE_ALERT_WEBHOOK is set.")
    def run_failed(context: dg.RunFailureSensorContext) -> None:
        run = context.dagster_run
        payload = alert_payload(run.run_id, run.job_name, run.tags.get("dagster/partition", "range"))
        context.log.error(f"Run {payload['run_id']} of {payload['job']} failed at {payload['partition']}.")
        if settings.alert_webhook:
            post_alert(settings.alert_webhook, payload)

    return run_failed


def post_alert(address: str, payload: dict[str, str]) -> None:
    """Post an alert as JSON. Raises ValueError on an address that is not http or https."""
    if not address.startswith(("http://", "https://")):
        raise ValueError("LAKEHOUSE_ALERT_WEBHOOK must be an http or https address")
    request = urllib.request.Request(address, json.dumps(payload).encode(), {"Content-Type": "application/json"})  # noqa: S310 - scheme checked above
    with urllib.request.urlopen(request, timeout=10):  # noqa: S310 - scheme checked above
        pass
