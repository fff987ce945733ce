"""Debezium change events: envelopes with and without schema, the wire forms of values, tombstones, positions in the log."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest

from tests.unit.decoding import Outcome, decode, facility
from transforms.decode.debezium import batch
from transforms.decode.debezium import lines as debezium_lines
from transforms.decode.debezium.logical_types import WireType, shown, wire_type_of_contract, wire_type_of_schema

FEED = """feed: {kind: debezium_jsonl, table: dbo.P}
tables: {dbo.P: {resource: patient, primary_key: [A], columns: {A: {type: int}, B: {type: varchar(9)}}}}
"""
ROW = {"A": 1, "B": "x"}


def event(op: str = "c", after: Any = ROW, before: Any = None, key: Any = 1, **source: Any) -> dict[str, Any]:
    """One event beside its key."""
    return {"key": {"A": key}, "value": {"op": op, "after": after, "before": before, "source": {"schema": "dbo", "table": "P", **source}}}


def decoded(*lines: Any) -> Outcome:
    """A file of lines; texts are taken as they are."""
    return decode(facility(FEED), "feed", "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines).encode())


def cells(outcome: Outcome) -> list[dict[str, Any]]:
    """Row images by column name."""
    names = [row["column_name"] for row in outcome.rows("raw_extract__column")]
    return [dict(zip(names, row["cells"], strict=True)) for row in outcome.rows("raw_extract__row")]


@pytest.mark.parametrize("line", [
    event(), event()["value"], {"schema": None, "payload": event()["value"]}, {"key": None, "value": {"schema": {}, "payload": event()["value"]}}])
def test_an_envelope_is_read_alone_beside_its_key_and_with_a_schema(line: Any) -> None:
    """However the converter wrapped it, the row image is the same, and the event is kept as sent."""
    outcome = decoded(line)
    assert outcome.codes() == [None]
    assert cells(outcome) == [{"A": "1", "B": "x"}]
    assert json.loads(outcome.rows("raw_extract__event")[0]["event"]) == line


def test_a_deletion_carries_the_image_before_or_the_key_alone() -> None:
    """Operation `d` has no image after; where the log keeps none before either, the key says which row."""
    outcome = decoded(event("d", None, ROW), event("d", None, None, key=7))
    assert cells(outcome) == [{"A": "1", "B": "x"}, {"A": "7", "B": None}]


def test_columns_are_held_against_the_contract_event_by_event() -> None:
    """A dropped column refuses its event, an added one flags it and is kept."""
    outcome = decoded(event(after={"A": 1}), event(after={**ROW, "C": True}))
    assert outcome.codes() == ["cdc.column_missing", None]
    assert outcome.units[0]["reject_path"] == "line/1#B"
    assert outcome.flags() == [None, "cdc.column_added"]
    assert cells(outcome) == [{"A": "1", "B": "x", "C": "true"}]


@pytest.mark.parametrize("line", ["{", "[]", '{"op": "t", "after": {}}', json.dumps(event(table="Q")), '{"value": {"op": "c"}}', '{"op": "c", "op": "u"}'])
def test_what_is_no_change_of_the_table_is_refused(line: str) -> None:
    """Broken JSON, other operations and other tables refuse the line and nothing beside it."""
    assert decoded(line, event()).codes() == ["payload.unrecognised_format", None]


def test_a_value_that_is_no_text_refuses_its_event_alone() -> None:
    """Half of a surrogate pair is no character: the line is refused, whether it stands in the row or in the key."""
    assert decoded(event(after={"A": 1, "B": "\ud800"}), event(key="\udc00"), event()).codes() == ["payload.unrecognised_format"] * 2 + [None]


ALIKE = [
    *(json.dumps(event(key=number, after={"A": number, "B": text}, commit_lsn=f"0{number}", event_serial_no=number), ensure_ascii=False)
      for number, text in enumerate([None, "x", "O'Neil", "na\u00efve", "null", "{}", "5"])),
    *(json.dumps(event("u", {"A": 2, "B": "y"}, ROW, key=2, commit_lsn="0a")) for _ in range(3)),
    json.dumps(event("d", None, ROW, key=2, commit_lsn="0b")), json.dumps({"key": {"A": 2}, "value": None}), json.dumps({"key": {"A": 2}, "value": None}),
]


@pytest.mark.parametrize("line", [
    ALIKE[1].replace('"B": "x"', '"B": 1.50'), ALIKE[1].replace('"B": "x"', '"B": "a\\"b"'), ALIKE[1].replace('"B": "x"', '"B": {"C": 1}'),
    ALIKE[1].replace('"B": "x"', '"B": [1, "x"]'), ALIKE[1].replace('"B": "x"', '"B": true'), ALIKE[1].replace('"B": "x"', '"B": "x", "B": "x"'),
    ALIKE[1].replace('"A": 1', '"A": NaN'), ALIKE[1].replace('"A": 1', '"A": -0'), ALIKE[1].replace('"A": 1', '"A": 1e2'),
    ALIKE[1].replace('"A": 1', '"A": 12345678901234567890123'), ALIKE[1].replace('"A": 1', '"A": "1"'), ALIKE[1].replace('"A": 1', '"A": 01'),
    ALIKE[1].replace('"B": "x"', '"B": "x",'), ALIKE[1].replace('"x"', '"\t"'), ALIKE[1].replace('"x"', '"\u2028"'), ALIKE[1].replace("dbo", "other"),
    ALIKE[1].replace(": ", ":"), ALIKE[1].replace("}}}", "}}"), ALIKE[1] + " {}", ALIKE[1].replace('"op": "c"', '"op": "t"'),
    ALIKE[1].replace('"x"', '"a, b: {c}, []"'), ALIKE[1].replace('"x"', '"x'), ALIKE[1].replace('"A": 1', '"A": 1x'), ALIKE[1].replace('"A": 1', '"A": nope'),
    ALIKE[1].replace('"x"', '"x" "y"'), ALIKE[1].replace('"x"', '"\\\\"'), ALIKE[1].replace('"x"', "nulx"),
    ALIKE[1].replace('"B": "x"', '"C": "x"'), ALIKE[1].replace('"key"', '"key": 1, "key"'), "[" * 100 + "]" * 100, "null", "{}"])
@pytest.mark.parametrize("batch_bytes", [1, 1 << 20])
def test_a_line_of_a_known_shape_says_what_it_says_alone(line: str, batch_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines read together by their shape give the units, rows and events of lines read one by one, and a line that only resembles them is not
    taken for one of them; also where a batch is one line, so that none of it has a known shape."""
    lines = [*ALIKE, line, *ALIKE[:4]]
    alone = decoded(*lines)
    monkeypatch.setattr(batch, "_FEW", 1)
    monkeypatch.setattr(debezium_lines, "_BATCH_BYTES", batch_bytes)
    together = decoded(*lines)
    assert together.units == alone.units
    for table in ("raw_extract__row", "raw_extract__event", "raw_extract__column"):
        assert together.rows(table) == alone.rows(table)


