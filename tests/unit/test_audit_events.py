"""Events: the closed list, the forms that leave no room for patient values, and the exact text of an entry."""

from __future__ import annotations

import json

import pytest

from transforms.governance.canonical_json import canonical_text
from transforms.governance.event_kinds import EVENT_KINDS
from transforms.governance.events import Event, entry_text, hash_detail, validate

CHECK = {
    "facility_id": "riverside", "batch_date": "2026-01-02", "asset": "canonical.observation_version",
    "check": "null_rate", "severity": "blocking", "status": "failed", "failed_rows": 3, "total_rows": 1204,
}


def test_a_whole_event_is_accepted() -> None:
    """An event with all fields in their forms passes."""
    validate(Event("check", "canonical.observation_version|riverside|2026-01-02", CHECK, run_id="r1"))


@pytest.mark.parametrize(("change", "named"), [
    ({"status": "Mary Jones"}, "status"),
    ({"failed_rows": -1}, "failed_rows"),
    ({"failed_rows": True}, "failed_rows"),
    ({"failed_rows": 1.5}, "failed_rows"),
    ({"batch_date": "02/01/2026"}, "batch_date"),
    ({"value": "x"}, "value"),
])
def test_a_field_of_another_form_is_refused(change: dict[str, object], named: str) -> None:
    """Sentences, negative counts, foreign dates and unknown fields are refused, by name and without their value."""
    with pytest.raises(ValueError, match=named) as refused:
        validate(Event("check", "a|b|c", {**CHECK, **change}))
    assert "Jones" not in str(refused.value)


def test_unknown_kind_and_missing_field() -> None:
    """A kind that is not on the list, and a field that is missing, are refused."""
    with pytest.raises(ValueError, match="unknown event kind"):
        validate(Event("patient.note", "x"))
    with pytest.raises(ValueError, match="status is missing"):
        validate(Event("check", "x", {key: value for key, value in CHECK.items() if key != "status"}))


def test_subject_cannot_hold_a_sentence() -> None:
    """The subject is a name without spaces."""
    with pytest.raises(ValueError, match="subject"):
        validate(Event("detail.erase", "Mary Jones", {"entry": 1}))


def test_every_kind_has_known_forms() -> None:
    """Every field of every kind is of a form that validation knows."""
    for kind in EVENT_KINDS.values():
        for name in kind.fields:
            with pytest.raises(ValueError, match=name):
                validate(Event(kind.name, "x", {**{n: None for n in kind.fields}, name: object()}))
            break


def test_entry_text_is_canonical() -> None:
    """The text has sorted keys, no spaces, and reads back to what was said."""
    text = entry_text(Event("detail.erase", "entry:7", {"entry": 7}, actor="user:amy"), 9, 1_700_000_000_000_000, None)
    assert text == (
        '{"actor":"user:amy","body":{"entry":7},"kind":"detail.erase","run_id":"","seq":9,"subject":"entry:7",'
        '"time":1700000000000000}')
    assert json.loads(text)["seq"] == 9


@pytest.mark.parametrize("value", [1.5, 2**53, {"a": float("nan")}, ["\ud800"], {"\u00e9": 1}, {1: 2}])
def test_what_has_no_canonical_form(value: object) -> None:
    """Floats, integers beyond 2^53 - 1, lone surrogates and keys outside ASCII are refused."""
    with pytest.raises(ValueError, match=r"canonical|integer|surrogate|ASCII"):
        canonical_text(value)


def test_canonical_text_of_rfc_8785() -> None:
    """The string example of RFC 8785 s3.2.2.2: escapes as short as they can be, everything else as it is."""
    assert canonical_text('\u20ac$\u000F\nA\'B"\\\\"/') == '"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'


def test_detail_hash_needs_the_salt() -> None:
    """The same detail under another salt has another hash, so a short detail cannot be guessed from the log."""
    assert hash_detail(b"0" * 16, "wrong release") != hash_detail(b"1" * 16, "wrong release")
