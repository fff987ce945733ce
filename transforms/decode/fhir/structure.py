"""Is a resource formed as FHIR R4 says? The judgement at the gate, with a reason code and the places of the breaches.

Belongs here: what a breach of the schema means for the resource. Does not belong here: the schema (`r4_schema.py`), rules about values that
staging reads (dates, references, extensions). Types that have no facts are not judged. Places are paths of elements
(`Patient.address[0].use`), never values: the name of an element that R4 does not know is shown only where it could be one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from jsonschema_rs import Draft202012Validator, ValidationError, ValidationErrorKind

from transforms.decode.fhir.r4_schema import resource_schema, resource_types

# In the order in which the first one found gives the resource's reason.
INVALID_STRUCTURE = "fhir.invalid_structure"
MISSING_ELEMENT = "fhir.missing_required_element"
INVALID_CODE = "fhir.invalid_code"
_SEVERITY = (INVALID_STRUCTURE, MISSING_ELEMENT, INVALID_CODE)

_NAME = re.compile(r"_?[A-Za-z][A-Za-z0-9]{0,63}")
_INDEX = re.compile(r"\[\d+\]")
_SHOWN = 5  # places that a reason lists; the rest is counted
_LOOKED_AT = 200  # breaches of one resource, so that a hostile one takes no more time than it has bytes


@dataclass(frozen=True, order=True)
class Breach:
    """A rule that a resource breaks: the rank of its code, and the path of the element."""

    rank: int
    path: str


def breaches(resource_type: str, value: Any, deviations: Collection[str] = ()) -> tuple[str, str] | None:
    """Reason code of a resource and the places of its breaches; null where it has none, or its type is not judged.

    `value` comes from `JsonReader`. `deviations` are paths without positions (`Patient.address.buildingNumber`) at which the facility is
    known to deviate."""
    if resource_type not in resource_types():
        return None
    validator = _validator(resource_type)
    if validator.is_valid(value):
        return None
    found = sorted(one for one in set(_found(validator, resource_type, value)) if _INDEX.sub("", one.path) not in deviations)
    if not found:
        return None
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return _SEVERITY[found[0].rank], ", ".join(one.path for one in found[:_SHOWN]) + more


@cache
def _validator(resource_type: str) -> Draft202012Validator:
    return Draft202012Validator(resource_schema(resource_type))


def _found(validator: Draft202012Validator, resource_type: str, value: Any) -> Iterator[Breach]:
    for number, error in enumerate(validator.iter_errors(value)):
        if number == _LOOKED_AT:
            return
        path = resource_type + "".join(f".{_shown(step)}" if isinstance(step, str) else f"[{step}]" for step in error.instance_path)
        yield from _of_error(error, path)


def _of_error(error: ValidationError, path: str) -> Iterator[Breach]:
    kind = error.kind
    if isinstance(kind, ValidationErrorKind.Required):
        yield Breach(1, f"{path}.{kind.property}")
    elif isinstance(kind, ValidationErrorKind.AnyOf):  # a required element under one of several names: the first stands for it
        first = kind.context[0][0].kind
        assert isinstance(first, ValidationErrorKind.Required)  # nothing else is in such a list
        yield Breach(1, f"{path}.{first.property}")
    elif isinstance(kind, ValidationErrorKind.MinItems):
        yield Breach(1, path)
    elif isinstance(kind, ValidationErrorKind.Enum):
        yield Breach(2, path)
    elif isinstance(kind, ValidationErrorKind.AdditionalProperties):
        for name in kind.unexpected:
            yield Breach(0, f"{path}.{_shown(name)}")
    else:  # another JSON type, a number for a text or a text for a number, an empty text
        yield Breach(0, path)


def _shown(name: str) -> str:
    return name if _NAME.fullmatch(name) else "?"
