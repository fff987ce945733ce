"""Commands of the terminology steward: `lakehouse terminology load`, `maps`, `unmapped`, `extensions`, `us-core`.

What belongs here: loading releases, and lists to work off, by volume. The lists read the warehouse and show definitions and counts, never a
record's values.
"""

from __future__ import annotations

from pathlib import Path

import typer

from orchestration.cli.printing import Json, print_table
from transforms.errors import ConfigurationError

terminology = typer.Typer(no_args_is_help=True, help="Maps of codes, and what waits for a steward, by volume.")

_UNMAPPED = (
    "select unmapped.facility_id, unmapped.resource, unmapped.element, unmapped.local_system, unmapped.local_code, unmapped.facts, "
    "unmapped.first_batch_date, unmapped.last_batch_date, unmapped.source, unmapped.owner from LAKE.canonical.unmapped_code unmapped "
    "where ? is null or unmapped.facility_id = ? order by unmapped.facts desc nulls last, unmapped.facility_id, unmapped.resource, "
    "unmapped.element, unmapped.local_system nulls first, unmapped.local_code nulls first"
)
_EXTENSIONS = (
    "select volume.facility_id, volume.resource_type, volume.url, volume.is_modifier, volume.is_registered, volume.profile, volume.units, "
    "volume.first_batch_date, volume.last_batch_date, volume.owner from LAKE.canonical.extension_volume volume "
    "where volume.is_registered = 0 or ? "
    "order by volume.units desc nulls last, volume.facility_id, volume.resource_type, volume.url, volume.is_modifier"
)
_US_CORE = (
    "select gap.facility_id, gap.element, count(distinct gap.unit_id) as units, min(gap.batch_date) as first_batch_date, "
    "max(gap.batch_date) as last_batch_date from LAKE.canonical.us_core_gap gap group by gap.facility_id, gap.element "
    "order by units desc nulls last, gap.facility_id, gap.element"
)


@terminology.command("load")
def load(
    file: Path = typer.Argument(..., help="CSV (source_code, target_system, target_code, equivalence), FHIR ConceptMap or a release file."),
    name: str = typer.Option(..., help="Resource or resource_element that the map speaks of, such as observation or encounter_class."),
    map_version: str = typer.Option(..., help="The release; a version never changes."),
    valid_from: str = typer.Option(..., help="First batch date that is read by it (YYYY-MM-DD)."),
    facility: str | None = typer.Option(None, "--facility", "-f", help="Only at this facility, in place of the general map."),
) -> None:
    """Load a version of a concept map from your own release file. It holds from the next run on."""
    from orchestration.cli.scope import parse_day
    from orchestration.opening import open_root
    from orchestration.settings import load_settings
    from orchestration.text_file import read_text_file
    from transforms.terminology.concept_map import MapVersion, read_concept_map

    root = open_root(load_settings())
    if facility is not None and facility not in root.registry.facility_ids:
        raise ConfigurationError(f"facility {facility!r} is not registered. Remedy: one of {', '.join(root.registry.facility_ids)}.")
    version = MapVersion(name, map_version, parse_day(valid_from, "--valid-from"), facility)
    rows = read_concept_map(read_text_file(file, "a UTF-8 file of a map."), str(file), version)
    is_new = root.terminology.add(version, rows)
    said = "Loaded" if is_new else "Already loaded:"
    print(f"{said} {rows.num_rows:,} mappings of {name}, version {map_version}. Next: lakehouse materialize")


@terminology.command("maps")
def maps(as_json: bool = Json) -> None:
    """List the versions of concept maps that were loaded."""
    from orchestration.opening import open_root
    from orchestration.settings import load_settings

    rows = [{"name": one.map_name, "map_version": one.map_version, "facility_id": one.facility_id, "valid_from": one.valid_from.isoformat()}
            for one in open_root(load_settings()).terminology.versions()]
    print_table(rows, ["name", "map_version", "facility_id", "valid_from"], as_json=as_json)


@terminology.command("unmapped")
def unmapped(facility: str | None = typer.Option(None, "--facility", "-f", help="One facility."), as_json: bool = Json) -> None:
    """List local codes and units that no map leads to a standard one, by volume, with who maps them."""
    from orchestration.asking import answer

    rows = answer(_UNMAPPED, [facility, facility])
    if not as_json:
        print(f"{sum(row['facts'] for row in rows):,} facts have a code or unit that no map knows.")
    columns = ["facility_id", "resource", "element", "local_system", "local_code", "facts", "first_batch_date", "owner"]
    print_table(rows, columns, as_json=as_json)


@terminology.command("extensions")
def extensions(
    every: bool = typer.Option(False, "--all", help="Registered ones too."), as_json: bool = Json,
) -> None:
    """List FHIR extensions that nobody registered, by volume, with who answers for them."""
    from orchestration.asking import answer

    rows = answer(_EXTENSIONS, [every])
    if not as_json:
        print(f"{sum(not row['is_registered'] for row in rows):,} extensions are not registered.")
    columns = ["facility_id", "resource_type", "url", "is_modifier", "is_registered", "units", "last_batch_date", "owner"]
    print_table(rows, columns, as_json=as_json)


@terminology.command("us-core")
def us_core(as_json: bool = Json) -> None:
    """List the elements that US Core requires and FHIR resources leave out, by volume."""
    from orchestration.asking import answer

    print_table(answer(_US_CORE), ["facility_id", "element", "units", "first_batch_date", "last_batch_date"], as_json=as_json)
