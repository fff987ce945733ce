"""Which mapping holds at which facility on which day: concept maps beside the registry's own, as rows of `ref.code_map`.

Belongs here: precedence. The registry's own line for a code comes first; a map loaded for one facility stands there in place of the
general map of its name; a version holds until the next one of its map begins. Rows of one code at one facility never overlap.
"""

from __future__ import annotations

import polars as pl
import pyarrow as pa

from transforms.facilities.registry import Registry
from transforms.facilities.registry_tables import registry_schema, registry_tables
from transforms.terminology.concept_map import STANDS_FOR

_CODE = ["facility_id", "map_name", "local_code"]


def code_map(registry: Registry, concept_maps: pa.Table) -> pa.Table:
    """Rows of `ref.code_map` (facility_id, valid_from, valid_to, map_name, local_code, system, code); `concept_maps` is CONCEPT_MAP."""
    own_table = registry_tables(registry)["code_map"]
    if concept_maps.num_rows == 0:
        return own_table
    own = pl.DataFrame(own_table)
    entries = pl.DataFrame({
        "facility_id": [entry.facility_id for entry in registry.entries], "entry_from": [entry.valid_from for entry in registry.entries],
        "entry_to": [entry.valid_to for entry in registry.entries],
    })
    held = _at_facilities(_with_ends(pl.DataFrame(concept_maps)), entries)
    stated = own.select(*_CODE, entry_from="valid_from").unique()
    added = (
        held.with_columns(
            valid_from=pl.max_horizontal("version_from", "entry_from"), valid_to=pl.min_horizontal("version_to", "entry_to"),
        )
        .filter(pl.col("valid_from") < pl.col("valid_to"))
        .join(stated, on=[*_CODE, "entry_from"], how="anti", nulls_equal=True)
        .select("facility_id", "valid_from", "valid_to", "map_name", "local_code", "system", "code")
    )
    return pl.concat([own, added]).sort("facility_id", "map_name", "local_code", "valid_from").to_arrow().cast(registry_schema("code_map"))


def _with_ends(maps: pl.DataFrame) -> pl.DataFrame:
    """Codes that have a target which stands for them, each with the days of its version."""
    versions = (
        maps.select("map_name", "facility_id", "map_version", version_from="valid_from").unique()
        .sort("map_name", "facility_id", "version_from", "map_version", nulls_last=True)
        .with_columns(version_to=pl.col("version_from").shift(-1).over("map_name", "facility_id").fill_null(pl.date(9999, 12, 31)))
    )
    return (
        maps.filter(pl.col("equivalence").is_in(sorted(STANDS_FOR)))
        .join(versions, on=["map_name", "facility_id", "map_version"], nulls_equal=True)
        .select("map_name", "facility_id", "version_from", "version_to", local_code="source_code", system="target_system",
                code="target_code")
    )


def _at_facilities(held: pl.DataFrame, entries: pl.DataFrame) -> pl.DataFrame:
    """Those of one facility there, general ones at every facility that has no map of that name itself."""
    special = held.filter(pl.col("facility_id").is_not_null())
    general = held.filter(pl.col("facility_id").is_null()).drop("facility_id").join(entries, how="cross")
    general = general.join(special.select("facility_id", "map_name").unique(), on=["facility_id", "map_name"], how="anti")
    columns = ["facility_id", "entry_from", "entry_to", "map_name", "version_from", "version_to", "local_code", "system", "code"]
    return pl.concat([special.join(entries, on="facility_id").select(columns), general.select(columns)])
