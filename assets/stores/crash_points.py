"""Named points at which a test may end the process: one beside every write to landing, raw files, warehouse and audit store.

Nothing arms a point but a test (`arm`), in its own process; there is no setting for it. Unarmed, reaching a point is one comparison.
"""

from __future__ import annotations

import os
import signal

POINTS: tuple[str, ...] = (
    "landing.part",  # the temporary file is on the disk, its name is not
    "landing.payload",  # the payload is durable, its delivery is not recorded
    "landing.delivery",  # the delivery is durable, the audit log does not know it
    "landing.logged",
    "run.begun",  # the warehouse knows the run, the catalog does not
    "raw.file",  # the first Parquet file is written
    "raw.files",  # all Parquet files are written, none is loaded
    "raw.loading",  # inside the transaction that replaces the partitions
    "raw.loaded",  # it is committed, the catalog does not know
    "version.built",  # dbt's group is committed, the catalog does not know
    "gate.deciding",  # inside the transaction that writes verdicts and holds
    "gate.decided",
    "current.built",
    "current.recorded",  # states are in the catalog, accounts are not
    "identity.writing",  # inside the transaction that writes links and persons
    "identity.resolved",
    "mart.built",  # candidates are built, nothing is published
    "mart.publishing",  # inside the transaction that replaces one mart's slices
    "mart.published",
    "verdict.written",
    "catalog.writing",  # inside the transaction that appends to the log
    "catalog.written",  # it is committed, its checkpoint is not anchored
    "run.ended",  # all is written, the run is not recorded as ended
)

_armed: str | None = None


def arm(point: str) -> None:
    """End this process when it reaches `point`. Raises ValueError where there is no such point."""
    global _armed
    if point not in POINTS:
        raise ValueError(f"no crash point {point}")
    _armed = point


def reach(point: str) -> None:
    """End the process where a test armed this point: SIGKILL, so that nothing of Python's own is run."""
    if _armed == point:
        os.kill(os.getpid(), signal.SIGKILL)
