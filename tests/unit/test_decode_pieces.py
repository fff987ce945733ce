"""Formats of lines read piece by piece: where a block or a piece ends plays no part in what comes of a payload."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pyarrow as pa
import pytest

from tests.unit.broken_payloads import mutation
from tests.unit.decoding import facility
from transforms.decode.contract import Delivered
from transforms.decode.debezium import decode as debezium
from transforms.decode.debezium import lines as debezium_lines
from transforms.decode.extract import grid, piece, rest
from transforms.decode.fhir import decode as fhir
from transforms.decode.formats import FORMATS
from transforms.decode.hl7v2 import decode as hl7v2
from transforms.decode.hl7v2 import framing
from transforms.facilities.entry import FacilityEntry
from transforms.landing import payload as limits
from transforms.landing.payload import Payload
from transforms.landing.received import fhir as received_fhir
from transforms.landing.received import rows as received_rows

LIMITS: list[tuple[Any, str]] = [
    (debezium, "PIECE_BYTES"), (debezium_lines, "_BATCH_BYTES"), (fhir, "PIECE_BYTES"), (grid, "BLOCK_BYTES"), (rest, "BLOCK_BYTES"), (hl7v2, "_PIECE_BYTES"), (framing, "_PART_BYTES"),
    (framing, "_LARGEST_PART"),
]
PLAIN = "feed: {kind: csv_extract, resource: patient, key: [A], encoding: utf-8, columns: {A: {}, B: {}}}"
TRAILER = PLAIN.replace("key:", "trailer: {prefix: TRL, row_count_field: 2}, key:")


def in_blocks(content: bytes, length: int) -> Payload:
    """A payload that is read in blocks of a length."""
    return Payload(len(content), lambda: (content[start : start + length] for start in range(0, len(content), length)))


def outcome(kind: str, payload: Payload, entry: FacilityEntry, source: str) -> tuple[object, ...]:
    """Units, rows and the count of one payload, in an order of their own."""
    feed = entry.sources[source]
    decoded = FORMATS[kind].decode([Delivered("d" * 32, payload, feed, entry)])
    tables = [rows_of(table) for table in (decoded.units, *decoded.records.values())]
    return tables, FORMATS[kind].count_units(payload, feed)


def rows_of(table: pa.Table) -> list[str]:
    """Rows as texts, sorted. Cells that no row has yet where a piece ends are null at a row's end, as they are in a longer row."""
    return sorted(json.dumps({name: trimmed(value) for name, value in row.items()}) for row in table.to_pylist())


def trimmed(value: object) -> object:
    """A list without the nulls at its end."""
    while isinstance(value, list) and value and value[-1] is None:
        value = value[:-1]
    return value


@pytest.mark.parametrize("piece", [60, 200])
@pytest.mark.parametrize("kind", sorted(kind for kind, one in FORMATS.items() if one.has_lines))
def test_where_a_piece_ends_does_not_matter(kind: str, piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A payload read in many small pieces gives the units, rows and count of one read whole, broken payloads too."""
    for number in (*range(200), 1916, 3722, 3867):
        content, entry, source = mutation(kind, 5, number)
        whole = outcome(kind, Payload.of(content), entry, source)
        with monkeypatch.context() as patched:
            for module, name in LIMITS:
                patched.setattr(module, name, piece)
            assert outcome(kind, in_blocks(content, piece // 8), entry, source) == whole, f"{kind}, mutation {number}"


@pytest.mark.parametrize(("feed", "content", "codes"), [
    (PLAIN, b'A,B\n1,2\n3,"4\n' + b"5,6\n" * 400, [None, "csv.unterminated_quote"]),
    (PLAIN, b"A,B\n1,2\n3,4\n" + b"5" * 2_000 + b",6\n7,8\n", [None, None, "csv.unterminated_quote"]),
    (TRAILER, b'A,B\n1,2\n3,"4\n' + b"5,6\n" * 400 + b"TRL,2\n", ["csv.control_total_mismatch"] * 2),
    (PLAIN, b'"' + b"A,B\n" * 500, ["payload.unrecognised_format"]),
])
def test_what_is_too_large_for_a_field_takes_the_rest_with_it(
    feed: str, content: bytes, codes: list[str | None], monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A quote that is never closed is not held to the end of a large file: the rows before it are good, the rest is one unit."""
    for module, name in ((grid, "BLOCK_BYTES"), (rest, "BLOCK_BYTES"), (rest, "LARGE_BLOCK_BYTES"), (piece, "FIELD_LIMIT"), (received_rows, "FIELD_LIMIT")):
        monkeypatch.setattr(module, name, 300)
    entry = facility(feed)
    delivered = Delivered("d" * 32, in_blocks(content, 100), entry.sources["feed"], entry)
    units = FORMATS["csv_extract"].decode([delivered]).units.to_pylist()
    assert [unit["reject_code"] for unit in sorted(units, key=lambda unit: int(unit["unit_ordinal"]))] == codes
    assert FORMATS["csv_extract"].count_units(delivered.payload, delivered.source) == len(codes)


@pytest.mark.parametrize(("kind", "source", "content"), [
    ("x12", "x12", b"ISA*00*"), ("ccda", "ccda", b"<ClinicalDocument/>"), ("dicom", "dicom", b"x"), ("fhir_ndjson", "fhir", b'{\n"resourceType":"Patient"\n}'),
])
def test_what_must_be_read_whole_has_a_limit(kind: str, source: str, content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """A payload above the limit of formats that are read whole is one unit, refused by that name, and is never held."""
    from transforms.decode import formats
    from transforms.landing.received import units as received_units

    for module in (limits, formats, fhir, received_units, received_fhir):
        monkeypatch.setattr(module, "WHOLE_LIMIT", len(content) - 1)
    entry = facility()
    payload = in_blocks(content, 4)
    monkeypatch.setattr(Payload, "content", partial(pytest.fail, "held as a whole"))
    units = FORMATS[kind].decode([Delivered("d" * 32, payload, entry.sources[source], entry)]).units
    assert units["reject_code"].to_pylist() == ["payload.too_large"]
    assert FORMATS[kind].count_units(payload, entry.sources[source]) == 1


@pytest.mark.parametrize("read", [Payload.lines, Payload.blocks], ids=["lines", "blocks"])
@pytest.mark.parametrize("content", [b"", b"\n", b"a", b"a\nbc\n\nd", b"a\r\nb\n"])
def test_a_payload_is_the_same_in_blocks(content: bytes, read: Callable[[Payload], Any]) -> None:
    """Lines and bytes of a payload do not depend on the blocks that it comes in."""
    for length in (1, 2, 3, 100):
        found = list(read(in_blocks(content, length)))
        assert (found if read is Payload.lines else b"".join(found)) == (content.split(b"\n") if read is Payload.lines else content)
