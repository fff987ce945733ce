"""Work in a forked child, which begins as a new process would and whose limits and death are its own."""

from __future__ import annotations

import os
from collections.abc import Callable


def in_child(work: Callable[[], None]) -> int:
    """Do work in a child; gives its exit code (1 where the work raised), or the signal that ended it as a negative number."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            # Without Python's farewell, which would run the parent's.
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
