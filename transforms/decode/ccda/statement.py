"""A clinical statement (act, observation, organizer, …) flattened into named columns (CDA R2 s4.3.6, data types R1).

Belongs here: which attribute of which element a column takes. Does not belong here: what a template or code means (dbt).
Columns are named by the CDA's elements: `effective_time_low` is effectiveTime/low/@value. A code with its translations is a list of
codings: the main one first, then its translations, each with the code system's object identifier.
Each element is looked at once, since asking the tree costs more than all else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from transforms.decode.ccda.document import CDA

_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_FREQUENCIES = ("PIVL_TS", "EIVL_TS")  # effectiveTime that says how often, not when
_CODED = ("CD", "CE", "CV", "CO")
_TRANSLATION, _ORIGINAL = f"{CDA}translation", f"{CDA}originalText"
_MATERIAL_CODE = f"{CDA}manufacturedProduct/{CDA}manufacturedMaterial/{CDA}code"
_PARTICIPANT_CODE = f"{CDA}participantRole/{CDA}playingEntity/{CDA}code"
STATEMENT_COLUMNS = (
    "element", "class_code", "mood_code", "negation_ind", "null_flavor", "template_ids", "id_root", "id_extension", "status_code",
    "effective_time_value", "effective_time_low", "effective_time_high", "value_type", "value_null_flavor", "value_value", "value_unit",
    "value_text", "value_low_value", "value_low_unit", "value_high_value", "value_high_unit", "value_numerator_value",
    "value_denominator_value", "text",
)
CODING_COLUMNS = ("code", "code_system", "code_system_name", "display_name", "null_flavor", "original_text")

Row = dict[str, str | None]


@dataclass
class Statement:
    """A statement's columns, and the codings of its elements: code, value, material (consumable), participant."""

    row: Row
    codings: dict[str, list[Row]] = field(default_factory=dict)


def _by_tag(**named: Any) -> Mapping[Any, Any]:
    """What belongs to elements of some names, by their tags: in the CDA's namespace or in none (`document.local_name`)."""
    return {**named, **{f"{CDA}{name}": one for name, one in named.items()}}


_STATEMENT_NAMES = ("act", "encounter", "observation", "observationMedia", "organizer", "procedure", "regionOfInterest",
                    "substanceAdministration", "supply")
_STATEMENTS = _by_tag(**{name: name for name in _STATEMENT_NAMES})
_NESTS = frozenset(_by_tag(entryRelationship=None, component=None))
_BOUNDS = _by_tag(low="low", high="high")
_RATIOS = _by_tag(numerator="numerator", denominator="denominator")


def statements(entry: Any) -> Iterator[tuple[Statement, int | None]]:
    """Clinical statements of an entry in document order, each with the place (from 1) of the one that it is nested in."""
    waiting: list[tuple[Any, int | None]] = [(one, None) for one in reversed(entry) if one.tag in _STATEMENTS]
    place = 0
    while waiting:
        element, parent = waiting.pop()
        place += 1
        found = Statement({
            "element": _STATEMENTS[element.tag], "class_code": element.get("classCode"), "mood_code": element.get("moodCode"),
            "negation_ind": element.get("negationInd"), "null_flavor": element.get("nullFlavor"),
        })
        inner: list[tuple[Any, int | None]] = []
        for child in element:
            tag = child.tag
            if (read := _READERS.get(tag)) is not None:
                read(child, found)
            elif tag in _NESTS:
                inner += [(one, place) for one in child if one.tag in _STATEMENTS]
        waiting += reversed(inner)
        yield found, parent


def _template_id(child: Any, found: Statement) -> None:
    found.row["template_ids"] = f"{found.row.get('template_ids') or '|'}{child.get('root') or ''}|"


def _id(child: Any, found: Statement) -> None:
    if found.row.get("id_root") is None:
        found.row["id_root"], found.row["id_extension"] = child.get("root"), child.get("extension")


def _status_code(child: Any, found: Statement) -> None:
    found.row["status_code"] = child.get("code")


def _effective_time(child: Any, found: Statement) -> None:
    row = found.row
    if "effective_time_value" in row or _type(child) in _FREQUENCIES:
        return
    row["effective_time_value"] = child.get("value")
    for part in child:
        if bound := _BOUNDS.get(part.tag):
            row[f"effective_time_{bound}"] = part.get("value")


def _text(child: Any, found: Statement) -> None:
    found.row["text"] = text_of(child)


def _code(child: Any, found: Statement) -> None:
    found.codings["code"] = coded(child)


def _value(child: Any, found: Statement) -> None:
    row = found.row
    if "value_type" in row:
        return
    row["value_type"] = _type(child) or ""
    row["value_null_flavor"], row["value_value"], row["value_unit"] = child.get("nullFlavor"), child.get("value"), child.get("unit")
    if row["value_type"] in _CODED or child.get("code") is not None or child.find(_TRANSLATION) is not None:
        found.codings["value"] = coded(child)
        return
    row["value_text"] = text_of(child)
    for part in child:
        if bound := _BOUNDS.get(part.tag):
            row[f"value_{bound}_value"], row[f"value_{bound}_unit"] = part.get("value"), part.get("unit")
        elif side := _RATIOS.get(part.tag):
            row[f"value_{side}_value"] = part.get("value")


def _consumable(child: Any, found: Statement) -> None:
    """The coded thing that is given."""
    code = child.find(_MATERIAL_CODE)
    if code is not None:
        found.codings["material"] = coded(code)


def _participant(child: Any, found: Statement) -> None:
    """The coded thing that a statement is about, as an allergen."""
    code = child.find(_PARTICIPANT_CODE) if child.get("typeCode") == "CSM" and "participant" not in found.codings else None
    if code is not None:
        found.codings["participant"] = coded(code)


_READERS: Mapping[Any, Callable[[Any, Statement], None]] = _by_tag(
    templateId=_template_id, id=_id, statusCode=_status_code, effectiveTime=_effective_time, text=_text, code=_code, value=_value,
    consumable=_consumable, participant=_participant)


def coded(element: Any) -> list[Row]:
    """Codings of a coded element: itself, then its translations."""
    found = [_coding(element)]
    if len(element):
        found += map(_coding, element.iterchildren(_TRANSLATION))
        original = next(element.iterchildren(_ORIGINAL), None)
        found[0]["original_text"] = text_of(original) if original is not None else None
    return found


def _coding(element: Any) -> Row:
    return {"code": element.get("code"), "code_system": element.get("codeSystem"), "code_system_name": element.get("codeSystemName"),
            "display_name": element.get("displayName"), "null_flavor": element.get("nullFlavor")}


def text_of(element: Any) -> str | None:
    """Text of an element with all inside it, blanks folded; null where there is none."""
    return " ".join("".join(element.itertext()).split()) or None


def _type(element: Any) -> str | None:
    name = element.get(_TYPE)
    return name.split(":")[-1] if name else None
