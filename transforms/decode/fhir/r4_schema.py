"""JSON Schema of the FHIR R4 resource types, made from the table of element definitions beside it (`r4_element.csv`).

Belongs here: what the standard says of the form of a resource (R4 json.html, elementdefinition.html). Does not belong here: what a breach
means (`structure.py`), what an element means (dbt). The table has one row an element: path, least and greatest number, types, and the codes
of a required binding; `tests/fhir_definitions/write_elements.py` writes it from the standard's StructureDefinitions. Values are those of
`JsonReader`: numbers are texts marked by a leading NUL.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string", "pattern": "^[^\0]"}
_URI: Schema = {"type": "string", "pattern": "^[^\0\\s]\\S*$"}  # no blanks (R4 s2.24.0.1, uri)
_NUMBER: Schema = {"type": "string", "pattern": "^\0"}
# What R4 writes as a JSON boolean or number; every other primitive is a text that is not empty (R4 json.html#primitive). The lexical form
# of dates is judged where they are read (`fhir_datetime`).
_PRIMITIVES: dict[str, Schema] = {
    "boolean": {"type": "boolean"}, **dict.fromkeys(("decimal", "integer", "positiveInt", "unsignedInt"), _NUMBER),
    **dict.fromkeys(("uri", "url", "canonical"), _URI),
}
_EXTENSIONS: Schema = {"type": "array", "items": {"$ref": "#/$defs/Extension"}}
_PARTS: Schema = {"id": _TEXT, "extension": _EXTENSIONS}
_BACKBONE: Schema = {**_PARTS, "modifierExtension": _EXTENSIONS}
_BACKBONE_TYPES = frozenset({"Dosage", "Timing"})  # data types that are backbone elements (R4 backboneelement.html)
_RESOURCE: Schema = {
    "resourceType": _TEXT, "id": _TEXT, "implicitRules": _TEXT, "language": _TEXT, "meta": {"$ref": "#/$defs/Meta"},
    "text": {"$ref": "#/$defs/Narrative"}, "contained": {"type": "array", "items": {"type": "object", "required": ["resourceType"]}},
    "extension": _EXTENSIONS, "modifierExtension": _EXTENSIONS,
}
# Elements that senders write in the form of other versions or in words of their own, and that staging reads in every such form
# (`stg_fhir__encounter`): not judged here.
_READ_IN_EVERY_FORM = frozenset({"Encounter.class", "Encounter.status"})


@dataclass(frozen=True)
class Element:
    """One row of the table. `types` of a choice (`value[x]`) are many; a type beginning with `#` is another element's content."""

    path: str
    is_required: bool
    is_list: bool
    types: tuple[str, ...]
    codes: tuple[str, ...]

    @property
    def parent(self) -> str:
        """Path of the element or type that it belongs to."""
        return self.path.rpartition(".")[0]

    @property
    def names(self) -> dict[str, str]:
        """Its names in JSON with the type of each: `valueQuantity`, `valueString` … of a choice, else its own name."""
        name = self.path.rpartition(".")[2]
        if name.endswith("[x]"):
            return {name[:-3] + kind[0].upper() + kind[1:]: kind for kind in self.types}
        return {name: self.types[0]}


@cache
def elements() -> tuple[Element, ...]:
    """Rows of the table."""
    text = (files("transforms.decode.fhir") / "r4_element.csv").read_text(encoding="utf-8")
    return tuple(
        Element(row["path"], row["min"] != "0", row["max"] == "*", tuple(row["types"].split()), tuple(row["codes"].split()))
        for row in csv.DictReader(text.splitlines())
    )


@cache
def resource_types() -> frozenset[str]:
    """Types whose form is known: those that the canonical model has facts of."""
    data_types = {kind for element in elements() for kind in element.types} | {"Meta", "Narrative"}
    return frozenset({element.path.split(".")[0] for element in elements()} - data_types)


def resource_schema(resource_type: str) -> Schema:
    """Schema of a resource of a type, with all that it refers to."""
    found: Schema = {"$defs": {}}
    _complete(found["$defs"], _object(resource_type, _RESOURCE), found)
    return found


def _complete(defined: Schema, schema: Schema, found: Schema) -> None:
    """Add a schema, and the definitions that it refers to, to `found`."""
    found.update(schema)
    waiting = [schema]
    while waiting:
        for name in _references(waiting.pop()) - defined.keys():
            defined[name] = _definition(name)
            waiting.append(defined[name])


def _references(schema: Any) -> set[str]:
    if isinstance(schema, list):
        return set().union(*map(_references, schema))
    if not isinstance(schema, dict):
        return set()
    own = {schema["$ref"].rpartition("/")[2]} if isinstance(schema.get("$ref"), str) else set[str]()
    return own.union(*map(_references, schema.values()))


def _definition(name: str) -> Schema:
    if name == "Extension":  # any value; what extensions mean is decided by their url (`stg_fhir__extension`)
        return {"type": "object", "properties": {"url": _TEXT, "extension": _EXTENSIONS}, "required": ["url"]}
    if name.startswith("Element"):  # what stands beside a primitive under its name with an underscore; null keeps lists in step
        return {"type": ["object", "null"] if name == "ElementOrNull" else "object", "properties": _PARTS, "additionalProperties": False}
    return _object(name, _BACKBONE if name in _BACKBONE_TYPES else _PARTS)


def _object(path: str, common: Schema) -> Schema:
    """Schema of a type or of an element that has parts."""
    properties, required, either = dict(common), [], []
    for element in _children()[path]:
        for name, kind in element.names.items():
            properties.update(_property(element, name, kind))
        ways = [{"required": [f"{mark}{name}"]} for name in element.names for mark in ("", "_") if f"{mark}{name}" in properties]
        if element.is_required and len(ways) == 1:
            required.append(ways[0]["required"][0])
        elif element.is_required:
            either.append({"anyOf": ways})
    schema: Schema = {"type": "object", "properties": properties, "additionalProperties": False, "required": required}
    return {**schema, "allOf": either} if either else schema


@cache
def _children() -> dict[str, list[Element]]:
    """Elements of each type and of each element that has parts."""
    children: dict[str, list[Element]] = {}
    for element in elements():
        children.setdefault(element.parent, []).append(element)
    return children


def _property(element: Element, name: str, kind: str) -> Schema:
    """The element under one of its names; a primitive has a companion for id and extensions (R4 json.html#primitive)."""
    if element.path in _READ_IN_EVERY_FORM:
        return {name: {}, f"_{name}": {}}
    if kind in ("BackboneElement", "Element"):
        return {name: _listed(element, _object(element.path, _BACKBONE if kind == "BackboneElement" else _PARTS))}
    if kind.startswith("#"):
        return {name: _listed(element, _object(kind[1:], _BACKBONE))}
    if kind[0].isupper():
        return {name: _listed(element, {"$ref": f"#/$defs/{kind}"})}
    value = _PRIMITIVES.get(kind, _TEXT)
    if element.is_list:  # nulls keep it in step with its companion
        value = {**value, "type": [value["type"], "null"]}
    if element.codes:
        value = {**value, "enum": [*element.codes, None] if element.is_list else list(element.codes)}
    companion = {"$ref": "#/$defs/ElementOrNull" if element.is_list else "#/$defs/Element"}
    return {name: _listed(element, value), f"_{name}": _listed(element, companion)}


def _listed(element: Element, schema: Schema) -> Schema:
    return {"type": "array", "items": schema, "minItems": int(element.is_required)} if element.is_list else schema
