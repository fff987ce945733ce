"""`lakehouse identity link | unlink`: what a steward says of two records."""

from __future__ import annotations

import getpass

import typer

_LEFT = typer.Argument(..., help="Key of one patient record.")
_RIGHT = typer.Argument(..., help="Key of the other.")
_REASON = typer.Option(..., help="Why; kept with the decision.")
_ACTOR = typer.Option("", help="Who decides; default: the account.")
_SEEN = typer.Option(0, help="Number of the newest decision on this pair that you saw.")


def link(left: str = _LEFT, right: str = _RIGHT, reason: str = _REASON, actor: str = _ACTOR, seen: int = _SEEN) -> None:
    """Say that two records are of one human: they are joined at once, whatever the rules say."""
    _decide(left, right, "link", reason, actor, seen)


def unlink(
    left: str = _LEFT, right: str = _RIGHT, reason: str = _REASON, actor: str = _ACTOR, seen: int = _SEEN,
    withdraw: bool = typer.Option(False, "--withdraw", help="Take back what was decided before: the rules hold again."),
) -> None:
    """Say that two records are of two humans: they are parted at once and no rule joins them again."""
    _decide(left, right, "withdrawn" if withdraw else "cannot_link", reason, actor, seen)


def _decide(left: str, right: str, decision: str, reason: str, actor: str, seen: int) -> None:
    from assets.stores.identity_decisions import Decision
    from orchestration.opening import open_root
    from orchestration.settings import load_settings
    from orchestration.stewardship import decide

    settings = load_settings()
    said = Decision(left, right, decision, actor or getpass.getuser(), reason, seen)
    number, resolution = decide(open_root(settings), settings, said)
    print(f"Decision {number} is recorded: {decision}. {resolution.moved} records changed their person. "
          f"Next: lakehouse identity history {left}")
