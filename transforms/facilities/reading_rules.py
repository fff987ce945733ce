"""Which rules a batch is read under: the registry entry and the concept maps in force on its date, as one short digest.

Belongs here: what of them decides what is read. Who answers for a facility, what it is called and when its files are due does not, and
neither does an entry's own length: cutting an entry in two without a change leaves every digest as it was.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from transforms.facilities.entry import FacilityEntry, Registry
from transforms.terminology.concept_map import MapVersion

_OF_PEOPLE = {"valid_from", "valid_to", "name", "region", "owner", "extraction_window", "phones", "addresses"}
_OF_FEEDS = {"owner", "schedule", "contract_changes"}


@dataclass(frozen=True)
class ReadingRules:
    """A facility's rules over time: from each day of `starts` on (rising), those of `digests` at the same place."""

    starts: tuple[date, ...]
    digests: tuple[str, ...]

    def on(self, day: date) -> str | None:
        """Digest of the rules that a batch of this date is read under; null where the facility has no entry yet."""
        place = bisect_right(self.starts, day)
        return self.digests[place - 1] if place else None


def reading_rules(registry: Registry, maps: Sequence[MapVersion], facility_id: str) -> ReadingRules:
    """The rules of one facility. `maps` are all versions of concept maps that were loaded."""
    entries = [entry for entry in registry.entries if entry.facility_id == facility_id]
    concerned = _concerned(maps, facility_id)
    first = min((entry.valid_from for entry in entries), default=date.max)
    starts = sorted({entry.valid_from for entry in entries} | {max(version.valid_from, first) for version in concerned})
    return ReadingRules(tuple(starts), tuple(_digest(registry.entry(facility_id, day), concerned, day) for day in starts))


def _concerned(maps: Sequence[MapVersion], facility_id: str) -> list[MapVersion]:
    """Versions that hold at the facility, by their first day: a map of its own stands there in place of the general one of its name."""
    own = {version.map_name for version in maps if version.facility_id == facility_id}
    held = [version for version in maps
            if version.facility_id == facility_id or (version.facility_id is None and version.map_name not in own)]
    return sorted(held, key=lambda version: version.valid_from)


def _digest(entry: FacilityEntry, maps: Sequence[MapVersion], day: date) -> str:
    said = {key: value for key, value in asdict(entry).items() if key not in _OF_PEOPLE}
    said["sources"] = {
        name: {key: value for key, value in source.items() if key not in _OF_FEEDS} for name, source in said["sources"].items()
    }
    said["maps"] = {version.map_name: version.map_version for version in maps if version.valid_from <= day}
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=_as_text).encode()).hexdigest()[:12]


def _as_text(value: Any) -> Any:
    return sorted(value) if isinstance(value, frozenset) else str(value)
