"""The facilities registry: YAML text -> checked, frozen values.

Belongs here: the keys of `facilities.yaml`, what they may hold, how entries follow one another. Does not belong here:
the types (`entry.py`), the `ref` tables (`registry_tables.py`). Every refusal is a ConfigurationError that names file,
line and remedy, for example `facilities.yaml:17: unknown time zone 'X'. Remedy: an IANA name such as America/New_York`.
"""

from __future__ import annotations

import codecs
import re
import zoneinfo
from dataclasses import replace
from functools import lru_cache
from importlib import resources

from transforms.facilities.contract_change import by_contract
from transforms.facilities.datetime_formats import SUPPORTED_DATETIME_FORMATS
from transforms.facilities.entry import OPEN_END, FacilityEntry, Registry, Source, SourceColumn, Trailer
from transforms.facilities.located_yaml import Located, read_yaml
from transforms.facilities.source_entry import read_source

__all__ = [
    "FacilityEntry", "Registry", "Source", "SourceColumn", "SUPPORTED_DATETIME_FORMATS", "Trailer",
    "load_registry", "shipped_registry_text",
]  # fmt: skip

_ENTRY_KEYS = {
    "default_authority", "authorities", "fhir_base_urls", "known_extensions", "modifier_extensions",
    "extraction_window", "code_maps", "sources", "authorities_by_oid", "issuers", "trading_partners",
    "fhir_deviations", "phones", "addresses",
}  # fmt: skip
_ENTRY_REQUIRED = ("facility_id", "valid_from", "name", "region", "owner", "timezone", "charset", "source_system")
_PARTNER_KEYS = {"claim_versions", "remittance_versions", "eligibility_versions"}
_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]*")
_ELEMENT_PATH = re.compile(r"[A-Z][A-Za-z]*(\._?[A-Za-z][A-Za-z0-9]*)+")
_CLOCK_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


def shipped_registry_text() -> str:
    """Text of the registry that is part of the product."""
    return resources.files("transforms.facilities").joinpath("facilities.yaml").read_text(encoding="utf-8")


def load_registry(text: str, name: str = "facilities.yaml") -> Registry:
    """Registry of a YAML text. `name` is what error messages call the text.

    Raises ConfigurationError for the first thing that is wrong."""
    root = read_yaml(text, name).mapping(required=("registry_version", "first_batch_date", "facilities"))
    unknown = set(root) - {"registry_version", "first_batch_date", "facilities"}
    if unknown:
        key = sorted(unknown)[0]
        root[key].fail(f"unknown key {key!r}", "one of registry_version, first_batch_date, facilities")
    places = root["facilities"].items()
    if not places:
        root["facilities"].fail("no facility is registered", "at least one entry with a facility_id")
    return Registry(
        version=root["registry_version"].integer(1),
        first_batch_date=root["first_batch_date"].day(),
        entries=_close_intervals([(_entry(place), place) for place in places]),
    )


def _close_intervals(read: list[tuple[FacilityEntry, Located]]) -> tuple[FacilityEntry, ...]:
    """End each entry where the next one of its facility begins, and cut it where a contract changes; valid_from must rise."""
    following: dict[str, FacilityEntry] = {}
    closed: list[FacilityEntry] = []
    for entry, place in reversed(read):
        later = following.get(entry.facility_id)
        if later is not None and entry.valid_from >= later.valid_from:
            place.fail(
                f"facility {entry.facility_id!r}: valid_from {entry.valid_from} does not come before its next entry's",
                "one entry for each valid_from, in rising order",
            )
        closed.append(replace(entry, valid_to=later.valid_from if later else OPEN_END))
        following[entry.facility_id] = entry
    return tuple(piece for entry in reversed(closed) for piece in by_contract(entry))


def _entry(place: Located) -> FacilityEntry:
    keys = place.mapping(_ENTRY_KEYS, _ENTRY_REQUIRED)
    authorities = _text_map(keys.get("authorities"))
    default = keys["default_authority"].one_of(authorities) if "default_authority" in keys else None
    charset = _charset(keys["charset"])
    owner = keys["owner"].text()
    sources = keys["sources"].mapping() if "sources" in keys else {}
    return FacilityEntry(
        facility_id=_identifier(keys["facility_id"]),
        valid_from=keys["valid_from"].day(),
        valid_to=OPEN_END,
        name=keys["name"].text(),
        region=keys["region"].text(),
        owner=owner,
        timezone=time_zone(keys["timezone"]),
        charset=charset,
        source_system=keys["source_system"].text(),
        default_authority=default,
        authorities=authorities,
        fhir_base_urls=keys["fhir_base_urls"].texts() if "fhir_base_urls" in keys else (),
        known_extensions=keys["known_extensions"].texts() if "known_extensions" in keys else (),
        modifier_extensions=_modifier_extensions(keys.get("modifier_extensions")),
        extraction_window=_window(keys.get("extraction_window")),
        code_maps=_code_maps(keys.get("code_maps")),
        authorities_by_oid=_text_map(keys.get("authorities_by_oid")),
        issuers=_text_map(keys.get("issuers")),
        trading_partners=_trading_partners(keys.get("trading_partners")),
        fhir_deviations=_deviations(keys.get("fhir_deviations")),
        phones=_phones(keys.get("phones")),
        addresses=_addresses(keys.get("addresses")),
        sources={
            source: read_source(source, value, owner, charset, time_zone) for source, value in sources.items()
            if _source_name(source, value)
        },
    )


