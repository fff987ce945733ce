"""A clinical statement (act, observation, organizer, …) flattened into named columns (CDA R2 s4.3.6, data types R1).

Belongs here: which attribute of which element a column takes. Does not belong here: what a template or code means (dbt).
Columns are named by the CDA's elements: `effective_time_low` is effectiveTime/low/@value. A code with its translations is a list of
codings: the main one first, then its translations, each with the code system's object identifier.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from transforms.decode.ccda.document import NAMESPACE

CDA = f"{{{NAMESPACE}}}"
_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
STATEMENTS = frozenset({"act", "encounter", "observation", "observationMedia", "organizer", "procedure", "regionOfInterest",
                        "substanceAdministration", "supply"})
_NESTS = frozenset({"entryRelationship", "component"})
_FREQUENCIES = ("PIVL_TS", "EIVL_TS")  # effectiveTime that says how often, not when
_PRODUCT_CODES = {
    "consumable": f"{CDA}manufacturedProduct/{CDA}manufacturedMaterial/{CDA}code",
    "participant": f"{CDA}participantRole/{CDA}playingEntity/{CDA}code",
}
STATEMENT_COLUMNS = (
    "element", "class_code", "mood_code", "negation_ind", "null_flavor", "template_ids", "id_root", "id_extension", "status_code",
    "effective_time_value", "effective_time_low", "effective_time_high", "value_type", "value_null_flavor", "value_value", "value_unit",
    "value_text", "value_low_value", "value_low_unit", "value_high_value", "value_high_unit", "value_numerator_value",
    "value_denominator_value", "text",
)
CODING_COLUMNS = ("code", "code_system", "code_system_name", "display_name", "null_flavor", "original_text")

Row = dict[str, str | None]


def local_name(element: Any) -> str:
    """Name of an element of the CDA namespace, with the namespace otherwise; empty for comments and the like."""
    tag = element.tag
    return tag.removeprefix(CDA) if isinstance(tag, str) else ""


def statements(entry: Any) -> Iterator[tuple[Any, int | None]]:
    """Clinical statements of an entry in document order, each with the place (from 1) of the one that it is nested in."""
    found: list[Any] = []
    waiting: list[tuple[Any, int | None]] = [(one, None) for one in reversed(list(entry)) if local_name(one) in STATEMENTS]
    while waiting:
        element, parent = waiting.pop()
        found.append(element)
        yield element, parent
        place = len(found)
        inner = [one for nest in element if local_name(nest) in _NESTS for one in nest if local_name(one) in STATEMENTS]
        waiting.extend((one, place) for one in reversed(inner))


def statement_row(element: Any) -> tuple[Row, dict[str, list[Row]]]:
    """Columns of a statement, and the codings of its elements: code, value, material (consumable), participant."""
    row: Row = {
        "element": local_name(element), "class_code": element.get("classCode"), "mood_code": element.get("moodCode"),
        "negation_ind": element.get("negationInd"), "null_flavor": element.get("nullFlavor"),
    }
    templates: list[str] = []
    codings: dict[str, list[Row]] = {}
    for child in element:
        name = local_name(child)
        if name == "templateId":
            templates.append(child.get("root") or "")
        elif name == "id" and row.get("id_root") is None:
            row["id_root"], row["id_extension"] = child.get("root"), child.get("extension")
        elif name == "statusCode":
            row["status_code"] = child.get("code")
        elif name == "effectiveTime":
            _effective_time(child, row)
        elif name == "text":
            row["text"] = text_of(child)
        elif name == "code":
            codings["code"] = coded(child)
        elif name == "value" and "value_type" not in row:
            _value(child, row, codings)
        elif name in ("consumable", "participant"):
            _product(child, name, codings)
    row["template_ids"] = f"|{'|'.join(templates)}|" if templates else None
    return row, codings


def _effective_time(child: Any, row: Row) -> None:
    if _type(child) in _FREQUENCIES or "effective_time_value" in row:
        return
    row["effective_time_value"] = child.get("value")
    for part in child:
        if local_name(part) in ("low", "high"):
            row[f"effective_time_{local_name(part)}"] = part.get("value")


def _value(child: Any, row: Row, codings: dict[str, list[Row]]) -> None:
    row["value_type"] = _type(child) or ""
    row["value_null_flavor"], row["value_value"], row["value_unit"] = child.get("nullFlavor"), child.get("value"), child.get("unit")
    if child.get("code") is not None or child.find(f"{CDA}translation") is not None or row["value_type"] in ("CD", "CE", "CV", "CO"):
        codings["value"] = coded(child)
        return
    row["value_text"] = text_of(child)
    for part in child:
        name = local_name(part)
        if name in ("low", "high"):
            row[f"value_{name}_value"], row[f"value_{name}_unit"] = part.get("value"), part.get("unit")
        elif name in ("numerator", "denominator"):
            row[f"value_{name}_value"] = part.get("value")


def _product(child: Any, name: str, codings: dict[str, list[Row]]) -> None:
    """The coded thing that is given (consumable), or that a statement is about (participant, as an allergen)."""
    if name == "participant" and (child.get("typeCode") != "CSM" or "participant" in codings):
        return
    code = child.find(_PRODUCT_CODES[name])
    if code is not None:
        codings["material" if name == "consumable" else "participant"] = coded(code)


def coded(element: Any) -> list[Row]:
    """Codings of a coded element: itself, then its translations."""
    listed = [element, *element.iterfind(f"{CDA}translation")]
    original = element.find(f"{CDA}originalText")
    text = text_of(original) if original is not None else None
    return [
        {"code": one.get("code"), "code_system": one.get("codeSystem"), "code_system_name": one.get("codeSystemName"),
         "display_name": one.get("displayName"), "null_flavor": one.get("nullFlavor"), "original_text": text if place == 0 else None}
        for place, one in enumerate(listed)
    ]


def text_of(element: Any) -> str | None:
    """Text of an element with all inside it, blanks folded; null where there is none."""
    return " ".join("".join(element.itertext()).split()) or None


def _type(element: Any) -> str | None:
    name = element.get(_TYPE)
    return name.split(":")[-1] if name else None
