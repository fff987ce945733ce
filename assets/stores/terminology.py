"""Releases of terminologies that were loaded into a data root: files under `terminology/`, one a version of a map.

What belongs here: keeping them and giving them back. Not here: what they mean (`transforms/terminology`). A version never changes.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq

from assets.stores.durable import write_durable
from transforms.errors import ConfigurationError
from transforms.terminology.concept_map import CONCEPT_MAP, MapVersion


@dataclass(frozen=True)
class TerminologyStore:
    """The releases of one data root, below its folder `terminology`."""

    folder: Path

    def add(self, version: MapVersion, rows: pa.Table) -> bool:
        """Keep a version of a map; false where it is there already. ConfigurationError where other content has its name, or its day."""
        for known in self.versions():
            same = known.map_name == version.map_name and known.facility_id == version.facility_id
            if same and known.valid_from == version.valid_from and known.map_version != version.map_version:
                raise ConfigurationError(f"map {version.map_name}: version {known.map_version} begins on {version.valid_from} already. "
                                         "Remedy: another --valid-from.")
        name = _name(version)
        path = self.folder / name
        if path.exists():
            if pq.read_table(path, schema=CONCEPT_MAP).equals(rows):
                return False
            raise ConfigurationError(f"map {version.map_name}: version {version.map_version} is loaded with other content. "
                                     "Remedy: a version never changes; name the new one --map-version.")
        buffer = io.BytesIO()
        pq.write_table(rows, buffer)
        write_durable(self.folder, name, buffer.getvalue())
        return True

    def concept_maps(self) -> pa.Table:
        """Every version of every map."""
        return pa.concat_tables([CONCEPT_MAP.empty_table(), *(pq.read_table(path, schema=CONCEPT_MAP) for path in self._files())])

    def versions(self) -> list[MapVersion]:
        """What was loaded, by name, facility and first day."""
        found = []
        for path in self._files():
            row = pq.read_table(path, schema=CONCEPT_MAP).slice(0, 1).to_pylist()[0]
            found.append(MapVersion(row["map_name"], row["map_version"], row["valid_from"], row["facility_id"]))
        return sorted(found, key=lambda one: (one.map_name, one.facility_id or "", one.valid_from))

    @property
    def digest(self) -> str:
        """Changes with what is loaded."""
        return hashlib.sha256("\n".join(f"{path.name} {path.stat().st_size}" for path in self._files()).encode()).hexdigest()

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("concept_map/*.parquet"))


def _name(version: MapVersion) -> str:
    parts = (version.map_name, version.map_version, version.facility_id or "")
    return "concept_map/" + "@".join(quote(part, safe="") for part in parts) + ".parquet"
