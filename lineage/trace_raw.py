"""From a version row to the raw row and its bytes, whatever the format it came in."""

from __future__ import annotations

from lineage.trace_ccda import trace_ccda
from lineage.trace_dicom import trace_dicom
from lineage.trace_extract import trace_extract
from lineage.trace_fhir import trace_fhir
from lineage.trace_hl7 import trace_hl7
from lineage.trace_sources import Record, Sources
from lineage.trace_unit import RawTrace, raw_fields
from lineage.trace_x12 import trace_x12
from transforms.errors import ContractError


def trace_raw(sources: Sources, resource: str, version: Record, column: str) -> RawTrace:
    """The raw row behind a version row, and the bytes behind the raw row.

    Raises ContractError where the raw rows of the unit are gone, or the payload is not the one that was decoded.
    """
    fields = raw_fields(sources, f"canonical.{resource}_version", column) if column else []
    for find in (trace_hl7, trace_fhir, trace_extract, trace_x12, trace_ccda, trace_dicom):
        found = find(sources, version, column, fields)
        if found is not None:
            return found
    raise ContractError("the raw rows of this unit are gone; materialize its partition again")
