"""How the double loads staged files."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

# fakesnow.copy_into is also the name of a function
copy_into: Any = importlib.import_module("fakesnow.copy_into")


def load_named_files_of_a_stage() -> None:
    """Service: `copy into … from @stage/path files = (…)` loads the named files below the path. Double: "invalid URL prefix"."""
    source_urls = copy_into._source_urls

    def corrected(source: str, files: Sequence[str]) -> list[str]:
        if files and source.startswith("/"):
            return [f"{source.rstrip('/')}/{name.lstrip('/')}" for name in files]
        found: list[str] = source_urls(source, files)
        return found

    copy_into._source_urls = corrected


CORRECTIONS = (load_named_files_of_a_stage,)
