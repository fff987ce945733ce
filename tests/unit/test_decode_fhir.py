"""The FHIR decoder: lines and Bundle entries become resources with their text as sent, or are held one by one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.decoding import Outcome, decode, facility

PATIENT = '{"resourceType":"Patient","id":"p1","meta":{"versionId":"1","lastUpdated":"2024-05-01T10:00:00Z"},"gender":"male"}'


def run(text: str | bytes) -> Outcome:
    """Decode a payload; both counts of units must agree."""
    outcome = decode(facility(), "fhir", text if isinstance(text, bytes) else text.encode())
    assert outcome.received == len(outcome.units)
    return outcome


def nested(levels: int) -> str:
    """JSON text of that many nested arrays in an object."""
    return '{"resourceType":"Basic","x":' + "[" * (levels - 1) + "]" * (levels - 1) + "}"


def test_a_line_is_a_resource_with_its_text_as_sent() -> None:
    """Spaces, order of names and the spelling of numbers stay in `resource`; id and meta are beside it."""
    text = '{"id" : "o1",  "resourceType":"Observation","valueQuantity":{"value":1.10},"meta":{"versionId":"7"}}'
    assert run("\ufeff" + text + "\n").rows("raw_fhir__resource") == [
        {
            "delivery_id": "d" * 32, "unit_ordinal": 1, "record_locator": "line/1", "resource_type": "Observation", "id": "o1",
            "version_id": "7", "is_deleted": False, "resource": text,
        }
    ]  # fmt: skip


def test_one_bad_line_holds_itself_alone() -> None:
    """Empty lines are no units, a cut line is held, its neighbours pass; line numbers are those of the file."""
    outcome = run(PATIENT + '\n{"resourceType":"Obs\n\n' + PATIENT.replace("p1", "p2"))
    assert outcome.codes() == [None, "fhir.invalid_json", None]
    assert [unit["unit_locator"] for unit in outcome.units] == ["line/1", "line/2", "line/4"]
    assert [unit["record_type"] for unit in outcome.units] == ["Patient", "unknown", "Patient"]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('{"resourceType":"Patient","a":1,"a":2}', "fhir.duplicate_json_key"),
        ('{"resourceType":"Patient","x":[{"b":{"a":1,"c":2,"a":1}}]}', "fhir.duplicate_json_key"),
        ('{"resourceType":"Basic","x":{"a":1},"y":{"a":1}}', None),
        ('{"id":"x1"}', "fhir.missing_resource_type"),
        ('{"resourceType":7}', "fhir.missing_resource_type"),
        ("[1]", "fhir.missing_resource_type"),
        ('{"resourceType":"Patient","x":NaN}', "fhir.invalid_json"),
        ('{"resourceType":"Basic","x":1e999,"y":' + "9" * 5000 + "}", None),
        ('{"resourceType":"Patient","x":"\\ud800"}', "fhir.invalid_json"),
        ('{"resourceType":"Basic","x":"\\ud83d\\ude00"}', None),
        ('{"resourceType":"Patient",}', "fhir.invalid_json"),
        (nested(128), None),
        (nested(129), "payload.nesting_too_deep"),
        (nested(50_000), "payload.nesting_too_deep"),
        ('{"resourceType":"Basic","x":"' + "[" * 200 + '\\"{"}', None),
    ],
)
def test_a_line_is_judged_by_its_form(line: str, code: str | None) -> None:
    """RFC 8259 decides what is JSON, at most 128 levels deep, without repeated names; FHIR wants a resourceType."""
    outcome = run(PATIENT + "\n" + line)
    assert outcome.codes() == [None, code]
    assert len(outcome.rows("raw_fhir__resource")) == (1 if code else 2)


def test_a_deep_line_never_makes_one_text_of_its_neighbours() -> None:
    """A cut first line, a good one and a nesting bomb are three units; a bomb that opens over several lines is one."""
    assert run("\n".join(['{"resourceType":"Pat', PATIENT, nested(200)])).codes() == ["fhir.invalid_json", None, "payload.nesting_too_deep"]
    assert run("{\n" + nested(200)[1:]).codes() == ["payload.nesting_too_deep"]


def test_a_document_with_a_lone_surrogate_in_bytes_is_one_unit() -> None:
    """Bytes that Python would pass as a surrogate are no UTF-8: the Bundle cannot be read, and is not counted by entries."""
    document = '{\n"resourceType":"Bundle","entry":[{"resource":' + PATIENT + '},{"resource":' + PATIENT + "}]}"
    assert run(document.encode().replace(b"male", b"ma\xed\xa0\x80le")).codes() == ["fhir.invalid_json"]


def test_bytes_that_are_not_utf_8_hold_their_line() -> None:
    """JSON is UTF-8 (RFC 8259 s8.1); another character set is not guessed."""
    assert run(PATIENT.encode() + b'\n{"resourceType":"Patient","x":"\xd1"}').codes() == [None, "fhir.invalid_json"]


@pytest.mark.parametrize(
    ("payload", "code"),
    [("", "payload.empty"), ("<xml/>\n", "payload.unrecognised_format"), (" \n", "payload.unrecognised_format")],
)
def test_what_has_no_json_line_is_one_payload_unit(payload: str, code: str) -> None:
    """A payload without any line that could begin JSON is a unit itself."""
    outcome = run(payload)
    assert (outcome.codes(), outcome.units[0]["unit_kind"]) == ([code], "payload")


def bundle(*entries: str, **members: Any) -> str:
    """A Bundle with the entries' texts."""
    head = json.dumps({"resourceType": "Bundle", **members})[:-1]
    return f'{head},"entry":[{",".join(entries)}]}}'


