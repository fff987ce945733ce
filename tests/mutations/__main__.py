"""`make mutants`: plants one fault after the other in a clone of the project's last commit and says whether its tests fail."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import typer

from tests.conftest import PROJECT
from tests.mutations.mutations import Mutation, mutations

SECONDS = 1800
FAILED = 1  # pytest's exit code where tests ran and some failed


def main() -> None:
    """Run the faults asked for, all by default; exit code 1 where one was not noticed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", type=int, nargs="*", help="numbers of faults, counted from 1")
    parser.add_argument("--skip", type=int, nargs="*", default=[], help="numbers to leave out")
    arguments = parser.parse_args()
    wanted = [one for one in mutations() if (not arguments.only or one.number in arguments.only) and one.number not in arguments.skip]
    with tempfile.TemporaryDirectory(prefix="lakehouse-mutants-") as folder:
        tree = Path(folder) / "project"
        subprocess.run(["git", "clone", "-q", str(PROJECT), str(tree)], check=True)
        unnoticed = [one for one in wanted if not _is_noticed(one, tree)]
    typer.echo(f"{len(wanted) - len(unnoticed)} of {len(wanted)} planted faults turned their tests red.")
    raise SystemExit(1 if unnoticed else 0)


def _is_noticed(mutation: Mutation, tree: Path) -> bool:
    began = time.monotonic()
    mutation.plant(tree)
    try:
        code, said = _tested(mutation, tree)
    finally:
        subprocess.run(["git", "-C", str(tree), "checkout", "-q", "--", "."], check=True)
    verdict = "red" if code == FAILED else f"NOT NOTICED (pytest ended with {code})"
    typer.echo(f"{mutation.name}: {verdict}, {time.monotonic() - began:.0f} s, {said}")
    return code == FAILED


def _tested(mutation: Mutation, tree: Path) -> tuple[int, str]:
    """Exit code of pytest over the fault's tests, and the first failure that it names."""
    beside = {"LAKEHOUSE_DOUBLE": PROJECT / ".venv-double", "LAKEHOUSE_CORPORA_DIR": PROJECT.parent / "shared" / "corpora"}
    found = {name: str(path) for name, path in beside.items() if path.is_dir()}
    try:
        ran = subprocess.run(
            [sys.executable, "-m", "pytest", "-x", "-q", "--no-header", *mutation.tests], cwd=tree, capture_output=True, text=True,
            timeout=SECONDS, check=False, env={**found, **os.environ, "PYTHONPATH": str(tree)})
    except subprocess.TimeoutExpired:
        return -1, f"no end within {SECONDS} s"
    failures = [line for line in ran.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return ran.returncode, (failures or ["nothing failed"])[0][:160]


if __name__ == "__main__":
    main()
