"""Loads modules and manifests without collecting garbage meanwhile.

What is loaded are hundreds of thousands of objects that live as long as the process: collections find nothing among them, and every
later one would walk them all. Together that was 0.5 s of a run of one facility-day.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """Collect nothing inside; what is there at the end no later collection looks at."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if enabled:
            gc.enable()
