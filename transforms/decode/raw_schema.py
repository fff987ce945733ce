"""The raw tables' columns: the single source for decoders, loader, Pandera checks and column lineage.

Belongs here: names and types of raw columns. Does not belong here: how they are filled. Columns are named by the
standard; every value of a payload is text. Raw rows exist for accepted units only (and, in raw_hl7v2__segment, for
rejected HL7 messages whose text could be read, and in raw_extract__event).

Besides its value columns each record table carries what the loader adds (`LOADER_COLUMNS`):
`unit_id = md5(delivery_id|unit_ordinal)`, `record_id = md5(delivery_id|record_locator)`. A segment's row in its own
table and in raw_hl7v2__segment has the same locator, hence the same record_id.

Context columns of the HL7 segment tables: `segment_ordinal` counts from 1 (MSH) in the message; `patient_group` is the
number of PID segments up to and including the row's segment (A24, A37, A40 and ORU may hold several), null before the
first; `order_group` counts order groups, null before the first: a group begins at an ORC, or at an OBR whose group has
one already; NTE rows name the segment that they annotate in `parent_segment_name`, `parent_segment_ordinal`.
"""

from __future__ import annotations

import pyarrow as pa

from transforms.decode.ccda.header import DOCUMENT_COLUMNS, TARGET_COLUMNS
from transforms.decode.ccda.statement import CODING_COLUMNS, STATEMENT_COLUMNS
from transforms.decode.contract import UNIT_SCHEMA
from transforms.decode.hl7v2.segments import ORDER_SEGMENTS, SEGMENTS, repetition_columns, segment_table, value_columns

_RECORD = [
    pa.field("delivery_id", pa.string(), nullable=False),
    pa.field("unit_ordinal", pa.int32(), nullable=False),
    pa.field("record_locator", pa.string(), nullable=False),
]
_SEGMENT = [*_RECORD, pa.field("segment_ordinal", pa.int32(), nullable=False)]


def _texts(names: list[str]) -> list[pa.Field]:
    return [pa.field(name, pa.string()) for name in names]


def _ordinals(names: list[str]) -> list[pa.Field]:
    return [pa.field(name, pa.int32()) for name in names]


def _segment_schema(segment: str) -> pa.Schema:
    context = [pa.field("patient_group", pa.int32())]
    if segment in ORDER_SEGMENTS:
        context.append(pa.field("order_group", pa.int32()))
    if segment == "NTE":
        context += [pa.field("parent_segment_name", pa.string()), pa.field("parent_segment_ordinal", pa.int32())]
    return pa.schema([*_SEGMENT, *context, *_texts(value_columns(segment))])


