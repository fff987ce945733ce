"""The command line in this process: what a user types, what is printed, the exit code. Starting Python anew would cost seconds a command."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any
from unittest import mock

from orchestration.cli.main import main


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """The answer of a command with `--json`."""
        return json.loads(self.out)


@dataclass(frozen=True)
class CommandLine:
    """`lakehouse` on one data root."""

    home: Path
    facilities: Path
    build: Path

    def __call__(self, *words: object, **settings: object) -> Said:
        """Run one command; `settings` become `LAKEHOUSE_<NAME>` for it alone."""
        given = {"home": self.home, "facilities": self.facilities, "build": self.build, **settings}
        code = 0
        with _environment({f"LAKEHOUSE_{name.upper()}": str(value) for name, value in given.items()}), _streams() as (out, err), \
                mock.patch.object(sys, "argv", ["lakehouse", *map(str, words)]):
            try:
                main()
            except SystemExit as end:
                code = int(end.code or 0)
        return Said(code, out.getvalue(), err.getvalue())


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    # The product points Dagster at the root's own home; the next root must not inherit it.
    with mock.patch.dict(os.environ, values):
        yield


@contextmanager
def _streams() -> Iterator[tuple[StringIO, StringIO]]:
    out, err = StringIO(), StringIO()
    with mock.patch.object(sys, "stdout", out), mock.patch.object(sys, "stderr", err):
        yield out, err
