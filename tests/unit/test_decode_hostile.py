"""Decoders under hostile input: nothing raises, nothing hangs, and every unit received is accounted for.

The same mutations on every machine: `LAKEHOUSE_FUZZ_COUNT` of each kind from `LAKEHOUSE_FUZZ_SEED` on. `LAKEHOUSE_FUZZ_SECONDS` goes on
with further ones until each kind has had that long.
"""

from __future__ import annotations

import os
import time

import pyarrow.compute as pc
import pytest

from tests.unit.broken_payloads import Example, batches, examples
from tests.unit.decoding import parquet
from transforms.decode.contract import Delivered
from transforms.decode.formats import FORMATS
from transforms.landing.payload import Payload

COUNT = int(os.environ.get("LAKEHOUSE_FUZZ_COUNT", "2500"))
SEED = int(os.environ.get("LAKEHOUSE_FUZZ_SEED", "1"))
SECONDS = float(os.environ.get("LAKEHOUSE_FUZZ_SECONDS", "0"))
TOGETHER = 50


def _delivered(number: int, example: Example) -> Delivered:
    payload, entry, source = example
    return Delivered(f"{number:032}", Payload.of(payload), entry.sources[source], entry)


def _disagreements(kind: str, batch: list[tuple[int, Example]]) -> list[str]:
    """Mutations of which decoder and counter tell different units; the decoder takes all at once, as in a run."""
    units = FORMATS[kind].decode([_delivered(number, example) for number, example in batch]).units
    found = []
    for number, (payload, entry, source) in batch:
        received = FORMATS[kind].count_units(Payload.of(payload), entry.sources[source])
        ordinals = units.filter(pc.equal(units.column("delivery_id"), f"{number:032}")).column("unit_ordinal").to_pylist()
        if sorted(ordinals) != list(range(1, received + 1)):
            found.append(f"{kind}, seed {SEED}, mutation {number}: units {len(ordinals)}, counted {received}")
    return found


ISA = b"ISA*00*          *00*          *ZZ*A              *ZZ*B              *240501*1200*^*00501*000000001*0*P*:~"
CDA = '<ClinicalDocument xmlns="urn:hl7-org:v3"{}><component><structuredBody><component><section><entry{}/><entry/></section></component></structuredBody></component></ClinicalDocument>'
# One of each kind of payload of which decoder and counter once told different units, or which made one of them raise.
ONCE_DIFFERENT = [
    ("csv_extract", "\ufeff\ufeff".encode()),
    ("csv_extract", "MRN,Last\U0010ff80Name\r\n1,A\r\n2,B\r\n".encode()),  # the sender's own character, not a mark of damage
    ("fhir_ndjson", b'{"a"\n{"b":' + b"[" * 300),
    ("x12", ISA + b"GS*HC~ST*837*1~CLM*1~SE*1~IEA~ST*837*1~IEA*1~"),
    ("x12", b"\n"), ("x12", b"ISA"), ("x12", ISA[:-1] + b"*ST*837*SE*ST*835*SE*"), ("x12", ISA + b"GS*HC~ST*837*1~CLM*1~SE*1~ST~CLM*1~IEA*1~"),
    ("ccda", CDA.format("", " a\ufeff=''").encode()),  # a name by the fifth edition of XML 1.0, none by the fourth
    ("ccda", CDA.format(" xmlns:x='relative'", "").encode()),  # no canonical form
    ("dicom", b"\0" * 128 + b"DICM\x02\x00\x00\x00UL\x03\x00abc"),
    ("dms_s3_parquet", parquet({"A": [1]}).replace(b"\x18\x01A", b"\x18\x01\x90")),
    ("dms_s3_parquet", b"PAR2" + parquet({"A": [1, 2]})[4:]),
]


@pytest.mark.parametrize(("kind", "payload"), ONCE_DIFFERENT)
def test_what_once_told_two_counts_tells_one(kind: str, payload: bytes) -> None:
    """Each payload on which decoder and counter disagreed before is as many units to both."""
    _, entry, source = examples(kind)[0]
    assert _disagreements(kind, [(0, (payload, entry, source))]) == []


@pytest.mark.parametrize("kind", sorted(FORMATS))
def test_broken_payloads_are_units_all_the_same(kind: str) -> None:
    """Whatever is broken in a payload, the decoder gives as many units as are counted in its bytes, each with one ordinal."""
    assert len(examples(kind)) > 3
    ends, first = time.monotonic() + SECONDS, 0
    while first == 0 or time.monotonic() < ends:
        for batch in batches(kind, SEED, range(first, first + COUNT), TOGETHER):
            assert _disagreements(kind, batch) == []
        first += COUNT


def test_every_run_makes_at_least_twenty_thousand_mutations() -> None:
    """The number that is promised is the number that is made, of all registered kinds together."""
    assert COUNT * len(FORMATS) >= 20_000 or "LAKEHOUSE_FUZZ_COUNT" in os.environ
