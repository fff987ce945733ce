"""Decoders under hostile input: nothing raises, nothing hangs, and every unit received is accounted for.

The payloads are those of the golden cases, broken in ways that files are broken in: cut, doubled, spliced, bytes changed, marks of
the format put where they do not belong. `LAKEHOUSE_FUZZ_SECONDS` gives each format more time than the few seconds of CI, which are
always spent on the same mutations.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.case_registry import PLAIN_FEEDS, registry_of_case
from transforms.decode.contract import Delivered
from transforms.decode.formats import FORMATS
from transforms.facilities.entry import FacilityEntry

CASES = Path(__file__).parents[1] / "acceptance" / "cases"
FOLDERS = {"hl7v2": "hl7v2", "fhir_ndjson": "fhir", "csv_extract": "csv", "dms_s3_csv": "cdc", "debezium_jsonl": "cdc"}
SECONDS = float(os.environ.get("LAKEHOUSE_FUZZ_SECONDS", "2"))
# A hundred mutations of each format, or as many as the setting gives time for.
AT_LEAST = 100
LARGEST = 100_000
MARKS = [b"\r", b"\n", b"\r\n", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\x0b", b"\x1c\r", b'"', b'""', b"\\", b",", b";", b"|", b"^", b"&", b"~",
         b"{", b"}", b"[", b"]", b":", b"null", b"MSH|", b"MSH", b"BHS|", b"BTS|9", b"FTS|1", b"PID", b"Op,", b'{"resourceType":"Bundle","entry":[',
         b"\xed\xa0\x80", b"1e999", b"-", b"0" * 400, b"(" * 200, b"[" * 300, "\u2028".encode(), "\U0010ff80".encode()]


@cache
def _examples(kind: str) -> tuple[tuple[bytes, FacilityEntry, str], ...]:
    """Payloads of the golden cases of one kind, with their facility and feed."""
    found = []
    for folder in sorted((CASES / FOLDERS[kind]).iterdir()):
        entry = registry_of_case((folder / "facility.yaml").read_text(encoding="utf-8")).entries[0]
        source = PLAIN_FEEDS.get(kind, "feed")
        if source in entry.sources and entry.sources[source].kind == kind:
            found += [(path.read_bytes(), entry, source) for path in sorted(folder.glob("input.*")) if path.suffix != ".json" or kind == "fhir_ndjson"]
    return tuple(example for example in found if len(example[0]) <= LARGEST)


def _broken(payload: bytes, other: bytes, chance: random.Random) -> bytes:
    """The payload after one to four mutations."""
    for _ in range(chance.randint(1, 4)):
        place, end = sorted((chance.randint(0, len(payload)), chance.randint(0, len(payload))))
        kind = chance.randrange(6)
        if kind == 0:
            payload = payload[:place]
        elif kind == 1:
            payload = payload[:place] + chance.choice(MARKS) + payload[place:]
        elif kind == 2:
            payload = payload[:place] + payload[end:]
        elif kind == 3:
            payload = payload[:end] + payload[place:]
        elif kind == 4:
            payload = payload[:place] + other[chance.randint(0, len(other)):]
        elif payload:
            payload = payload[:place] + bytes([chance.randrange(256)]) + payload[place + 1:]
    return payload


def _mutations(kind: str) -> Iterator[tuple[int, bytes, FacilityEntry, str]]:
    examples, started = _examples(kind), time.monotonic()
    for number in range(1_000_000):
        if number >= AT_LEAST and time.monotonic() - started > SECONDS:
            return
        chance = random.Random(number)
        payload, entry, source = chance.choice(examples)
        yield number, _broken(payload, chance.choice(examples)[0], chance), entry, source


@pytest.mark.parametrize("kind", sorted(FOLDERS))
def test_broken_payloads_are_units_all_the_same(kind: str) -> None:
    """Whatever is broken in a payload, the decoder gives as many units as are counted in its bytes, each with one ordinal."""
    for number, payload, entry, source in _mutations(kind):
        feed = entry.sources[source]
        units = FORMATS[kind].decode([Delivered("d" * 32, payload, feed, entry)]).units
        received = FORMATS[kind].count_units(payload, feed)
        assert units.num_rows == received, f"{kind}, mutation {number}: {units.num_rows} units, {received} counted"
        assert sorted(units.column("unit_ordinal").to_pylist()) == list(range(1, received + 1)), f"{kind}, mutation {number}"
