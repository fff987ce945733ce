"""What the registry says, as frozen values: facilities, their sources and their columns.

Belongs here: the types. Does not belong here: reading or checking YAML (`registry.py`), tables (`registry_tables.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, time
from typing import TYPE_CHECKING

from transforms.errors import ConfigurationError

if TYPE_CHECKING:
    from transforms.facilities.contract_change import ContractChange

OPEN_END = date(9999, 12, 31)


@dataclass(frozen=True)
class SourceColumn:
    """A contracted column of an extract: where it goes, its type, and what its values must look like.

    `type` is `string` unless registered; `date_format` is the column's own, `datetime_format` (strptime) the one in
    force after the feed's defaults; `timezone` is an IANA name, null means the facility's."""

    name: str
    maps_to: str | None = None
    type: str = "string"
    pattern: str | None = None
    value_map: dict[str, str] = field(default_factory=dict)
    code_system: str | None = None
    date_format: str | None = None
    timezone: str | None = None
    datetime_format: str | None = None


@dataclass(frozen=True)
class Trailer:
    """Last row of a CSV file: its first field is `prefix`, field `row_count_field` (from 1) counts the data rows."""

    prefix: str
    row_count_field: int


@dataclass(frozen=True)
class Schedule:
    """When a feed owes its files: the one for each day is due on the next day at `deadline`, facility-local time."""

    every: str
    deadline: time


@dataclass(frozen=True)
class Source:
    """One feed of one facility. `key` is the business key of a CSV row or the primary key of a change-captured table;
    `table` is the source table of the latter. Text feeds (hl7v2, fhir_ndjson) have none of the extract keys. `contract_version` is
    that of the columns, from 1; `contract_changes` are those registered behind it."""

    source: str
    kind: str
    owner: str
    resource: str | None = None
    table: str | None = None
    delimiter: str = ","
    encoding: str = "utf-8"
    header: bool = True
    mode: str | None = None
    key: tuple[str, ...] = ()
    version_column: str | None = None
    op_column: str | None = None
    sequence_column: str | None = None
    before_image_prefix: str | None = None
    null_value: str | None = None
    null_markers: tuple[str, ...] = ()
    date_format: str | None = None
    datetime_format: str | None = None
    trailer: Trailer | None = None
    columns: tuple[SourceColumn, ...] = ()
    schedule: Schedule | None = None
    contract_version: int = 1
    contract_changes: tuple[ContractChange, ...] = ()

    @property
    def record_type(self) -> str:
        """What the ledger calls this feed's rows: its source table, else its name."""
        return self.table or self.source


@dataclass(frozen=True)
class FacilityEntry:
    """A facility as registered from `valid_from` until `valid_to` (half-open)."""

    facility_id: str
    valid_from: date
    valid_to: date
    name: str
    region: str
    owner: str
    timezone: str
    charset: str
    source_system: str
    default_authority: str | None
    authorities: dict[str, str]
    fhir_base_urls: tuple[str, ...]
    known_extensions: tuple[str, ...]
    modifier_extensions: dict[str, dict[str, str]]
    extraction_window: tuple[str, str] | None
    code_maps: dict[str, dict[str, tuple[str, str]]]
    sources: dict[str, Source]
    # What feeds of other formats need: assigning authorities by object identifier (C-CDA) and by issuer (DICOM), and of each trading
    # partner (X12: the other side's ISA06 or ISA08) the accepted versions (GS08) by kind of transaction.
    authorities_by_oid: dict[str, str] = field(default_factory=dict)
    issuers: dict[str, str] = field(default_factory=dict)
    trading_partners: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)
    # Its own numbers, and its own addresses as first line and postal code: on a patient's record they tell nothing of the patient.
    phones: tuple[str, ...] = ()
    addresses: tuple[tuple[str, str], ...] = ()
    # Paths of FHIR elements, without positions, at which its resources may deviate from R4 (`Patient.address.buildingNumber`).
    fhir_deviations: frozenset[str] = frozenset()

    @property
    def default_system(self) -> str | None:
        """URI of the default authority."""
        return self.authorities.get(self.default_authority) if self.default_authority else None


@dataclass(frozen=True)
class Registry:
    """All entries, by facility and then by valid_from."""

    version: int
    first_batch_date: date
    entries: tuple[FacilityEntry, ...]

    @property
    def facility_ids(self) -> tuple[str, ...]:
        """Every facility that ever had an entry, in the registry's order, each once."""
        return tuple(dict.fromkeys(entry.facility_id for entry in self.entries))

    def entry(self, facility_id: str, on_date: date) -> FacilityEntry:
        """Entry in force on a date; ConfigurationError where there is none."""
        for entry in self.entries:
            if entry.facility_id == facility_id and entry.valid_from <= on_date < entry.valid_to:
                return entry
        known = ", ".join(self.facility_ids)
        raise ConfigurationError(
            f"facility {facility_id!r} has no registry entry in force on {on_date}. "
            f"Remedy: one of {known}, or an entry whose valid_from is not later."
        )
