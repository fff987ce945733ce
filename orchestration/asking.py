"""Opens the warehouse for a person's question: for a bounded time, and with words on who has it where it is busy.

Pages ask of the root that they serve (`ask_warehouse`), commands of the one that the settings name (`ask`, `answer`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

from assets.root import Root
from assets.stores.lock import lock_holder
from assets.stores.warehouse import Warehouse
from orchestration.opening import open_root
from orchestration.settings import load_settings
from transforms.errors import UnavailableError

# How long a page waits for the file before it says who has it.
PAGE_SECONDS = 5.0


@contextmanager
def ask_warehouse(root: Root, wait_seconds: float | None = None) -> Iterator[Warehouse]:
    """Open the warehouse read-only. `wait_seconds` bounds the waiting for its file; null: as long as a run would wait.

    Raises UnavailableError, naming the run that writes, where the file stays busy or the question takes too long."""
    with ExitStack() as opened:
        try:
            warehouse = opened.enter_context(root.warehouse.for_questions(wait_seconds).open(read_only=True))
        except UnavailableError as busy:
            holder = lock_holder(root.home)
            raise UnavailableError(f"The warehouse is in use by {holder}; try again when it has ended." if holder else str(busy)) from busy
        yield warehouse


def ask() -> AbstractContextManager[Warehouse]:
    """Open the warehouse of the settings' root as `ask_warehouse` does."""
    return ask_warehouse(open_root(load_settings()))


def answer(query: str, parameters: Sequence[object] = ()) -> list[dict[str, Any]]:
    """Rows of a query on the warehouse of the settings' root."""
    with ask() as warehouse:
        rows: list[dict[str, Any]] = warehouse.query(query, parameters).to_pylist()
    return rows
