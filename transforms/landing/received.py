"""How many units a payload holds: the payload side of the ledger.

Belongs here: counting by bytes, lines, paths and well-kept libraries, written apart from the decoders on purpose: the ledger
compares the two, and shared code would share its mistakes. Does not belong here: judging units.

What counts: HL7 v2, one from each MSH to the next, and one for each run of segments that no MSH leads; FHIR, one for
each line or Bundle entry; X12, one for each CLM of an 837 and CLP of an 835, and for each transaction set without; C-CDA,
one for each entry of a section, section without entries, or nonXMLBody; DICOM, one file; extracts, one for each row
besides header and trailer; change events, one for each line that is not blank. A payload that is empty or has no recognisable form is one
unit itself.
"""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from collections.abc import Iterator
from itertools import accumulate
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from lxml import etree

from transforms.facilities.entry import Source

_UTF8_BOM = b"\xef\xbb\xbf"
_DEPTH_LIMIT = 128
_UNKNOWN_BYTE = re.compile("[\udc80-\udcff]")
_LAST_PRIVATE_USE = re.compile("[\U0010ff80-\U0010ffff]")
_X12_PADDING = b" \t\r\n\x00\x1a"
_X12_ISA_WIDTHS = [3, 2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 1]
_CDA = "{urn:hl7-org:v3}"
_CDA_PLACES = re.compile("ClinicalDocument/component/(nonXMLBody|structuredBody(?P<section>/component/section)+(?P<entry>/entry)?)")
_CDA_TOO_DEEP = etree.XPath("boolean(" + "/*" * (_DEPTH_LIMIT + 1) + ")")
_STRINGS_AND_OTHERS = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[^{}\[\]"]+', re.DOTALL)


def count_units(kind: str, payload: bytes, source: Source) -> int:
    """Units of a payload of a feed of this kind. KeyError for a kind that is not registered."""
    count = {
        "hl7v2": _count_hl7,
        "fhir_ndjson": _count_fhir,
        "csv_extract": _count_rows,
        "dms_s3_csv": _count_rows,
        "x12": _count_x12,
        "ccda": _count_cda,
        "dms_s3_parquet": _count_parquet,
        "debezium_jsonl": _count_events,
        "dicom": _count_file,
    }[kind]
    return count(payload, source) if payload else 1


def _count_hl7(payload: bytes, source: Source) -> int:
    units, led, recognised = 0, False, False
    body = payload.removeprefix(_UTF8_BOM)
    if body.startswith(b"\v"):  # captured from a socket: VT opens a block, FS closes it
        body = body.replace(b"\v", b"\n").replace(b"\x1c", b"\n")
    for line in body.splitlines():
        if not line:
            continue
        name = line[:3] if not line[3:4].isalnum() else b""
        if name == b"MSH":
            units, led, recognised = units + 1, True, True
        elif name in (b"FHS", b"BHS", b"BTS", b"FTS"):
            led, recognised = False, True
        else:
            recognised = recognised or _resembles_segment(line)
            if not led:  # the first segment of a run that no MSH leads
                units, led = units + 1, True
    return units if recognised else 1


def _resembles_segment(line: bytes) -> bool:
    name, mark = line[:3], line[3:4]
    if len(name) < 3 or not mark or mark.isalnum() or mark.isspace():
        return False
    return name.isascii() and name.isalnum() and name.isupper() and name[:1].isalpha()


def _count_fhir(payload: bytes, source: Source) -> int:
    lines = [line for line in payload.removeprefix(_UTF8_BOM).split(b"\n") if line.strip(b" \t\r")]
    if not any(line.lstrip(b" \t\r")[:1] in (b"{", b"[") for line in lines):
        return 1
    if _depth(lines[0]) <= _DEPTH_LIMIT and not _is_json(lines[0]):
        document = b"\n".join(lines)
        if lines[0].strip(b" \t\r") in (b"{", b"[") or _is_json(document):
            return _count_value(document)
    return sum(_count_value(line) if b"Bundle" in line else 1 for line in lines)


def _is_json(text: bytes) -> bool:
    """Is it JSON that is not nested too deep?"""
    if _depth(text) > _DEPTH_LIMIT:
        return False
    try:
        json.loads(text.decode("utf-8"), parse_int=str, parse_constant=_no_number)
    except ValueError:
        return False
    return True


def _no_number(constant: str) -> None:
    raise ValueError("NaN and Infinity are no JSON numbers")


def _count_value(text: bytes) -> int:
    """Units of one JSON text: the entries of a sound Bundle, else 1."""
    if not _is_json(text):
        return 1
    root = json.loads(text.decode("utf-8"), object_pairs_hook=_Pairs, parse_int=str)
    if not isinstance(root, _Pairs) or root.repeats():
        return 1
    members = dict(root)
    if members.get("resourceType") != "Bundle":
        return 1
    entries = members.pop("entry", [])
    if not isinstance(entries, list) or isinstance(entries, _Pairs) or any(_repeats(v) for v in members.values()):
        return 1
    return len(entries)


class _Pairs(list[tuple[str, Any]]):
    """A JSON object with all its members, repeated ones too."""

    def repeats(self) -> bool:
        return len({name for name, _ in self}) < len(self)


def _repeats(value: Any) -> bool:
    if isinstance(value, _Pairs):
        return value.repeats() or any(_repeats(member) for _, member in value)
    return isinstance(value, list) and any(_repeats(member) for member in value)


def _depth(text: bytes) -> int:
    if text.count(b"{") + text.count(b"[") <= _DEPTH_LIMIT:
        return 0
    brackets = _STRINGS_AND_OTHERS.sub(b"", text)
    return max(accumulate(1 if bracket in b"{[" else -1 for bracket in brackets), default=0)


def _count_parquet(payload: bytes, source: Source) -> int:
    if payload[:4] != b"PAR1":
        return 1
    try:
        file = pq.ParquetFile(io.BytesIO(payload))
        rows = sum(batch.num_rows for batch in file.iter_batches(use_threads=False))
    except (pa.ArrowException, OSError, UnicodeDecodeError):
        return 1
    if rows != file.metadata.num_rows:
        return 1  # a column is not as long as the footer says
    names = file.schema_arrow.names
    known = {column.name for column in source.columns} & set(names)
    return rows if known and (rows or len(set(names)) == len(names)) else 1


def _count_events(payload: bytes, source: Source) -> int:
    lines = [line for line in payload.removeprefix(_UTF8_BOM).split(b"\n") if line.strip(b" \t\r")]
    return len(lines) if any(line.lstrip(b" \t\r").startswith(b"{") for line in lines) else 1


def _count_rows(payload: bytes, source: Source) -> int:
    try:
        text = payload.decode(source.encoding, "surrogateescape").removeprefix("\ufeff")
    except UnicodeError:
        return 1
    if _UNKNOWN_BYTE.search(text) and _LAST_PRIVATE_USE.search(text):
        return 1  # damaged bytes could not be told from the sender's own characters
    csv.field_size_limit(sys.maxsize)
    lines = _Lines(text)
    records = filter(None, csv.reader(lines, delimiter=source.delimiter))
    first, last, count = next(records, None), None, 1
    for last in records:  # noqa: B007 - the last one is asked for behind the loop
        count += 1
    if first is None or (source.header and not _is_header(first, source)):
        return 1
    rows = count - (1 if source.header else 0)
    has_trailer = source.trailer is not None and rows > 0 and (last or first)[0] == source.trailer.prefix
    rows -= 1 if has_trailer else 0
    if rows:
        return rows
    sound = not source.header or _is_sound(first, source)
    if source.trailer is not None:
        sound = sound and has_trailer and _announces_none(lines.last, source, source.trailer.row_count_field)
    return 0 if sound else 1


class _Lines:
    """Lines of a text one by one, so that a large file costs no more than itself; `last` is the last one that is not blank."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.last = ""

    def __iter__(self) -> Iterator[str]:
        for found in re.finditer(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+", self._text):
            if found[0] not in ("\r\n", "\r", "\n"):
                self.last = found[0]
            yield found[0]


def _announces_none(line: str, source: Source, field: int) -> bool:
    cells = next(csv.reader([line], delimiter=source.delimiter))
    count = cells[field - 1].strip() if field <= len(cells) else ""
    return count != "" and set(count) == {"0"}


def _is_header(cells: list[str], source: Source) -> bool:
    """Is the first row readable text that names a contracted column, or is one cell (the wrong delimiter)?"""
    if any(_UNKNOWN_BYTE.match(mark) or (mark < " " and mark != "\t") for cell in cells for mark in cell):
        return False
    return (len(cells) == 1 and cells[0].strip() != "") or not {c.name for c in source.columns}.isdisjoint(cells)


def _is_sound(cells: list[str], source: Source) -> bool:
    """Are the column names distinct and apart?"""
    names = {column.name for column in source.columns}
    return len(set(cells)) == len(cells) and (len(cells) > 1 or names == set(cells))


def _count_file(payload: bytes, source: Source) -> int:
    return 1


def _count_x12(payload: bytes, source: Source) -> int:
    rest, units = payload.removeprefix(_UTF8_BOM).lstrip(_X12_PADDING), 0
    if not rest.startswith(b"ISA"):
        return 1
    while rest:
        if not _is_interchange(rest):
            return units + 1  # whatever is left cannot be read
        ending, separator = rest[105:106], rest[3:4]
        interchange, closed, rest = _split_interchange(rest, ending, separator)
        found = _count_sets([line.lstrip(b"\r\n").split(separator) for line in interchange.split(ending)])
        units += found or (0 if closed else 1)
    return units


def _is_interchange(content: bytes) -> bool:
    if len(content) <= 105:
        return False
    fields = content[:105].split(content[3:4])
    return [len(one) for one in fields] == _X12_ISA_WIDTHS and not content[105:106].isalnum()


def _split_interchange(content: bytes, ending: bytes, separator: bytes) -> tuple[bytes, bool, bytes]:
    """The first interchange, whether a trailer ends it, and what follows."""
    lines = re.compile(re.escape(ending) + rb"[\r\n]*")
    place = 105
    while (found := lines.search(content, place)) is not None:
        name = content[found.end() : found.end() + 4]
        if name == b"IEA" + separator:
            end = content.find(ending, found.end())
            end = len(content) if end < 0 else end + 1
            return content[:end], True, content[end:].lstrip(_X12_PADDING)
        if name == b"ISA" + separator:
            return content[: found.end()], False, content[found.end() :]
        place = found.start() + 1
    return content, False, b""


def _count_sets(segments: list[list[bytes]]) -> int:
    """Claims and claim payments, and sets without any."""
    units, counted, kind, is_open = 0, 0, b"", False
    for segment in [*segments, [b"IEA"]]:
        name = segment[0]
        if is_open and name in (b"ST", b"GS", b"GE", b"IEA", b"ISA", b"SE"):
            units, is_open = units + max(counted, 1), False
        if name == b"ST":
            counted, kind, is_open = 0, segment[1] if len(segment) > 1 else b"", True
        elif is_open and (kind, name) in ((b"837", b"CLM"), (b"835", b"CLP")):
            counted += 1
    return units


def _count_cda(payload: bytes, source: Source) -> int:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(payload, parser)
    except etree.XMLSyntaxError:
        return 1
    if root.getroottree().docinfo.doctype or _CDA_TOO_DEEP(root) or root.tag != f"{_CDA}ClinicalDocument":
        return 1  # refused whole
    units = 0
    for element in root.iter(f"{_CDA}nonXMLBody", f"{_CDA}section", f"{_CDA}entry"):
        if (place := _CDA_PLACES.fullmatch(_cda_path(element))) is not None:
            units += place["section"] is None or place["entry"] is not None or element.find(f"{_CDA}entry") is None
    return max(units, 1)


def _cda_path(element: Any) -> str:
    """Names from the root down to an element; a name of another namespace fits no pattern."""
    return "/".join(reversed([element.tag.removeprefix(_CDA), *(one.tag.removeprefix(_CDA) for one in element.iterancestors())]))