RAW_SCHEMAS: dict[str, pa.Schema] = {
    # Batch wrappers (FHS, BHS, BTS, FTS) are rows of unit 0, which is no unit. segment_name is null for a line that
    # is no segment. terminator: the line ends that follow, as sent, so that the text rebuilds the payload.
    "raw_hl7v2__segment": pa.schema(
        [*_SEGMENT, *_texts(["segment_name", "segment_text", "delimiters", "terminator"])]
    ),
    "raw_hl7v2__repetition": pa.schema(
        [*_SEGMENT, pa.field("field", pa.string()), pa.field("repetition", pa.int32()), *_texts(repetition_columns())]
    ),
    **{segment_table(segment): _segment_schema(segment) for segment in SEGMENTS},
    # resource: JSON text as sent; of a deletion, the Bundle entry's text. last_updated: meta.lastUpdated; of a
    # deletion, that of its Bundle.
    "raw_fhir__resource": pa.schema(
        [
            *_RECORD,
            *_texts(["resource_type", "id", "version_id", "last_updated", "full_url"]),
            pa.field("is_deleted", pa.bool_(), nullable=False),
            pa.field("resource", pa.string(), nullable=False),
        ]
    ),
    # source_table: the contract's table, or the feed's name where it has none. cells: all cells as sent in header
    # order, those of op and sequence included; null where the format has a null of its own (Debezium, Parquet).
    # changed_ms: the source's commit time in milliseconds since 1970, where an event states it.
    "raw_extract__row": pa.schema(
        [
            *_RECORD,
            pa.field("source_table", pa.string()),
            pa.field("row_number", pa.int64(), nullable=False),
            *_texts(["op", "sequence", "changed_ms"]),
            pa.field("cells", pa.list_(pa.string()), nullable=False),
        ]
    ),
    # A change event as sent, also of tombstones and refused rows; its row image is in raw_extract__row.
    "raw_extract__event": pa.schema(
        [
            *_RECORD,
            *_texts(["source_table", "op", "sequence"]),
            pa.field("is_tombstone", pa.bool_(), nullable=False),
            pa.field("event", pa.string(), nullable=False),
        ]
    ),
    # One row for each column of each file, of unit 0, which is no unit; without a header line, the contract's order.
    "raw_extract__column": pa.schema(
        [
            *_RECORD,
            pa.field("source_table", pa.string()),
            pa.field("column_ordinal", pa.int32(), nullable=False),
            pa.field("column_name", pa.string(), nullable=False),
        ]
    ),
    # One row a document, of the unit that carries it: the first that is no narrative. document: canonical XML without the units.
    "raw_ccda__document": pa.schema(
        [*_RECORD, *_texts([*DOCUMENT_COLUMNS, "document"]), pa.field("size", pa.int64())]
    ),
    # One row an identifier of a recordTarget, of the unit that carries the document.
    "raw_ccda__record_target": pa.schema([*_RECORD, *_ordinals(["id_ordinal"]), *_texts(list(TARGET_COLUMNS))]),
    # One row a unit. kind: entry, section (one without entries) or nonXMLBody. content: canonical XML. *_template_ids: roots between bars.
    "raw_ccda__entry": pa.schema(
        [
            *_RECORD,
            *_texts(["kind", "section_code", "section_title", "section_template_ids", "media_type"]),
            pa.field("attachment_size", pa.int64()),
            *_texts(["content"]),
        ]
    ),
    # One row a clinical statement at any depth; parent_ordinal is the statement that it is nested in, null for the entry's own.
    "raw_ccda__statement": pa.schema(
        [*_RECORD, *_ordinals(["statement_ordinal", "parent_ordinal"]), *_texts(list(STATEMENT_COLUMNS))]
    ),
    # One row a coding of a statement's element (code, value, material, participant): the main one is 1, its translations follow.
    "raw_ccda__coding": pa.schema(
        [*_RECORD, *_ordinals(["statement_ordinal", "coding_ordinal"]), *_texts(["coded_element", *CODING_COLUMNS])]
    ),
    # One row a data element, sequences and their items' elements too; path names the items that hold it. value: text, several values
    # joined by a backslash, binary as base64; null for a sequence and for bulk data. length: bytes of the value, items of a sequence.
    "raw_dicom__element": pa.schema(
        [*_RECORD, *_texts(["path", "tag", "vr", "private_creator", "value"]), pa.field("length", pa.int64(), nullable=False)]
    ),
    # One row a unit (claim, claim payment, or transaction set) with what encloses it: envelope elements by their standard names, and the
    # segment ordinals of the loops that govern it. amount: CLM02 or CLP04. Its locator is that of the unit's first segment.
    "raw_x12__unit": pa.schema(
        [
            *_RECORD,
            *_ordinals(["interchange_ordinal", "set_ordinal", "position", "segment_ordinal"]),
            *_ordinals(["provider_loop", "subscriber_loop", "patient_loop"]),
            *_texts(["delimiters", "isa_05", "isa_06", "isa_07", "isa_08", "isa_13", "isa_15", "gs_04", "gs_05", "gs_08"]),
            *_texts(["st_01", "st_02", "st_03", "bht_04", "bht_05", "amount", "set_hash", "interchange_hash"]),
        ]
    ),
    # Every segment as sent. unit 0: segments that are shared by units or envelope them. elements: element n of the standard is item n,
    # empty ones are empty. terminator: as sent, with the line end that follows; null where it is the delimiter alone. delimiters
    # (element, repetition, component, terminator) and charset, of the ISA's row, hold for its interchange: the rows rebuild the payload.
    # Row 0 holds what stood before the first ISA. set_ordinal, loop_ordinal: the segment that opened the transaction set or loop (ST;
    # HL, CLM, CLP, LX, SVC, PLB).
    "raw_x12__segment": pa.schema(
        [
            *_RECORD,
            *_ordinals(["segment_ordinal", "interchange_ordinal", "set_ordinal", "loop_ordinal"]),
            *_texts(["segment_id"]),
            pa.field("elements", pa.list_(pa.string()), nullable=False),
            *_texts(["terminator", "delimiters", "charset"]),
        ]
    ),
}

# What the loader adds to every raw row; `raw_unit` has them without record_id.
LOADER_COLUMNS: dict[str, str] = {
    "facility_id": "varchar",
    "batch_date": "date",
    "payload_id": "varchar",
    "received_time": "timestamp",
    "source": "varchar",
    "unit_id": "varchar",
    "record_id": "varchar",
}

_DELIVERY_COLUMNS: dict[str, str] = {
    "delivery_id": "varchar",
    "payload_id": "varchar",
    "facility_id": "varchar",
    "source": "varchar",
    "batch_date": "date",
    "received_time": "timestamp",
    "size": "bigint",
    "control_total": "bigint",
    "received_units": "bigint",
    "flags": "varchar",
}

_SQL_TYPES = {
    pa.string(): "varchar",
    pa.int32(): "integer",
    pa.int64(): "bigint",
    pa.bool_(): "boolean",
    pa.list_(pa.string()): "varchar[]",
}


def _sql_columns(schema: pa.Schema) -> dict[str, str]:
    return {field.name: _SQL_TYPES[field.type] for field in schema}


def raw_table_names() -> list[str]:
    """All tables of schema `raw`, raw_delivery and raw_unit included."""
    return ["raw_delivery", "raw_unit", *RAW_SCHEMAS]


def raw_table_columns(name: str) -> dict[str, str]:
    """Columns of a table of schema `raw` with their DuckDB types, the loader's columns last.

    Raises KeyError for a name that is no raw table."""
    if name == "raw_delivery":
        return dict(_DELIVERY_COLUMNS)
    if name == "raw_unit":
        added = {column: kind for column, kind in LOADER_COLUMNS.items() if column != "record_id"}
        return {**_sql_columns(UNIT_SCHEMA), **added}
    return {**_sql_columns(RAW_SCHEMAS[name]), **LOADER_COLUMNS}
