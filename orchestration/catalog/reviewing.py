"""The review queue over a data root: who may open it, what it shows, and decisions that are carried out and audited.

The warehouse is opened for one question and closed again. A look at a pair is in the audit log before a value is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from assets.root import Root
from assets.stores.identity import utc_now
from assets.stores.identity_decisions import Decision, newest_decision
from assets.stores.identity_overlay_answers import OverlayAnswer, contents, linked_records, overlay_counts, overlay_raised, overlays
from assets.stores.identity_questions import incomparable, pair_evidence
from assets.stores.identity_review import Opinions, open_pairs, opinions_for, pair_records, queue
from orchestration.asking import PAGE_SECONDS, ask_warehouse
from orchestration.settings import Settings
from orchestration.stewards import Stewards
from orchestration.stewardship import answer_overlay, decide
from transforms.governance.events import Event
from transforms.identity.evidence import waterfall
from transforms.identity.model import load_model

PHI_LEVEL = 3
Row = Mapping[str, object]


@dataclass(frozen=True)
class Queue:
    """What waits: `rules` (asked_by, waiting, since, linked, kept_apart) and `pairs`, likeliest first; how many records have nothing to
    compare, so that nobody is ever asked about them; `overlays` that wait, newest first, and how many wait or were answered how."""

    rules: Sequence[Row]
    pairs: Sequence[Row]
    incomparable: int = 0
    overlays: Sequence[Row] = ()
    overlay_counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Pair:
    """Two records side by side: what they say, the edge with its levels (None: no evidence kept), the score's waterfall, the decision that
    holds, what the steward may know of opinions that wait for another, and the reason of the edge's veto as the policy says it."""

    records: Sequence[Row]
    edge: Row | None
    steps: Sequence[Row]
    decided: Row | None
    opinions: Opinions = Opinions()
    veto_reason: str = ""


@dataclass(frozen=True)
class Overlaid:
    """An overlay with its record's link and answer, what the record's messages said, newest first, and whom it shares its person with."""

    overlay: Row
    contents: Sequence[Row]
    linked: Sequence[Row] = ()


@dataclass(frozen=True)
class Reviewer:
    """What answers the review pages. `who`: the steward whom an `Authorization` header proves. `look` and `look_overlay` record the access
    of that steward. `decide` and `answer` give the sentence to be shown."""

    who: Callable[[str | None], str | None]
    queue: Callable[[int], Queue]
    look: Callable[[str, str, str], Pair]
    decide: Callable[[Decision], str]
    look_overlay: Callable[[str, int, str], Overlaid]
    answer: Callable[[OverlayAnswer], str]
    reviewers: int = 1


def warehouse_reviewer(root: Root, settings: Settings) -> Reviewer:
    """Reviews in the root's warehouse by the stewards of the root."""
    return Reviewer(
        Stewards(root.home).who, lambda limit: _queue(root, limit), lambda left, right, steward: _look(root, left, right, steward),
        lambda said: _decide(root, settings, said), lambda key, run, steward: _look_overlay(root, key, run, steward),
        lambda said: f"Answer {answer_overlay(root, settings, said)} is recorded.", settings.identity_reviewers)


def _queue(root: Root, limit: int) -> Queue:
    with ask_warehouse(root, PAGE_SECONDS) as warehouse:
        return Queue(queue(warehouse), open_pairs(warehouse, limit), incomparable(warehouse), overlays(warehouse, limit),
                     overlay_counts(warehouse))


def _look_overlay(root: Root, patient_key: str, run_seq: int, steward: str) -> Overlaid:
    with ask_warehouse(root, PAGE_SECONDS) as warehouse:
        raised = overlay_raised(warehouse, patient_key, run_seq)
        found = Overlaid(raised, contents(warehouse, patient_key), linked_records(warehouse, patient_key))
    _record(root, (patient_key,), steward, "identity.overlay")
    return found


def _look(root: Root, left: str, right: str, steward: str) -> Pair:
    left, right = sorted((left, right))
    with ask_warehouse(root, PAGE_SECONDS) as warehouse:
        records = pair_records(warehouse, left, right)
        edge = pair_evidence(warehouse, left, right)
        decided, opinions = newest_decision(warehouse, left, right), opinions_for(warehouse, left, right, steward)
    score = edge["score"] if edge else None
    steps = waterfall(load_model(root.identity_model), edge, float(str(score)) if score is not None else None) if edge else []
    _record(root, (left, right), steward)
    reason = root.policy(utc_now().date()).veto_reason(edge["veto"]) if edge else ""
    return Pair(records, edge, steps, decided, opinions, reason)


def _decide(root: Root, settings: Settings, said: Decision) -> str:
    done = decide(root, settings, said)
    if done is None:
        return f"Your opinion is kept. It is carried out when {settings.identity_reviewers} stewards say the same."
    number, resolution = done
    return f"Decision {number} is carried out: {resolution.moved} records changed their person."


def _record(root: Root, keys: Sequence[str], steward: str, product: str = "identity.review_pair") -> None:
    """Write who looked at whom: one entry a record, named by its mark."""
    with root.catalog() as catalog:
        catalog.append([
            Event("access.view", product, {
                "role": "steward", "purpose": "identity-review", "product": product, "granted": True, "phi_level": PHI_LEVEL,
                "rows": 1, "patient": root.keys.mark("patient", key),
            }, actor=f"user:{steward}")
            for key in keys
        ])
