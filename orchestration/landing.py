"""Arrivals: which files on disk become deliveries of which facility, feed and batch date, and their landing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from assets.recording import record_landings
from assets.root import Root
from assets.stores.blocks import read_blocks
from assets.stores.crash_points import reach
from transforms.errors import ConfigurationError
from transforms.facilities.registry import Registry
from transforms.landing.delivery import Delivery
from transforms.landing.payload import Payload


@dataclass(frozen=True)
class Arrival:
    """One file about to be landed; a source that may repeat itself names the arrival by a `token`."""

    path: Path
    facility_id: str
    source: str
    batch_date: date
    token: str | None = None


def arrivals_of_network(folder: Path) -> Iterator[Arrival]:
    """Walk `<facility>/<source>/<batch date>/<file>`; the order is that of time, so that equal files are numbered alike."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    for path in sorted(files, key=lambda path: (path.parts[-2], path.parts)):
        facility_id, source, day = path.parts[-4:-1]
        yield Arrival(path, facility_id, source, date.fromisoformat(day))


def arrivals_of_paths(registry: Registry, paths: Iterable[Path], facility_id: str, source: str, batch_date: date | None,
                      now: datetime) -> list[Arrival]:
    """Give the files of paths and folders as arrivals of one feed.

    Raises ConfigurationError on an unknown facility or feed, a missing path, or a date outside the registry's range; no file
    is touched then.
    """
    if facility_id not in registry.facility_ids:
        known = ", ".join(registry.facility_ids[:8])
        raise ConfigurationError(f"Unknown facility {facility_id!r}. Remedy: one of {known}, or register it.")
    newest = max((entry for entry in registry.entries if entry.facility_id == facility_id), key=lambda entry: entry.valid_from)
    day = batch_date or now.astimezone(ZoneInfo(newest.timezone)).date()
    if day < registry.first_batch_date or day > now.astimezone(ZoneInfo(newest.timezone)).date():
        raise ConfigurationError(f"Batch date {day} is outside {registry.first_batch_date} to today. Remedy: --date within it.")
    sources = registry.entry(facility_id, day).sources
    if source not in sources:
        raise ConfigurationError(f"Unknown source {source!r} of {facility_id}. Remedy: one of {', '.join(sorted(sources))}.")
    return [Arrival(file, facility_id, source, day) for path in paths for file in _files(path)]


def land_arrivals(root: Root, arrivals: Sequence[Arrival], received_time: datetime,
                  advance: Callable[[int], None] = lambda done: None) -> list[Delivery]:
    """Land files one after the other; each is durable when the next is read, and all are in the audit log at the end.

    A file that cannot be read ends the landing: what was landed before it stays and is in the log. Raises ConfigurationError
    naming it.
    """
    landed: list[Delivery] = []
    with root.catalog() as catalog:
        try:
            for arrival in arrivals:
                landed.append(root.landing.land(
                    _payload(arrival.path), facility_id=arrival.facility_id, source=arrival.source, batch_date=arrival.batch_date,
                    original_name=arrival.path.name, received_time=received_time, token=arrival.token,
                ))
                advance(1)
        finally:
            record_landings(catalog, root.home, landed)
    reach("landing.logged")
    return landed


def _payload(path: Path) -> Payload:
    try:
        return Payload(path.stat().st_size, partial(_blocks, path))
    except OSError as error:
        raise _unreadable(path, error) from None


def _blocks(path: Path) -> Iterator[bytes]:
    try:
        yield from read_blocks(path)
    except OSError as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(f"{path}: cannot be read ({error.strerror}). Remedy: check its permissions, land it again.")


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(file for file in path.rglob("*") if file.is_file())
    if not path.exists():
        raise ConfigurationError(f"{path}: no such file. Remedy: check the path.")
    return [path]
