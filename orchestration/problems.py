"""What went wrong, in the words and with the exit code of the command line.

Belongs here: from an exception, or from what Dagster keeps of one, to the product's own errors. A bug stays a bug: what is not known
here is not dressed up. An engine's text is searched for the few phrases below and never shown, because it may quote a value.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from transforms.errors import ConfigurationError, ContractError, LakehouseError, PayloadError, UnavailableError

if TYPE_CHECKING:
    import dagster as dg

_OURS = {kind.__name__: kind for kind in (ConfigurationError, ContractError, PayloadError, UnavailableError, LakehouseError)}
_REFUSED_BY_DISK = "{0}. Remedy: {1}, then run the same command again; what was committed stands, nothing half-written is read."
# Phrases of the operating system, DuckDB and SQLite -> what happened, what helps.
_DISK = {
    "No space left on device": ("The disk is full", "free space"),
    "database or disk is full": ("The disk is full", "free space"),
    "Disk quota exceeded": ("The disk quota is used up", "free space"),
    "Read-only file system": ("The disk is read-only", "mount it for writing"),
    "readonly database": ("The catalog store may not be written", "restore its permissions"),
    "Permission denied": ("A file of the data root may not be opened", "restore its permissions"),
    "unable to open database file": ("The catalog store cannot be opened", "restore its permissions"),
    "Input/output error": ("The disk failed to read or write", "check the disk"),
    "disk I/O error": ("The disk failed to read or write", "check the disk"),
}
_DAMAGED = {
    "database disk image is malformed": "The catalog store is damaged. Remedy: restore catalog/audit.sqlite from its copy; "
                                        "`lakehouse catalog verify` compares it with the anchors.",
    "file is not a database": "The catalog store is damaged. Remedy: restore catalog/audit.sqlite from its copy; "
                              "`lakehouse catalog verify` compares it with the anchors.",
}


def problem_of(class_name: str, message: str) -> LakehouseError | None:
    """Give the product's error for an exception's class and text; None for what is nobody's fault but the program's."""
    if class_name in _OURS:
        return _OURS[class_name](message)
    for phrase, (what, remedy) in _DISK.items():
        if phrase in message:
            return UnavailableError(_REFUSED_BY_DISK.format(what, remedy))
    return next((LakehouseError(words) for phrase, words in _DAMAGED.items() if phrase in message), None)


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