def test_lines_that_are_alike_are_read_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a file of one table, with nulls here and there and every operation, no line is read alone."""
    monkeypatch.setattr(batch, "_FEW", 1)
    left: list[int] = []
    one_by_one = batch.BatchReader._one_by_one
    monkeypatch.setattr(batch.BatchReader, "_one_by_one", lambda self, lines: (left.append(len(lines)), one_by_one(self, lines))[1])
    assert decoded(*ALIKE, *ALIKE).codes() == [None] * (2 * len(ALIKE))
    assert left == [0]


def test_a_tombstone_sent_again_is_the_same_and_one_after_another_deletion_is_not() -> None:
    """Two tombstones of one key differ by what came before them; the file sent again gives the same contents."""
    lines = [event("d", None, ROW, commit_lsn="0a"), {"key": {"A": 1}, "value": None},
             event("d", None, ROW, commit_lsn="0b"), {"key": {"A": 1}, "value": None}, {"key": {"A": 1}, "value": None}]
    hashes = [unit["content_hash"] for unit in decoded(*lines).units]
    assert hashes[1] != hashes[3] != hashes[4]
    assert hashes == [unit["content_hash"] for unit in decoded(*lines).units]
    assert [row["is_tombstone"] for row in decoded(*lines).rows("raw_extract__event")] == [False, True, False, True, True]


def test_positions_sort_as_text_with_missing_parts_first() -> None:
    """Commit before change before serial number, hexadecimal of any case; a snapshot without position sorts before everything."""
    rows = decoded(event("r"), event(commit_lsn="0A"), event(commit_lsn="0a", change_lsn="01"),
                   event(commit_lsn="0a", change_lsn="01", event_serial_no=2), event(commit_lsn="0a", change_lsn="01", event_serial_no=10)).rows("raw_extract__row")
    positions = [row["sequence"] for row in rows]
    assert positions == sorted(positions)
    assert positions[0] == ""


@pytest.mark.parametrize(("value", "is_number", "name", "scale", "text"), [
    ("3696", True, "io.debezium.time.Date", 0, "1980-02-14"), ("-1", True, "io.debezium.time.Date", 0, "1969-12-31"),
    ("-719162", True, "io.debezium.time.Date", 0, "0001-01-01"), ("2932897", True, "io.debezium.time.Date", 0, "2932897"),
    ("-1", True, "io.debezium.time.NanoTimestamp", 0, "1969-12-31 23:59:59.999999"), ("1.5", True, "io.debezium.time.Timestamp", 0, "1.5"),
    (str(2**63), True, "io.debezium.time.NanoTimestamp", 0, str(2**63)),
    ("1715335200000", True, "io.debezium.time.Timestamp", 0, "2024-05-10 10:00:00"),
    ("1715335200001234000", True, "io.debezium.time.NanoTimestamp", 0, "2024-05-10 10:00:00.001234"),
    ("JU4=", False, "org.apache.kafka.connect.data.Decimal", 2, "95.50"), ("lw==", False, "org.apache.kafka.connect.data.Decimal", 2, "-1.05"),
    ("AIA=", False, "org.apache.kafka.connect.data.Decimal", 2, "1.28"), ("AQAAAAAAAAAAAAAAAA==", False, "org.apache.kafka.connect.data.Decimal", 0, str(2**96)),
    ("no base64!", False, "org.apache.kafka.connect.data.Decimal", 2, "no base64!"), ("JU4=", False, "org.apache.kafka.connect.data.Decimal", 10**9, "JU4="),
    ("AQAA" * 2000, False, "org.apache.kafka.connect.data.Decimal", 0, "AQAA" * 2000), ("9" * 30, True, "io.debezium.time.Date", 0, "9" * 30),
    ("2024-05-10T10:00:00Z", False, "io.debezium.time.ZonedTimestamp", 0, "2024-05-10 10:00:00 +00:00"),
    ("2024-05-10T10:00:00.123456789-03:30", False, "io.debezium.time.ZonedTimestamp", 0, "2024-05-10 10:00:00.1234567 -03:30"),
    ("2024-05-10", False, "io.debezium.time.ZonedTimestamp", 0, "2024-05-10"), ("5", True, "", 0, "5"),
    ('{"scale":"3","value":"JU4="}', False, "io.debezium.data.VariableScaleDecimal", 0, "9.550"),
    ('{"scale":"0","value":"lw=="}', False, "io.debezium.data.VariableScaleDecimal", 2, "-105"),
    ('{"scale":"-2","value":"JU4="}', False, "io.debezium.data.VariableScaleDecimal", 0, '{"scale":"-2","value":"JU4="}'),
    ('{"value":"JU4="}', False, "io.debezium.data.VariableScaleDecimal", 0, '{"value":"JU4="}')])
def test_values_are_shown_as_the_database_shows_them(value: str, is_number: bool, name: str, scale: int, text: str) -> None:
    """Days, fractions of a second and two's complement become dates, times and decimals; what has not its type's form stays."""
    assert shown(pa.array([value, None]), pa.array([is_number, False]), WireType(name, scale)).to_pylist() == [text, None]


@pytest.mark.parametrize(("scale", "wire"), [
    ("2", WireType("org.apache.kafka.connect.data.Decimal", 2)), ("9" * 5000, WireType()), ("-2", WireType()), ("two", WireType())])
def test_a_scale_that_no_column_has_leaves_the_value_as_sent(scale: str, wire: WireType) -> None:
    """SQL Server's scales are 0 to 38: any other would make a wrong number, or a billion zeros."""
    assert wire_type_of_schema({"name": "org.apache.kafka.connect.data.Decimal", "parameters": {"scale": scale}}) == wire


@pytest.mark.parametrize(("column_type", "wire"), [
    ("date", WireType("io.debezium.time.Date")), ("datetime", WireType("io.debezium.time.Timestamp")),
    ("datetime2(3)", WireType("io.debezium.time.Timestamp")), ("datetime2(6)", WireType("io.debezium.time.MicroTimestamp")),
    ("datetime2", WireType("io.debezium.time.NanoTimestamp")), ("decimal(10,2)", WireType("org.apache.kafka.connect.data.Decimal", 2)),
    ("money", WireType("org.apache.kafka.connect.data.Decimal", 4)),
    ("datetimeoffset(7)", WireType("io.debezium.time.ZonedTimestamp")), ("varchar(20)", WireType())])
def test_without_a_schema_the_contract_tells_the_wire_form(column_type: str, wire: WireType) -> None:
    """The connector's default precision mode decides by the SQL Server type."""
    assert wire_type_of_contract(column_type) == wire
