"""The audit log's events: what one says, whether it may be written, and its exact text.

An event says that something happened, never what a record says: its fields are names, codes, counts, dates and
hashes, whose forms leave no room for a sentence. What a person writes (a reason, a note) goes into `detail`, which
the log holds only as a salted hash beside an erasable side table. A patient is named by a keyed HMAC alone.

The kinds are listed in `event_kinds`. Not here: hashing and storing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from transforms.governance.canonical_json import canonical_text
from transforms.governance.event_kinds import EVENT_KINDS

DETAIL_MAX = 4000
_FORMS: dict[str, re.Pattern[str]] = {
    # no spaces: a name or a sentence cannot get in by mistake
    "token": re.compile(r"[A-Za-z0-9_.:/|@+=^*#-]{1,300}"),
    "hash": re.compile(r"[0-9a-f]{16,128}"),
    "hmac": re.compile(r"[0-9a-f]{64}"),
    "date": re.compile(r"\d{4}-\d\d-\d\d"),
    "instant": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z"),
    "base64": re.compile(r"[A-Za-z0-9+/=]{1,1000}"),
}
_LISTS = {"tokens": "token", "dates": "date", "hmacs": "hmac"}
_MAPS = {"versions": "token", "counts": "count"}


@dataclass(frozen=True)
class Event:
    """Something that happened.

    `actor` is a person's account or `system:<part>`; `subject` is what it happened to, `asset|facility|date` for
    partitions; `run_id` may be empty. `detail` is free text by a person, kept outside the hashed entry.
    """

    kind: str
    subject: str
    body: Mapping[str, object] = field(default_factory=dict)
    actor: str = "system:lakehouse"
    run_id: str = ""
    detail: str | None = None


def partition_subject(asset: str, facility_id: str, batch_date: str) -> str:
    """The subject of events about one partition of one asset."""
    return f"{asset}|{facility_id}|{batch_date}"


def validate(event: Event) -> None:
    """Refuse an event that is not on the list or whose fields are not of their forms.

    Raises ValueError naming the kind and the field, never the value.
    """
    kind = EVENT_KINDS.get(event.kind)
    if kind is None:
        raise ValueError(f"unknown event kind {event.kind!r}: kinds are listed in transforms/governance/event_kinds.py")
    for name, text in (("actor", event.actor), ("subject", event.subject), ("run_id", event.run_id or "-")):
        if not _fits("token", text):
            raise ValueError(f"{event.kind}: {name} is not a token")
    unknown = set(event.body) - set(kind.fields)
    if unknown:
        raise ValueError(f"{event.kind}: unknown field {min(unknown)}")
    for name, form in kind.fields.items():
        required, form = not form.endswith("?"), form.rstrip("?")
        if name not in event.body:
            if required:
                raise ValueError(f"{event.kind}: field {name} is missing")
        elif not _fits(form, event.body[name]):
            raise ValueError(f"{event.kind}: field {name} is not of the form {form}")
    if event.detail is not None and len(event.detail) > DETAIL_MAX:
        raise ValueError(f"{event.kind}: detail is longer than {DETAIL_MAX} characters")


def _fits(form: str, value: object) -> bool:
    if form == "count":
        return isinstance(value, int) and not isinstance(value, bool) and value >= 0
    if form == "flag":
        return isinstance(value, bool)
    if form in _LISTS:
        return isinstance(value, (list, tuple)) and all(_fits(_LISTS[form], member) for member in value)
    if form in _MAPS:
        return isinstance(value, dict) and all(_fits("token", k) and _fits(_MAPS[form], v) for k, v in value.items())
    return isinstance(value, str) and _FORMS[form].fullmatch(value) is not None


def entry_text(event: Event, seq: int, time_us: int, detail_hash: str | None) -> str:
    """The exact text that the log hashes: canonical JSON of the event, its ordinal and its time (microseconds,
    UTC).
    """
    entry: dict[str, object] = {
        "seq": seq, "time": time_us, "kind": event.kind, "actor": event.actor, "subject": event.subject,
        "run_id": event.run_id, "body": dict(event.body),
    }
    if detail_hash is not None:
        entry["detail_hash"] = detail_hash
    return canonical_text(entry)


def hash_detail(salt: bytes, detail: str) -> str:
    """What the log keeps of a detail. The salt keeps short texts from being guessed; without it the hash says
    nothing.
    """
    return sha256(salt + detail.encode()).hexdigest()
