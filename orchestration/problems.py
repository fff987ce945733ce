"""What went wrong, in the words and with the exit code of the command line.

Belongs here: from an exception, or from what Dagster keeps of one, to the product's own errors. A bug stays a bug: what is not known
here is not dressed up.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from assets.stores.disk_faults import disk_fault
from transforms.errors import ConfigurationError, ContractError, LakehouseError, PayloadError, UnavailableError

if TYPE_CHECKING:
    import dagster as dg

_OURS = {kind.__name__: kind for kind in (ConfigurationError, ContractError, PayloadError, UnavailableError, LakehouseError)}


def problem_of(class_name: str, message: str) -> LakehouseError | None:
    """Give the product's error for an exception's class and text; None for what is nobody's fault but the program's."""
    if class_name in _OURS:
        return _OURS[class_name](message)
    return disk_fault(message)


def problem_of_run(done: dg.ExecuteInProcessResult) -> LakehouseError | None:
    """Give why a run failed; None where it did not. The first error that is known, else a sentence that leads to the run."""
    if done.success:
        return None
    for class_name, message in _errors(done):
        found = problem_of(class_name, message)
        if found is not None:
            return found
    return LakehouseError("The run failed. Remedy: open it in the Dagster UI (`make ui`).")


def _errors(done: dg.ExecuteInProcessResult) -> Iterator[tuple[str, str]]:
    """Walk the errors of steps, resources and the run itself, each down to its cause."""
    for event in done.all_events:
        error = getattr(event.event_specific_data, "error", None)
        while error is not None:
            # The text begins with the class's full name.
            yield str(error.cls_name or ""), error.message.split(": ", 1)[-1].strip()
            error = error.cause