@pytest.mark.parametrize("indent", [None, 1])
def test_bundle_entries_are_units_and_the_bundle_is_none(indent: int | None) -> None:
    """A Bundle on one line or over many gives its entries, with fullUrl and the resource's own text."""
    entry = {"fullUrl": "urn:uuid:1", "resource": json.loads(PATIENT), "request": {"method": "POST", "url": "Patient"}}
    text = json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": [entry, entry]}, indent=indent)
    outcome = run(text)
    rows = outcome.rows("raw_fhir__resource")
    where = "line/1" if indent is None else "document"
    assert [row["record_locator"] for row in rows] == [f"{where}#/entry/0", f"{where}#/entry/1"]
    assert rows[0]["full_url"] == "urn:uuid:1"
    assert rows[0]["resource"] in text
    assert json.loads(rows[0]["resource"]) == json.loads(PATIENT)


@pytest.mark.parametrize(
    ("url", "resource_type", "resource_id"),
    [("Observation/o1", "Observation", "o1"), ("https://ehr.example.org/r4/Observation/o1", "Observation", "o1"),
     ("Observation?code=x/y", "Observation", None)],
)  # fmt: skip
def test_a_delete_request_is_a_deletion(url: str, resource_type: str, resource_id: str | None) -> None:
    """The entry names type and id, the Bundle the time; the entry's text is kept."""
    entry = json.dumps({"request": {"method": "DELETE", "url": url}})
    row = run(bundle(entry, meta={"lastUpdated": "2024-05-09T00:00:00Z"})).rows("raw_fhir__resource")[0]
    assert (row["resource_type"], row.get("id"), row["is_deleted"]) == (resource_type, resource_id, True)
    assert (row["last_updated"], row["resource"]) == ("2024-05-09T00:00:00Z", entry)


@pytest.mark.parametrize(("response", "members", "when"), [
    ({"lastModified": "2024-05-03T00:00:00Z"}, {"meta": {"lastUpdated": "2024-05-09T00:00:00Z"}}, "2024-05-03T00:00:00Z"),
    ({}, {"timestamp": "2024-05-08T00:00:00Z"}, "2024-05-08T00:00:00Z"),
    ({}, {"timestamp": "2024-05-08T00:00:00Z", "meta": {"lastUpdated": "2024-05-09T00:00:00Z"}}, "2024-05-09T00:00:00Z"),
])
def test_when_something_was_deleted(response: dict[str, str], members: dict[str, Any], when: str) -> None:
    """A history says it of each entry (Bundle.entry.response.lastModified); else the Bundle was updated then, or put together."""
    entry = json.dumps({"request": {"method": "DELETE", "url": "Condition/c1"}, "response": response})
    assert run(bundle(entry, **members)).rows("raw_fhir__resource")[0]["last_updated"] == when


def test_entries_are_judged_singly() -> None:
    """A repeated name, a lone surrogate, an entry without resource or target holds that entry alone."""
    outcome = run(
        bundle(
            f'{{"resource":{PATIENT}}}', '{"resource":{"resourceType":"Patient","a":1,"a":2}}', '{"fullUrl":"urn:uuid:1"}',
            '{"resource":{"resourceType":"Patient","x":"\\ud800"}}', '{"request":{"method":"DELETE","url":"?x"}}',
            '{"fullUrl":"\\udfff","resource":{"resourceType":"Patient"}}', "7",
        )
    )  # fmt: skip
    assert outcome.codes() == [
        None, "fhir.duplicate_json_key", "fhir.missing_resource_type", "fhir.invalid_json", "fhir.missing_resource_type",
        "fhir.invalid_json", "fhir.missing_resource_type",
    ]  # fmt: skip


def test_a_bundle_whose_own_names_repeat_is_held_whole() -> None:
    """Which of two `entry` members is meant cannot be told."""
    assert run('{"resourceType":"Bundle","entry":[{}],"entry":[]}').codes() == ["fhir.duplicate_json_key"]


def test_content_is_equal_for_equal_json_with_equal_numbers() -> None:
    """Spaces and the order of names are no content; the spelling of a number is (FHIR R4: precision is significant)."""
    texts = [
        '{"resourceType":"Basic","x":1.10,"y":"z"}', ' { "y":"z", "x": 1.10,\t"resourceType":"Basic"}',
        '{"resourceType":"Basic","x":1.1,"y":"z"}', '{"resourceType":"Basic","x":"1.10","y":"z"}',
    ]  # fmt: skip
    hashes = [unit["content_hash"] for unit in run("\n".join(texts)).units]
    assert hashes[0] == hashes[1]
    assert len(set(hashes)) == 3


TEXT = st.text(st.characters(codec="utf-8"), max_size=5)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=50, deadline=None)
@given(st.lists(JSON, max_size=4), st.booleans(), st.sampled_from([None, 1]))
def test_raw_rebuilds_every_resource(values: list[Any], as_bundle: bool, indent: int | None) -> None:
    """Each resource comes back out of raw as equal JSON, in order, from lines and from a Bundle."""
    resources = [{"resourceType": "Basic", "x": value} for value in values]
    if as_bundle:
        text = json.dumps({"entry": [{"resource": r, "fullUrl": "u"} for r in resources], "resourceType": "Bundle"}, indent=indent)
    else:
        text = "\n".join([PATIENT, *(json.dumps(r, ensure_ascii=False) for r in resources)])
    rows = sorted(run(text).rows("raw_fhir__resource"), key=lambda row: int(row["unit_ordinal"]))
    assert [json.loads(row["resource"]) for row in rows] == ([] if as_bundle else [json.loads(PATIENT)]) + resources
