"""Decisions on the person index: noted in the audit log, recorded, and carried out at once.

The log comes first: a process that dies in between leaves an entry about a decision that was not taken, never a decision without an entry.
"""

from __future__ import annotations

import uuid

from assets.root import Root
from assets.stores.identity import Resolution, resolve_changes, root_settings, utc_now
from assets.stores.identity_decisions import LINK, Decision, record_decision, refuse_strangers, refuse_unseen
from assets.stores.identity_overlay_answers import OverlayAnswer, record_answer, refuse_no_answer, refuse_unraised, refuse_unseen_answer
from assets.stores.identity_read import refuse_older_features
from assets.stores.identity_review import needs_another
from assets.stores.lock import writer_lock
from orchestration.settings import Settings
from transforms.errors import ConfigurationError
from transforms.governance.events import DETAIL_MAX, Event, validate


def decide(root: Root, settings: Settings, said: Decision) -> tuple[int, Resolution] | None:
    """Record a decision and cluster anew what it touches; give its number and what the resolution did.

    None: where several stewards must say the same, it is kept as an opinion and waits for another.
    The decision stays where the resolution fails: the next run carries it out. Marts follow with the next run of their partitions.
    The policy is the one that holds on the day (UTC) of the decision.
    Raises ConfigurationError where none does, the log could not hold who says it or why, or a record is not in the index,
    ContractError where somebody else decided meanwhile, UnavailableError where an earlier version made the records: nothing is written.
    """
    run_id = str(uuid.uuid4())
    now = utc_now()
    rules = root_settings(root.keys, root.policy(now.date()), settings.memory, root.identity_model)
    _refuse_unfit(_event(said, ("0" * 64, "0" * 64), "", "steward", "policy"))
    with writer_lock(root.home, run_id, "identity", settings.lock_wait_seconds):
        run = root.begin(run_id, [])
        with root.warehouse.open() as warehouse:
            refuse_older_features(warehouse)
            refuse_strangers(warehouse, said)
            refuse_unseen(warehouse, said)
            is_opinion = needs_another(warehouse, said, settings.identity_reviewers, now, rules.policy.version)
            if is_opinion:
                _note(root, said, run_id, f"opinion_{said.decision}", rules.policy.version)
                return None
            _note(root, said, run_id, f"steward_{said.decision}", rules.policy.version)
            number = record_decision(warehouse, said, now, rules.model.version, rules.policy.version)
            resolution = resolve_changes(warehouse, run.run_seq, rules)
    return number, resolution


def answer_overlay(root: Root, settings: Settings, said: OverlayAnswer) -> int:
    """Record what a steward says of an overlay, which leaves the list by it; give the answer's number. No record moves.

    Raises ConfigurationError where the log could not hold who says it or why, what is said is no answer, or that overlay was never raised,
    ContractError where somebody else answered meanwhile; nothing is written then.
    """
    run_id = str(uuid.uuid4())
    _refuse_unfit(_overlay_event(said, "0" * 64, ""))
    refuse_no_answer(said)
    with writer_lock(root.home, run_id, "identity", settings.lock_wait_seconds):
        root.begin(run_id, [])
        with root.warehouse.open() as warehouse:
            refuse_unraised(warehouse, said.patient_key, said.run_seq)
            refuse_unseen_answer(warehouse, said)
            with root.catalog() as catalog:
                catalog.append([_overlay_event(said, root.keys.mark("patient", said.patient_key), run_id)])
            return record_answer(warehouse, said, utc_now())


def _refuse_unfit(event: Event) -> None:
    """Refuse what the audit log would refuse, before anything is done; the reason is never repeated in the message."""
    if not (event.detail or "").strip() or len(event.detail or "") > DETAIL_MAX:
        raise ConfigurationError(f"identity: a decision needs a reason of 1 to {DETAIL_MAX} characters. Remedy: say shortly what was seen.")
    try:
        validate(event)
    except ValueError:
        raise ConfigurationError("identity: the audit log cannot hold this name of who decides. Remedy: an account, letters, digits and "
                                 ". _ @ - only, as amy or amy@example.org.") from None


def _note(root: Root, said: Decision, run_id: str, rule: str, policy_version: str) -> None:
    """Write to the audit log who said what of which pair; records are named by keyed hashes alone."""
    with root.catalog() as catalog:
        marks = root.keys.mark("patient", said.left), root.keys.mark("patient", said.right)
        catalog.append([_event(said, marks, run_id, rule, policy_version)])


def _overlay_event(said: OverlayAnswer, mark: str, run_id: str) -> Event:
    return Event("identity.overlay", "identity|overlay", {"record": mark, "run_seq": said.run_seq, "answer": said.answer},
                 actor=said.decided_by, run_id=run_id, detail=said.reason)


def _event(said: Decision, marks: tuple[str, str], run_id: str, rule: str, policy_version: str) -> Event:
    return Event(
        "identity.link" if said.decision == LINK else "identity.unlink", "identity|pair",
        {"left": marks[0], "right": marks[1], "rule": rule, "evidence_version": policy_version},
        actor=said.decided_by, run_id=run_id, detail=said.reason)
