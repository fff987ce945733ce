"""The landing sensor: every newly landed delivery turns into a run of its partition; nothing is lost or done twice.

The cursor is the content of landing as last requested, partition by partition. Partitions whose set of deliveries differs from the
cursor are requested, joined into rectangles, with a run key made of what is landed: a repeated tick or a restart asks for the same
run again, which Dagster knows by its key.
"""

import hashlib
import json

import dagster as dg

from assets.partitions import to_key, to_partition
from assets.root import Root
from orchestration.jobs import AssetJob
from orchestration.run_requests import range_tags, rectangles


def build_landing_sensor(job: AssetJob, root: Root) -> dg.SensorDefinition:
    """Build the sensor over the root's landing folder."""

    @dg.sensor(job=job, name="landed", minimum_interval_seconds=30, default_status=dg.DefaultSensorStatus.STOPPED,
               description="Runs the partitions of newly landed deliveries.")
    def landed(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        seen: dict[str, str] = json.loads(context.cursor) if context.cursor else {}
        now = {to_key((facility, day)): _digest(names) for facility, day, names in root.landing.partitions()}
        changed = [to_partition(key) for key, digest in now.items() if seen.get(key) != digest]
        requests = [
            dg.RunRequest(run_key=_run_key(first, last, now), tags=range_tags(first, last))
            for first, last in rectangles(changed, root.registry.facility_ids)
        ]
        return dg.SensorResult(run_requests=requests, cursor=json.dumps(now, sort_keys=True))

    return landed


def _run_key(first: str, last: str, landed: dict[str, str]) -> str:
    content = hashlib.sha256(json.dumps(landed, sort_keys=True).encode()).hexdigest()[:16]
    return f"{first}:{last}:{content}"


def _digest(delivery_ids: tuple[str, ...]) -> str:
    return hashlib.sha256("\n".join(delivery_ids).encode()).hexdigest()[:16]
