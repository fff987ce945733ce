"""A run's session: the writer lock held for the whole run, and the run begun once in the warehouse."""

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from assets.partitions import run_partitions
from assets.root import Root, Run
from assets.stores.crash_points import reach
from assets.stores.lock import writer_lock
from transforms.governance.events import Event
from transforms.governance.projection_rows import Projection


@dataclass
class Session:
    """The root of a run and the run itself, begun by the first step that asks for it. `verdicts` gathers what the checks said."""

    root: Root
    run_id: str
    job: str
    started: datetime
    on_step: Callable[[str], None] | None = None
    verdicts: list[Any] = field(default_factory=list)
    _run: Run | None = field(default=None)
    _open: set[str] = field(default_factory=set)

    @property
    def begun(self) -> Run | None:
        """The run, where a step has begun it."""
        return self._run

    def step(self, name: str, partition_keys: list[str]) -> Run:
        """Enter a step: tell whoever watches, and give the run. What is entered must be `finished`, or the run has failed."""
        if self.on_step is not None:
            self.on_step(name)
        self._open.add(name)
        return self.run(partition_keys)

    def finished(self, name: str) -> None:
        """Say that all that a step writes is written."""
        self._open.discard(name)

    def run(self, partition_keys: list[str]) -> Run:
        """Give the run, recording it in the warehouse and the catalog on the first call.

        Raises ConfigurationError where no identity policy holds on the day (UTC) on which the run began: nothing is written then.
        """
        if self._run is None:
            self.root.policy(self.started.date())
            self._run = self.root.begin(self.run_id, run_partitions(partition_keys))
            reach("run.begun")
            self._record("running", None)
        return self._run

    def end(self) -> None:
        """Record how the run ended: Dagster tears a session down alike after success and failure, so the steps tell."""
        if self._run is not None:
            reach("run.ended")
            self._record("failure" if self._open else "success", datetime.now(UTC))

    def _record(self, state: str, ended: datetime | None) -> None:
        assert self._run is not None
        facilities = sorted({facility for facility, _ in self._run.partitions})
        dates = sorted({day.isoformat() for _, day in self._run.partitions})
        row = {
            "run_id": self.run_id, "run_seq": self._run.run_seq, "kind": self.job, "facilities": facilities, "dates": dates,
            "started": self.started, "ended": ended, "state": state,
        }
        event = (
            Event("run.end", self.run_id, {"run_seq": self._run.run_seq, "state": state}, run_id=self.run_id)
            if ended else
            Event("run.start", self.run_id, {
                "run_seq": self._run.run_seq, "job": self.job, "facilities": facilities, "dates": dates,
                "code_version": self.root.code_version,
            }, run_id=self.run_id)
        )
        with self.root.catalog() as catalog:
            catalog.record([event], [Projection("run", [row], {"run_id": self.run_id})])
            if ended:
                catalog.checkpoint()


def session_resource(root: Root, lock_wait_seconds: float, on_step: Callable[[str], None] | None = None) -> dg.ResourceDefinition:
    """Build the resource `session`: it holds the writer lock from the first step to the last."""

    @dg.resource(description="The run's session: data root and writer lock")
    def session(context: dg.InitResourceContext) -> Iterator[Session]:
        run_id = context.run.run_id if context.run else f"direct-{os.getpid()}"
        job = (context.run.job_name if context.run else "direct").strip("_").lower() or "job"

        def tell(message: str) -> None:
            if context.log is not None:
                context.log.info(message)
            # Who waits at a terminal reads no event log.
            sys.stderr.write(f"{message}\n")

        with writer_lock(root.home, run_id, job, lock_wait_seconds, tell):
            opened = Session(root, run_id, job, datetime.now(UTC), on_step)
            try:
                yield opened
            finally:
                opened.end()

    return session
