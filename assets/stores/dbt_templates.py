"""Compiled Jinja templates of dbt, kept from one process to the next.

Each process compiled some 180 macros and models anew, half a second of CPU. Jinja's own bytecode cache serves templates that a loader
finds by name; dbt makes each from its text, so that the text names it here. What is kept is code, never what a template renders.

Importing this module imports dbt.
"""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dbt_common.clients.jinja import MacroFuzzEnvironment
from jinja2 import FileSystemBytecodeCache
from jinja2.sandbox import SandboxedEnvironment

# Whose change makes other code of the same text; of Python's version Jinja's files tell themselves.
COMPILERS = ("jinja2", "dbt-common")


def keep_templates(folder: Path) -> None:
    """Look for compiled templates below a folder before compiling, from now on, and leave there what was compiled."""
    own = folder / "-".join(version(name) for name in COMPILERS)
    own.mkdir(parents=True, exist_ok=True)
    setattr(MacroFuzzEnvironment, "compile", _compiling(FileSystemBytecodeCache(str(own))))  # noqa: B010 - mypy refuses the assignment


def _compiling(cache: FileSystemBytecodeCache) -> Any:
    def compile_kept(environment: SandboxedEnvironment, source: Any, *arguments: Any, **how: Any) -> Any:
        """Give the code of a text: kept, else compiled. A tree of nodes, or a text that is to be named, is compiled as Jinja does."""
        if not isinstance(source, str) or arguments or how:
            return SandboxedEnvironment.compile(environment, source, *arguments, **how)
        name = f"{type(environment).__qualname__}.{hashlib.sha256(source.encode()).hexdigest()}"
        kept = cache.get_bucket(environment, name, None, source)
        if kept.code is None:
            kept.code = SandboxedEnvironment.compile(environment, source)
            cache.set_bucket(kept)
        return kept.code

    return compile_kept
