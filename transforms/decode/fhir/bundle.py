"""Entries of a Bundle, each with its text as sent (FHIR R4 bundle.html).

Belongs here: cutting a Bundle into entries. Does not belong here: judging them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from transforms.decode.json_text import JsonReader, Member, text_of

_TARGET = re.compile(r"(?:^|/)([A-Z][A-Za-z]{0,63})(?:/([A-Za-z0-9.\-]{1,64}))?(?:/_history/[^/?]*)?/?(?:\?.*)?$", re.DOTALL)


@dataclass(frozen=True)
class Entry:
    """One entry. `resource` is null where it brings none; `value` is the whole entry; `target` is the type and id that
    a DELETE names, null for any other entry; `modified` is when the server did what the entry tells of; `repeats` tells of
    repeated names anywhere in it."""

    value: Any
    text: str
    resource: Any
    resource_text: str
    full_url: str | None
    target: tuple[str, str | None] | None
    is_delete: bool
    modified: str | None
    repeats: bool


@dataclass(frozen=True)
class Bundle:
    """A Bundle: when it was updated, else assembled (timestamp), its entries, and whether its own members (entries apart) repeat a name."""

    last_updated: str | None
    entries: list[Entry]
    repeats: bool


def is_bundle(value: Any) -> bool:
    """Is a JSON value a Bundle whose entries, if any, are an array?"""
    return (
        isinstance(value, dict) and value.get("resourceType") == "Bundle" and isinstance(value.get("entry", []), list)
    )


def read_bundle(reader: JsonReader, text: str) -> Bundle:
    """Bundle of a text that has been parsed and found to be one."""
    entries: list[Entry] = []
    names: set[str] = set()
    repeats = False
    last_updated: str | None = None
    timestamp: str | None = None
    for member in reader.members(text):
        repeats = repeats or member.name in names
        names.add(member.name)
        if member.name == "entry" and isinstance(member.value, list):
            entries = [_entry(reader, element) for element in reader.elements(member.text)]
            continue
        repeats = repeats or member.repeats
        if member.name == "meta" and isinstance(member.value, dict):
            last_updated = text_of(member.value.get("lastUpdated"))
        if member.name == "timestamp":
            timestamp = text_of(member.value)
    return Bundle(last_updated or timestamp, entries, repeats)


def _entry(reader: JsonReader, element: Member) -> Entry:
    value = element.value if isinstance(element.value, dict) else {}
    request = value.get("request")
    response = value.get("response")
    is_delete = isinstance(request, dict) and request.get("method") == "DELETE" and "resource" not in value
    resource_text = ""
    if "resource" in value:
        resource_text = next(m.text for m in reader.members(element.text) if m.name == "resource")
    return Entry(
        value=element.value,
        text=element.text,
        resource=value.get("resource"),
        resource_text=resource_text,
        full_url=text_of(value.get("fullUrl")),
        target=_target(text_of(request.get("url"))) if is_delete and isinstance(request, dict) else None,
        is_delete=is_delete,
        modified=text_of(response.get("lastModified")) if isinstance(response, dict) else None,
        repeats=element.repeats,
    )


def _target(url: str | None) -> tuple[str, str | None] | None:
    """Type and id of `Observation/o1`, relative or absolute; a conditional delete has no id."""
    match = _TARGET.search(url or "")
    return (match[1], match[2]) if match else None
