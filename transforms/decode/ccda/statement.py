"""A clinical statement (act, observation, organizer, …) flattened into named columns (CDA R2 s4.3.6, data types R1).

Belongs here: which attribute of which element a column takes. Does not belong here: what a template or code means (dbt).
Columns are named by the CDA's elements: `effective_time_low` is effectiveTime/low/@value; an interval's center is its value, and of a
compound time (SXPR_TS) the first part counts that says when. A code with its translations is a list of codings: the main one first, then
its translations, each with the code system's object identifier.
Each element is looked at once, since asking the tree costs more than all else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from transforms.decode.ccda.document import CDA
from transforms.decode.ccda.narrative import Narrative, text_of

_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_FREQUENCIES = ("PIVL_TS", "EIVL_TS")  # effectiveTime that says how often, not when
_CODED = ("CD", "CE", "CV", "CO", "CS")
_CODE, _NAME = f"{CDA}code", f"{CDA}name"
_TRANSLATION, _ORIGINAL = f"{CDA}translation", f"{CDA}originalText"
_COMPOUND, _PART = "SXPR_TS", f"{CDA}comp"
_MATERIAL = f"{CDA}manufacturedProduct/{CDA}manufacturedMaterial"
_PARTICIPANT = f"{CDA}participantRole/{CDA}playingEntity"
STATEMENT_COLUMNS = (
    "element", "class_code", "mood_code", "negation_ind", "null_flavor", "template_ids", "id_root", "id_extension", "status_code",
    "effective_time_value", "effective_time_low", "effective_time_high", "effective_time_high_null_flavor",
    "value_type", "value_null_flavor", "value_value", "value_unit", "value_text",
    "value_low_value", "value_low_unit", "value_low_inclusive", "value_high_value", "value_high_unit", "value_high_inclusive",
    "value_numerator_value", "value_denominator_value", "text",
)
CODING_COLUMNS = ("code", "code_system", "code_system_name", "display_name", "null_flavor", "original_text")

Row = dict[str, str | None]


@dataclass
class Statement:
    """A statement's columns, and the codings of its elements: code, value, material (consumable), participant. Where it only refers to the
    narrative of its document, the text is that of the narrative."""

    narrative: Narrative
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
_CENTERS = frozenset(_by_tag(center=None))
_RATIOS = _by_tag(numerator="numerator", denominator="denominator")


def statements(entry: Any, narrative: Narrative) -> Iterator[tuple[Statement, int | None]]:
    """Clinical statements of an entry in document order, each with the place (from 1) of the one that it is nested in."""
    waiting: list[tuple[Any, int | None]] = [(one, None) for one in reversed(entry) if one.tag in _STATEMENTS]
    place = 0
    while waiting:
        element, parent = waiting.pop()
        place += 1
        found = Statement(narrative, {
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
    kind = _type(child)
    if "effective_time_value" in row or kind in _FREQUENCIES:
        return
    if kind == _COMPOUND:
        for part in child.iterchildren(_PART):
            _effective_time(part, found)
        return
    row["effective_time_value"] = child.get("value")
    for part in child:
        if bound := _BOUNDS.get(part.tag):
            row[f"effective_time_{bound}"] = part.get("value")
            if bound == "high":
                row["effective_time_high_null_flavor"] = part.get("nullFlavor")
        elif part.tag in _CENTERS:
            row["effective_time_value"] = part.get("value")


def _text(child: Any, found: Statement) -> None:
    found.row["text"] = found.narrative.text_of(child)


def _code(child: Any, found: Statement) -> None:
    found.codings["code"] = coded(child, found.narrative)


def _value(child: Any, found: Statement) -> None:
    row = found.row
    if "value_type" in row:
        return
    row["value_type"] = _type(child) or ""
    row["value_null_flavor"], row["value_value"], row["value_unit"] = child.get("nullFlavor"), child.get("value"), child.get("unit")
    # The translation of a quantity is the same quantity in another unit, no code (data types R1, PQR).
    is_coded = child.get("code") is not None or not row["value_type"] and child.find(_TRANSLATION) is not None
    if is_coded or row["value_type"] in _CODED:
        found.codings["value"] = coded(child, found.narrative)
        return
    row["value_text"] = found.narrative.text_of(child)
    for part in child:
        if bound := _BOUNDS.get(part.tag):
            row[f"value_{bound}_value"], row[f"value_{bound}_unit"] = part.get("value"), part.get("unit")
            row[f"value_{bound}_inclusive"] = part.get("inclusive")
        elif side := _RATIOS.get(part.tag):
            row[f"value_{side}_value"] = part.get("value")


def _consumable(child: Any, found: Statement) -> None:
    """The coded thing that is given."""
    _product(child.find(_MATERIAL), "material", found)


def _participant(child: Any, found: Statement) -> None:
    """The coded thing that a statement is about, as an allergen."""
    if child.get("typeCode") == "CSM" and "participant" not in found.codings:
        _product(child.find(_PARTICIPANT), "participant", found)


def _product(product: Any, element: str, found: Statement) -> None:
    """A thing's code; its name is its text where the code has none."""
    code = product.find(_CODE) if product is not None else None
    named = product.find(_NAME) if product is not None else None
    listed: list[Row] = coded(code, found.narrative) if code is not None else [{}] if named is not None else []
    if named is not None and not listed[0].get("original_text") and not listed[0].get("display_name"):
        listed[0]["original_text"] = text_of(named)
    if listed:
        found.codings[element] = listed


_READERS: Mapping[Any, Callable[[Any, Statement], None]] = _by_tag(
    templateId=_template_id, id=_id, statusCode=_status_code, effectiveTime=_effective_time, text=_text, code=_code, value=_value,
    consumable=_consumable, participant=_participant)


def coded(element: Any, narrative: Narrative) -> list[Row]:
    """Codings of a coded element: itself, then its translations."""
    found = [_coding(element)]
    if len(element):
        found += map(_coding, element.iterchildren(_TRANSLATION))
        original = next(element.iterchildren(_ORIGINAL), None)
        found[0]["original_text"] = narrative.text_of(original) if original is not None else None
    return found


def _coding(element: Any) -> Row:
    return {"code": element.get("code"), "code_system": element.get("codeSystem"), "code_system_name": element.get("codeSystemName"),
            "display_name": element.get("displayName"), "null_flavor": element.get("nullFlavor")}


def _type(element: Any) -> str | None:
    name = element.get(_TYPE)
    return name.split(":")[-1] if name else None
