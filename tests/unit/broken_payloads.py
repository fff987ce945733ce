"""Payloads broken in ways that files are broken in: cut, doubled, spliced, bytes changed, marks of the format where they do not belong.

Belongs here: examples of every format and their mutations, each known by its kind, seed and number alone. Does not belong here: what is
asserted of them (`test_decode_hostile.py`).
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.acceptance.golden_cases import OWN, SHIPPED, feed_of, written_out
from tests.acceptance.golden_cases import cases as golden_cases
from tests.case_registry import registry_of_case
from tests.unit.decoding import facility, parquet
from transforms.decode.formats import FORMATS
from transforms.facilities.entry import FacilityEntry

Example = tuple[bytes, FacilityEntry, str]
# Larger examples cost time and find nothing that smaller ones do not.
LARGEST = 8_000
PARQUET_FEED = ("feed: {kind: dms_s3_parquet, table: t, op_column: Op, sequence_column: Q}\n"
                "tables: {t: {resource: observation, primary_key: [A], columns: {A: {}, T: {}, S: {}}}}")
_MARKS = [b"\r", b"\n", b"\r\n", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b'"', b'""', b"\xed\xa0\x80", b"-", b"0" * 400, "\u2028".encode(),
          "\U0010ff80".encode(), b"\x1f", b"\x1a", b"\xff\xff\xff\xff", b"\x80"]
_DELIMITED = [b",", b";", b"|", b"\\", b"a", b"1", b"Op,", b"TRL,1", b"\nTRL,0", b"\r\r", b',"', b'",']
_JSON = [b"{", b"}", b"[", b"]", b":", b"null", b"1e999", b"NaN", b"[" * 300, b'{"a":' * 200, b'{"resourceType":"Bundle","entry":[', b'"entry"', b"\\u0000"]
MARKS = {
    "hl7v2": [*_MARKS, b"|", b"^", b"&", b"~", b"\\", b"MSH|", b"MSH", b"BHS|", b"FHS|^~\\&\r", b"BTS|9", b"FTS|1", b"PID", b"OBX|", b"\x0b", b"\x1c\r",
              b"(" * 200, b"\x85", b"\x0c"],
    "fhir_ndjson": [*_MARKS, *_JSON],
    "debezium_jsonl": [*_MARKS, *_JSON, b'"payload"', b'"op"', b'"schema"', b'\t{'],
    "csv_extract": [*_MARKS, *_DELIMITED],
    "dms_s3_csv": [*_MARKS, *_DELIMITED],
    "dms_s3_parquet": [*_MARKS, b"PAR1", b"\x15\x00", b"\x7f", b"A", b"\x01\x00\x00\x00"],
    "x12": [*_MARKS, b"~", b"*", b"^", b":", b"~\r\n", b"ISA*", b"IEA*1*1~", b"GS*", b"GE*1*1~", b"ST*837*0001~", b"ST*835*1~", b"SE*2*1~", b"CLM*A*1~",
            b"CLP*A*1*1*1~", b"HL*1**20*1~", b"LX*1~", b"PLB*1~", b"ISA*00*"],
    "ccda": [*_MARKS, b"<", b">", b"/>", b"&", b"&amp;", b"&#0;", b"<entry/>", b"<section>", b"</section>", b"<component>", b"<!DOCTYPE a>", b"<!--", b"]]>",
             b"<![CDATA[", b"<?x?>", b"<nonXMLBody/>", b'xmlns=""', b"<a>" * 140, b"<?xml version='1.0' encoding='utf-16'?>", b"xsi:type='PQ'"],
    "dicom": [*_MARKS, b"DICM", b"SQ", b"UN", b"OB\x00\x00", b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0", b"\xfe\xff\x0d\xe0", b"\xe0\x7f\x10\x00",
              b"\x08\x00\x05\x00CS\x06\x00ISO_IR", b"\x20\x00\x0d\x00"],
}


@cache
def examples(kind: str) -> tuple[Example, ...]:
    """Payloads of the golden cases of one kind, with their facility and feed; Parquet files are made."""
    if kind == "dms_s3_parquet":
        entry = facility(PARQUET_FEED)
        columns = {"Op": ["I", "U", "D"], "Q": ["1", "2", None], "A": [1, 2, 3], "T": [None, True, False], "S": [b"a", b"", None]}
        return tuple((parquet({name: columns[name] for name in names}), entry, "feed") for names in (list(columns), ["A"], ["A", "S"], ["S", "Q"]))
    found = []
    for case in golden_cases():
        if case.kind != kind or case.folder.parents[1] not in (SHIPPED, OWN):
            continue
        entry = registry_of_case(case.facility).entries[0]
        with tempfile.TemporaryDirectory() as folder:
            found += [(path.read_bytes(), entry, feed_of(path)) for path in written_out(case, Path(folder))]
    return tuple(example for example in found if 0 < len(example[0]) <= LARGEST)


def mutation(kind: str, seed: int, number: int) -> Example:
    """Mutation `number` of a kind, the same wherever and whenever it is made."""
    chance = random.Random(f"{kind}/{seed}/{number}")
    payload, entry, source = chance.choice(examples(kind))
    if chance.randrange(12) == 0:
        return _noise(kind, payload, chance), entry, source
    return _broken(kind, payload, chance.choice(examples(kind))[0], chance), entry, source


def _noise(kind: str, payload: bytes, chance: random.Random) -> bytes:
    """Marks of the format in any order, alone or behind the beginning of a payload."""
    marks = b"".join(chance.choice(MARKS[kind]) for _ in range(chance.randint(0, 12)))
    lines = payload.splitlines(keepends=True)
    head = b"".join(lines[: chance.randint(0, 2)]) if chance.randrange(2) else payload[: chance.choice((106, 132, 400))]
    return marks if chance.randrange(3) == 0 else head + marks


def _broken(kind: str, payload: bytes, other: bytes, chance: random.Random) -> bytes:
    """The payload after one to four mutations."""
    for _ in range(chance.randint(1, 4)):
        place, end = sorted((chance.randint(0, len(payload)), chance.randint(0, len(payload))))
        form = chance.randrange(6)
        if form == 0:
            payload = payload[:place] if chance.randrange(2) else payload[place:]
        elif form == 1:
            payload = payload[:place] + chance.choice(MARKS[kind]) + payload[place:]
        elif form == 2:
            payload = payload[:place] + payload[end:]
        elif form == 3:
            payload = payload[:end] + payload[place:]
        elif form == 4:
            payload = payload[:place] + other[chance.randint(0, len(other)):]
        elif payload:
            payload = payload[:place] + bytes([chance.randrange(256)]) + payload[place + 1:]
    return payload


def batches(kind: str, seed: int, numbers: range, size: int) -> Iterator[list[tuple[int, Example]]]:
    """Mutations in groups that are decoded together, as deliveries of one run are."""
    assert kind in FORMATS
    for first in range(numbers.start, numbers.stop, size):
        yield [(number, mutation(kind, seed, number)) for number in range(first, min(first + size, numbers.stop))]
