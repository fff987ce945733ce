"""`lakehouse`: the command line. Each group of commands lives in its own module; heavy imports happen where they are used."""

from __future__ import annotations

import gc
import sys

import typer

from orchestration.cli import account, audit, dev_copy, feeds, identity, parity, pipeline, questions, terminology
from orchestration.problems import problem_of
from transforms.errors import LakehouseError

# Objects that a command makes between two garbage collections. Python's own 700 has Dagster's and dbt's modules walked again and again
# while they load: a twentieth of the start.
COLLECT_AFTER = 50_000

app = typer.Typer(
    name="lakehouse", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    help="Turns many EMRs' feeds into one trusted set of answers: land, materialize, reconcile, trace, audit.",
)
for module in (feeds, pipeline, account, questions, parity, dev_copy):
    module.register(app)
app.add_typer(identity.app, name="identity")
app.add_typer(account.quarantine, name="quarantine")
app.add_typer(terminology.terminology, name="terminology")
app.add_typer(audit.app, name="catalog")


def main() -> None:
    """Run the command line; a known error becomes one line on stderr and its exit code, a bug stays a traceback."""
    gc.set_threshold(COLLECT_AFTER, 20, 20)
    try:
        app()
    except Exception as error:
        known = error if isinstance(error, LakehouseError) else problem_of(type(error).__name__, str(error))
        if known is None:
            raise
        print(f"lakehouse: {known}", file=sys.stderr)
        sys.exit(known.exit_code)
