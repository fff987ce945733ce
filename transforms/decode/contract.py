"""The one contract of every decoder: what it is given and what it gives back.

Belongs here: the types and the unit table's schema. Does not belong here: anything that knows a format.
A decoder gives what it reads in pieces, so that memory does not grow with the payload where a format has lines. It never raises for
bad content: it rejects the smallest unit that can be judged alone, with a code of the seed `reason_code`. It reads nothing but its
arguments, so equal deliveries decode equally.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from transforms.facilities.entry import FacilityEntry, Source
from transforms.landing.payload import Payload

# unit_ordinal counts from 1 in its delivery. content_hash is md5 (hex) of the decoded content. reject_code is a
# quarantine code or null; reject_path says where, never what; flags are codes joined by commas, sorted, or null.
UNIT_SCHEMA = pa.schema(
    [
        pa.field("delivery_id", pa.string(), nullable=False),
        pa.field("unit_ordinal", pa.int32(), nullable=False),
        pa.field("unit_kind", pa.string(), nullable=False),
        pa.field("unit_locator", pa.string(), nullable=False),
        pa.field("record_type", pa.string(), nullable=False),
        pa.field("content_hash", pa.string(), nullable=False),
        pa.field("reject_code", pa.string()),
        pa.field("reject_path", pa.string()),
        pa.field("flags", pa.string()),
    ]
)


@dataclass(frozen=True)
class Delivered:
    """One delivery as a decoder gets it: its payload, its feed, and its facility as registered on the batch date."""

    delivery_id: str
    payload: Payload
    source: Source
    entry: FacilityEntry


@dataclass(frozen=True)
class Decoded:
    """A piece: units (UNIT_SCHEMA) and records: raw table name -> rows of RAW_SCHEMAS. Rejected units have no records, except
    that the segments of a rejected HL7 message and a FHIR resource that breaks its form stay readable."""

    units: pa.Table
    records: dict[str, pa.Table]


# What every decoder is: deliveries in, pieces out, each of a size that does not depend on the payloads.
Decoder = Callable[[Sequence[Delivered]], Iterator[Decoded]]