def _identifier(place: Located) -> str:
    value = place.text()
    if not _IDENTIFIER.fullmatch(value):
        place.fail("the facility_id is no identifier", "lower-case letters, digits and _, a letter first")
    return value


def _source_name(source: str, place: Located) -> bool:
    if not _IDENTIFIER.fullmatch(source):
        place.fail(f"source name {source!r} is no identifier", "lower-case letters, digits and _, a letter first")
    return True


@lru_cache(maxsize=1)
def _zone_names() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def time_zone(place: Located) -> str:
    """IANA name of a time zone."""
    value = place.text()
    if value not in _zone_names():
        place.fail("unknown time zone", "an IANA name such as America/New_York")
    return value


def _charset(place: Located) -> str:
    value = place.text()
    try:
        codecs.lookup(value)
    except LookupError:
        place.fail("unknown character set", "a codec name such as utf-8, windows-1252 or iso-8859-1")
    return value


def _text_map(place: Located | None) -> dict[str, str]:
    return {key: value.text() for key, value in place.mapping().items()} if place else {}


def _deviations(place: Located | None) -> frozenset[str]:
    """Paths of FHIR elements without positions."""
    paths = place.texts() if place is not None else ()
    for path in paths:
        if not _ELEMENT_PATH.fullmatch(path) and place is not None:
            place.fail("no path of a FHIR element", "a path such as Patient.address.buildingNumber, without positions")
    return frozenset(paths)


def _phones(place: Located | None) -> tuple[str, ...]:
    """The facility's own numbers, as written."""
    numbers = place.items() if place is not None else []
    for number in numbers:
        if len(re.sub("[^0-9]", "", number.text())) < 10:
            number.fail("a phone has fewer than ten digits", "the whole number, such as '503-555-0100'")
    return tuple(number.text() for number in numbers)


def _addresses(place: Located | None) -> tuple[tuple[str, str], ...]:
    """The facility's own addresses: first line and postal code."""
    found = []
    for address in place.items() if place is not None else []:
        keys = address.mapping((), ("line", "postal_code"))
        if not re.match(r"\s*([0-9]|P\.? ?O\.? BOX)", keys["line"].text(), re.IGNORECASE):
            keys["line"].fail("an address does not begin with a house number or a post box", "a line such as '100 Main St'")
        found.append((keys["line"].text(), keys["postal_code"].text()))
    return tuple(found)


def _modifier_extensions(place: Located | None) -> dict[str, dict[str, str]]:
    if place is None:
        return {}
    return {
        url: {key: value.text() for key, value in effect.mapping((), ("when", "set_status")).items()}
        for url, effect in place.mapping().items()
    }


def _window(place: Located | None) -> tuple[str, str] | None:
    if place is None:
        return None
    keys = place.mapping((), ("from", "to"))
    for end in keys.values():
        if not _CLOCK_TIME.fullmatch(end.text()):
            end.fail(f"{end.path} is no time of day", 'quoted HH:MM, such as "01:00"')
    return keys["from"].text(), keys["to"].text()


def _trading_partners(place: Located | None) -> dict[str, dict[str, tuple[str, ...]]]:
    if place is None:
        return {}
    return {
        partner: {family: versions.texts() for family, versions in kinds.mapping(_PARTNER_KEYS).items()}
        for partner, kinds in place.mapping().items()
    }


def _code_maps(place: Located | None) -> dict[str, dict[str, tuple[str, str]]]:
    if place is None:
        return {}
    maps: dict[str, dict[str, tuple[str, str]]] = {}
    for map_name, codes in place.mapping().items():
        maps[map_name] = {}
        for local_code, target in codes.mapping().items():
            keys = target.mapping((), ("system", "code"))
            maps[map_name][local_code] = (keys["system"].text(), keys["code"].text())
    return maps
