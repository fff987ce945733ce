"""Segments, their structure and their sets -> units, raw_x12__unit and raw_x12__segment.

Belongs here: columns. Does not belong here: where interchanges come from (`decode.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.decode.cells import NumberArray
from transforms.decode.contract import UNIT_SCHEMA
from transforms.decode.raw_schema import RAW_SCHEMAS
from transforms.decode.units import UNKNOWN_TYPE
from transforms.decode.x12.content import interchange_hashes, set_hashes, unit_hashes
from transforms.decode.x12.interchange import Interchange
from transforms.decode.x12.segments import Segments
from transforms.decode.x12.sets import Columns
from transforms.decode.x12.structure import Structure

_KINDS = {"837": "x12.claim", "835": "x12.claim_payment"}
_AMOUNTS = {"CLM": 2, "CLP": 4}
_ISA = (5, 6, 7, 8, 13, 15)


@dataclass(frozen=True)
class Places:
    """Of each interchange: its delivery and its ordinal there, and what is added to the rows and units of the batch to count those of the
    delivery; `first` and `last` are its rows."""

    delivery_ids: list[str]
    ordinals: list[int]
    segment_offset: NumberArray
    unit_offset: NumberArray
    first: NumberArray
    last: NumberArray


@dataclass(frozen=True)
class Read:
    """Interchanges that were read together, and what they hold."""

    interchanges: Sequence[Interchange]
    segments: Segments
    structure: Structure
    sets: Columns
    places: Places

    def segment_rows(self) -> pa.Table:
        """Rows of raw_x12__segment, with what stood before the first ISA of a payload as a row without a name."""
        segments, structure, interchange = self.segments, self.structure, self.segments.interchange
        offset = self.places.segment_offset[interchange]
        ordinals = np.arange(len(segments)) + offset
        units = np.where(structure.unit_no > 0, structure.unit_no + self.places.unit_offset[interchange], 0)
        of_isa = pa.array(interchange, mask=~segments.are("ISA"))
        rows = _table(RAW_SCHEMAS["raw_x12__segment"], {
            **self._origin(interchange), "unit_ordinal": units, "segment_ordinal": ordinals, "record_locator": _locators(ordinals),
            "set_ordinal": _moved(structure.set_row, offset), "loop_ordinal": _moved(structure.loop_row, offset),
            "segment_id": segments.names, "elements": segments.elements, "terminator": segments.terminators,
            "delimiters": self._delimiters().take(of_isa), "charset": pa.array([one.charset for one in self.interchanges]).take(of_isa),
        })
        before = [
            {"delivery_id": delivery, "unit_ordinal": 0, "segment_ordinal": 0, "interchange_ordinal": 0, "segment_id": "",
             "elements": [], "terminator": one.prefix, "charset": "latin-1", "record_locator": "segment/0"}
            for delivery, one in zip(self.places.delivery_ids, self.interchanges, strict=True) if one.prefix
        ]
        return pa.concat_tables([rows, pa.Table.from_pylist(before, schema=rows.schema)]) if before else rows

    def unit_rows(self) -> tuple[pa.Table, pa.Table]:
        """Units, and rows of raw_x12__unit."""
        segments, structure = self.segments, self.structure
        rows = np.flatnonzero(structure.starts)
        number, interchange = structure.set_no[rows] - 1, segments.interchange[rows]
        offset = self.places.segment_offset[interchange]
        hashes = set_hashes(segments, structure)
        own = {name: column.take(pa.array(number)) for name, column in {**self.sets, "set_hash": pa.array(hashes, pa.string())}.items()}
        isa = {f"isa_{place:02}": pa.array([one.isa[place - 1].strip() for one in self.interchanges]).take(pa.array(interchange))
               for place in _ISA}
        position = np.arange(len(rows)) - np.searchsorted(number, number) + 1
        heads = [own["st_01"], own["gs_08"], isa["isa_15"], own["reject_code"]]
        found = unit_hashes(
            segments, structure, rows, pc.binary_join_element_wise(*heads, "|", null_handling="skip").to_pylist(),
            own["st_01"].to_pylist(), own["set_hash"].to_pylist(), position.tolist())
        whole = interchange_hashes(segments, self.places.first, self.places.last)
        origin = self._origin(interchange)
        common = {**origin, "unit_ordinal": structure.unit_no[rows] + self.places.unit_offset[interchange]}
        locators = _locators(rows + offset)
        raw = _table(RAW_SCHEMAS["raw_x12__unit"], {
            **common, **own, **isa, "record_locator": locators, "segment_ordinal": rows + offset, "position": position,
            "set_ordinal": _moved(structure.set_row[rows], offset), "provider_loop": _moved(structure.provider_row[rows], offset),
            "subscriber_loop": _moved(structure.subscriber_row[rows], offset), "patient_loop": _moved(structure.patient_row[rows], offset),
            "delimiters": self._delimiters().take(pa.array(interchange)), "amount": self._amounts(rows),
            "interchange_hash": pa.array(whole).take(pa.array(interchange)),
        })
        units = _table(UNIT_SCHEMA, {
            **common, "unit_kind": self._kinds(rows, own["st_01"]), "unit_locator": locators, "content_hash": pa.array(found, pa.string()),
            "record_type": pc.fill_null(own["st_01"], UNKNOWN_TYPE), "reject_code": own["reject_code"],
            "reject_path": pc.if_else(pc.is_valid(own["reject_code"]), locators, None), "flags": pa.nulls(len(rows), pa.string()),
        })
        return units, raw

    def _origin(self, interchange: NumberArray) -> dict[str, pa.Array]:
        """Delivery of some rows, and their interchange's ordinal there."""
        chosen = pa.array(interchange)
        places = self.places
        return {"delivery_id": pa.array(places.delivery_ids).take(chosen), "interchange_ordinal": pa.array(places.ordinals).take(chosen)}

    def _delimiters(self) -> pa.Array:
        return pa.array(["".join(vars(one.delimiters).values()) for one in self.interchanges])

    def _amounts(self, rows: NumberArray) -> pa.Array:
        found = pa.nulls(len(rows), pa.string())
        for name, number in _AMOUNTS.items():
            is_own = self.segments.are(name)[rows]
            found = pc.if_else(pa.array(is_own), self.segments.element(np.where(is_own, rows, -1), number), found)
        return found

    def _kinds(self, rows: NumberArray, set_types: pa.Array) -> pa.Array:
        """Kinds of units: claims and payments are parts of a set, all others are sets."""
        kinds = pa.array(list(_KINDS.values())).take(pc.index_in(set_types, pa.array(list(_KINDS))))
        is_part = self.segments.are(*_AMOUNTS)[rows]
        return pc.if_else(pa.array(is_part), kinds, "x12.transaction_set")


def _moved(rows: NumberArray, offset: NumberArray) -> pa.Array:
    """Rows as ordinals of their delivery, null for none."""
    return pa.array(rows + offset, mask=rows < 0)


def _locators(ordinals: NumberArray) -> pa.Array:
    return pc.binary_join_element_wise("segment", pc.cast(pa.array(ordinals), pa.string()), "/")


def _table(schema: pa.Schema, columns: Mapping[str, pa.Array | NumberArray]) -> pa.Table:
    arrays = {name: one if isinstance(one, pa.Array) else pa.array(one) for name, one in columns.items() if name in schema.names}
    return pa.table({field.name: arrays[field.name].cast(field.type) for field in schema}, schema=schema)
