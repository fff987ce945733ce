"""Decoders beside what people would use without them, on the generator's files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import duckdb
import hl7
import jsonschema

from orchestration.landing import arrivals_of_network
from tests.bench.documents import documents, parsed
from tests.bench.measuring import Figure, side_by_side
from transforms.decode.contract import Delivered
from transforms.decode.fhir.r4_schema import resource_schema, resource_types
from transforms.decode.formats import FORMATS
from transforms.decode.json_text import JsonReader
from transforms.facilities.registry import Registry
from transforms.landing.payload import Payload


def decoding(network: Path, registry: Registry) -> Iterator[Figure]:
    """Measure each kind of feed that has a peer."""
    by_kind: dict[str, list[Delivered]] = {}
    for number, arrival in enumerate(arrivals_of_network(network / "feeds")):
        entry = registry.entry(arrival.facility_id, arrival.batch_date)
        source = entry.sources[arrival.source]
        by_kind.setdefault(source.kind, []).append(Delivered(f"{number:032x}", Payload.of(arrival.path.read_bytes()), source, entry))
    messages = [text for one in by_kind["hl7v2"] for text in _messages(one.payload.content())]
    lines = [line for one in by_kind["fhir_ndjson"] for line in one.payload.content().splitlines() if line.strip()]
    yield side_by_side("HL7 v2 to raw tables", "messages/s a core", len(messages), lambda: FORMATS["hl7v2"].decode(by_kind["hl7v2"]),
                       "python-hl7, parse only", lambda: [hl7.parse(text) for text in messages])
    yield side_by_side("FHIR R4 NDJSON, judged by the R4 schema, to raw tables", "resources/s a core", len(lines),
                       lambda: FORMATS["fhir_ndjson"].decode(by_kind["fhir_ndjson"]), "json.loads, parse only",
                       lambda: [parsed(line) for line in lines])
    sample = _judged_sample(by_kind["fhir_ndjson"])
    yield side_by_side("FHIR R4 NDJSON, the same, 500 resources", "resources/s a core", sample.payload.content().count(b"\n"),
                       lambda: FORMATS["fhir_ndjson"].decode([sample]), "json and jsonschema (Python), the same schema",
                       lambda: _judged_by_jsonschema(sample.payload.content()))
    for kind, name in (("csv_extract", "CSV extract"), ("dms_s3_csv", "DMS change rows")):
        one = grown(max((one for one in by_kind[kind] if one.source.trailer is None), key=lambda one: one.payload.size))
        rows = one.payload.content().count(b"\n")
        file = network / f"{kind}.csv"
        file.write_bytes(one.payload.content())
        yield side_by_side(f"{name} to raw tables, one file of {rows:,} rows", "rows/s a core", rows, partial(FORMATS[kind].decode, [one]),
                           "DuckDB read_csv, one thread", partial(_read_csv, file))
    yield from documents(by_kind)


def grown(one: Delivered) -> Delivered:
    """Give the same file with its rows repeated up to about 40 MB: what a night's extract looks like."""
    header, _, body = one.payload.content().partition(b"\n")
    body = body if body.endswith(b"\n") else body + b"\n"
    return replace(one, payload=Payload.of(header + b"\n" + body * (40_000_000 // len(body))))


def _messages(payload: bytes) -> list[str]:
    text = payload.decode("latin-1").replace("\n", "\r")
    return ["MSH" + part for part in text.split("MSH")[1:] if part.startswith("|")]


def _judged_sample(deliveries: list[Delivered]) -> Delivered:
    """500 resources of the types that become facts, spread over the files."""
    reader = JsonReader()
    found: list[bytes] = []
    for one in deliveries:
        lines = [line for line in one.payload.content().splitlines() if line.startswith(b"{") and line.endswith(b"}")]
        found += [line for line in lines[:500 // len(deliveries) + 1] if _type_of(reader, line) in resource_types()]
    return replace(deliveries[0], payload=Payload.of(b"".join(line + b"\n" for line in (found * 500)[:500])))


def _type_of(reader: JsonReader, line: bytes) -> str:
    return str(reader.parse(line.decode())[0].get("resourceType"))


def _judged_by_jsonschema(payload: bytes) -> None:
    reader = JsonReader()
    validators = {name: jsonschema.Draft202012Validator(resource_schema(name)) for name in resource_types()}
    for line in payload.splitlines():
        value = reader.parse(line.decode())[0]
        validators[value["resourceType"]].is_valid(value)


def _read_csv(file: Path) -> None:
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute(f"select * from read_csv('{file}', all_varchar = true, ignore_errors = true, encoding = 'latin-1')").fetch_arrow_table()
