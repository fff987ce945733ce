"""The landing sensor: every newly landed delivery turns into a run of its partition; nothing is lost or done twice.

The cursor is the content of landing as last requested, partition by partition. A partition whose set of deliveries differs from
the cursor is requested, with a run key made of that set: a repeated tick, a lost cursor or a restart asks for the same run again,
which Dagster knows by its key.
"""

import hashlib
import json

import dagster as dg

from assets.root import Root
from assets.partitions import to_key


def build_landing_sensor(job: dg.UnresolvedAssetJobDefinition, root: Root) -> dg.SensorDefinition:
    """Build the sensor over the root's landing folder."""

    @dg.sensor(job=job, name="landed", minimum_interval_seconds=30, default_status=dg.DefaultSensorStatus.STOPPED,
               description="Runs the partitions of newly landed deliveries.")
    def landed(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        seen: dict[str, str] = json.loads(context.cursor) if context.cursor else {}
        now = {to_key((facility, day)): _digest(names) for facility, day, names in root.landing.partitions()}
        requests = [
            dg.RunRequest(run_key=f"{key}:{digest}", partition_key=key)
            for key, digest in sorted(now.items()) if seen.get(key) != digest
        ]
        return dg.SensorResult(run_requests=requests, cursor=json.dumps(now, sort_keys=True))

    return landed


def _digest(delivery_ids: tuple[str, ...]) -> str:
    return hashlib.sha256("\n".join(delivery_ids).encode()).hexdigest()[:16]
