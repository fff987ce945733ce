"""`lakehouse identity link | unlink | overlay | steward`: what a steward says of records, and who may say it on the review page."""

from __future__ import annotations

import os
import pwd

import typer

_LEFT = typer.Argument(..., help="Key of one patient record.")
_RIGHT = typer.Argument(..., help="Key of the other.")
_REASON = typer.Option(..., help="Why; kept with the decision.")
_ACTOR = typer.Option("", help="Who decides; default: the account. Refused where several stewards must say the same.")
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


def overlay(
    record: str = typer.Argument(..., help="Key of the record whose content changed."),
    run: int = typer.Argument(..., help="Run that raised it, as `identity overlays` lists it."),
    answer: str = typer.Argument(..., help="no_overlay: the same human all the same; overlay: another human, and the facility was told."),
    reason: str = _REASON, actor: str = _ACTOR, seen: int = typer.Option(0, help="Number of the newest answer that you saw."),
) -> None:
    """Answer an overlay, which leaves the list; no record moves. A later change of the record's content raises anew."""
    from assets.stores.identity_overlay_answers import OverlayAnswer
    from orchestration.opening import open_root
    from orchestration.settings import load_settings
    from orchestration.stewardship import answer_overlay

    settings = load_settings()
    _refuse_actor(actor, settings.identity_reviewers)
    number = answer_overlay(open_root(settings), settings, OverlayAnswer(record, run, answer, actor or account(), reason, seen))
    print(f"Answer {number} is recorded: {answer}. Next: lakehouse identity overlays")


def steward(
    name: str = typer.Argument(..., help="Account of the steward, as the audit log will name it."),
    dismiss: bool = typer.Option(False, "--dismiss", help="Take the access away."),
) -> None:
    """Let a steward decide on the catalog's review page: prints the pass phrase once. A second call gives a new one."""
    from orchestration.opening import open_root
    from orchestration.settings import load_settings
    from orchestration.stewards import Stewards

    stewards = Stewards(open_root(load_settings()).home)
    if dismiss:
        stewards.dismiss(name)
        print(f"{name} may no longer open the review page.")
        return
    print(f"{name} may open the review page with the pass phrase {stewards.admit(name)} (shown once). Next: lakehouse catalog serve")


def _decide(left: str, right: str, decision: str, reason: str, actor: str, seen: int) -> None:
    from assets.stores.identity_decisions import Decision
    from orchestration.opening import open_root
    from orchestration.settings import load_settings
    from orchestration.stewardship import decide

    settings = load_settings()
    _refuse_actor(actor, settings.identity_reviewers)
    said = Decision(left, right, decision, actor or account(), reason, seen)
    done = decide(open_root(settings), settings, said)
    if done is None:
        print(f"Your opinion is kept: {decision}. It is carried out when {settings.identity_reviewers} stewards say the same.")
        return
    number, resolution = done
    print(f"Decision {number} is recorded: {decision}. {resolution.moved} records changed their person. "
          f"Next: lakehouse identity history {left}")


def _refuse_actor(actor: str, reviewers: int) -> None:
    from transforms.errors import ConfigurationError

    if actor and reviewers > 1:
        raise ConfigurationError("identity: where several stewards must say the same, a name that anybody may type counts for nobody. "
                                 "Remedy: decide from your own account without --actor, or on the review page.")


def account() -> str:
    """Give the account that runs this process, as the system knows it: USER and LOGNAME are anybody's to set."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid-{os.getuid()}"
