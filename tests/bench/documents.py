"""Decoders of interchanges, documents, images and events beside the libraries that people would read them with, on the generator's files."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

import pydicom
import pyx12.x12file
from lxml import etree

from tests.bench.measuring import Figure, side_by_side
from transforms.decode.contract import Delivered
from transforms.decode.formats import FORMATS
from transforms.landing.payload import Payload

# Peers read some formats at a few hundred a second.
MOST = 2_000


def documents(by_kind: Mapping[str, Sequence[Delivered]]) -> Iterator[Figure]:
    """Measure the formats that come in documents, and Debezium's events; `by_kind` are deliveries by kind of feed."""
    claims = [one for one in by_kind["x12"] if b"~CLM*" in one.payload.content()][:MOST]
    yield _figure("x12", "X12 837 claims to raw tables", "claims/s a core", claims, sum(text.count(b"~CLM*") for text in _contents(claims)),
                  "pyx12, segments only", _read_by_pyx12)
    night = _of_many_sets(claims[0])
    yield _figure("x12", "X12 837 claims to raw tables, one interchange of many", "claims/s a core", [night], night.payload.content().count(b"~CLM*"),
                  "pyx12, segments only", _read_by_pyx12)
    papers = [one for one in by_kind["ccda"] if one.payload.content().rstrip().endswith(b"ClinicalDocument>")][:MOST]
    yield _figure("ccda", f"C-CDA documents of {_size(papers)} to raw tables", "documents/s a core", papers, len(papers), "lxml, parse only",
                  lambda text: etree.fromstring(text, etree.XMLParser(resolve_entities=False)))
    longer = [_of_many_sections(one) for one in papers[:200]]
    yield _figure("ccda", f"C-CDA documents of {_size(longer)} to raw tables", "documents/s a core", longer, len(longer), "lxml, parse only",
                  lambda text: etree.fromstring(text, etree.XMLParser(resolve_entities=False)))
    images = [one for one in by_kind["dicom"] if one.payload.content()[128:132] == b"DICM"][:MOST]
    yield _figure("dicom", f"DICOM headers, files of {_size(images)}, to raw tables", "files/s a core", images, len(images),
                  "pydicom, every element", _read_by_pydicom)
    events = _repeated(max(by_kind["debezium_jsonl"], key=lambda one: one.payload.size))
    yield _figure("debezium_jsonl", "Debezium events to raw tables", "events/s a core", [events], events.payload.content().count(b"\n"),
                  "json.loads, parse only", lambda text: [parsed(line) for line in text.splitlines()])


def _figure(kind: str, what: str, unit: str, deliveries: Sequence[Delivered], amount: int, peer_name: str,
            peer: Callable[[bytes], object]) -> Figure:
    texts = _contents(deliveries)
    return side_by_side(what, unit, amount, partial(FORMATS[kind].decode, deliveries), peer_name, lambda: [peer(text) for text in texts])


def _contents(deliveries: Sequence[Delivered]) -> list[bytes]:
    return [one.payload.content() for one in deliveries]


def _size(deliveries: Sequence[Delivered]) -> str:
    return f"{sum(one.payload.size for one in deliveries) / len(deliveries) / 1000:.1f} kB"


def _repeated(one: Delivered) -> Delivered:
    """The same events up to about 20 MB."""
    lines = one.payload.content().rstrip(b"\n") + b"\n"
    return replace(one, payload=Payload.of(lines * (20_000_000 // len(lines))))


def _of_many_sets(one: Delivered) -> Delivered:
    """The same transaction sets again and again in one interchange of about 4 MB: what a clearing house sends of a night."""
    text = one.payload.content()
    first, end = text.index(b"~ST*") + 1, text.index(b"~GE*") + 1
    times = 4_000_000 // (end - first)
    sets = text.count(b"~ST*") * times
    return replace(one, payload=Payload.of(text[:first] + text[first:end] * times + re.sub(rb"^GE\*\d+", b"GE*%d" % sets, text[end:])))


def _of_many_sections(one: Delivered) -> Delivered:
    """The same sections again and again in a document of about 47 kB: what summaries of long stays weigh."""
    text = one.payload.content()
    first, end = text.index(b"<structuredBody>") + len(b"<structuredBody>"), text.index(b"</structuredBody>")
    return replace(one, payload=Payload.of(text[:first] + text[first:end] * (47_000 // (end - first)) + text[end:]))


def _read_by_pyx12(text: bytes) -> int:
    with pyx12.x12file.X12Reader(io.StringIO(text.decode("latin-1"))) as reader:
        return sum(1 for _ in reader)


def _read_by_pydicom(text: bytes) -> int:
    return sum(1 for _ in pydicom.dcmread(io.BytesIO(text), stop_before_pixels=True, force=True).iterall())


def parsed(line: bytes) -> object:
    """What the standard library reads of a line, null where it is no JSON."""
    try:
        return json.loads(line)
    except ValueError:
        return None
