"""The header of a CDA document: what it is, when it was made, whom it is about (CDA R2 s4.2; US Realm Header).

Belongs here: columns of raw_ccda__document and raw_ccda__record_target. Does not belong here: which identifier is whose (dbt).
Of several names the legal one (use L) is kept, else the first that is no pseudonym (P, A); the family name at birth (BR) gives way to
another. `telecom` holds every address in use, joined by bars, which no URI holds; `race_code` every code, those that follow in
sdtc:raceCode too, joined by commas.
"""

from __future__ import annotations

from typing import Any

from transforms.decode.ccda.document import CDA
from transforms.decode.ccda.narrative import text_of
from transforms.decode.ccda.statement import Row

DOCUMENT_COLUMNS = (
    "id_root", "id_extension", "type_code", "type_code_system", "title", "effective_time", "set_id_root", "set_id_extension",
    "version_number",
)
TARGET_COLUMNS = (
    "id_root", "id_extension", "name_family", "name_given", "name_suffix", "gender_code", "birth_time", "marital_status_code", "race_code",
    "ethnic_group_code", "telecom", "street_address_line", "city", "state", "postal_code",
)

_MORE_RACES = "{urn:hl7-org:sdtc}raceCode"


def document_row(root: Any) -> Row:
    """What the header says of the document."""
    return {
        "id_root": _attribute(root, "id", "root"), "id_extension": _attribute(root, "id", "extension"),
        "type_code": _attribute(root, "code", "code"), "type_code_system": _attribute(root, "code", "codeSystem"),
        "title": _text(root, "title"), "effective_time": _attribute(root, "effectiveTime", "value"),
        "set_id_root": _attribute(root, "setId", "root"), "set_id_extension": _attribute(root, "setId", "extension"),
        "version_number": _attribute(root, "versionNumber", "value"),
    }


def target_rows(root: Any) -> list[list[Row]]:
    """Of each recordTarget one row an identifier; one without identifiers has none."""
    return [_identifiers(role) for role in root.iterfind(f"{CDA}recordTarget/{CDA}patientRole")]


def has_different_patients(targets: list[list[Row]]) -> bool:
    """Do two recordTargets share no identifier? Then they are not known to be one patient."""
    keys = [{(row["id_root"], row["id_extension"]) for row in rows} for rows in targets]
    return len(keys) > 1 and any(keys[0].isdisjoint(other) for other in keys[1:])


def _identifiers(role: Any) -> list[Row]:
    patient, address = role.find(f"{CDA}patient"), role.find(f"{CDA}addr")
    person: Row = {}
    if patient is not None:
        name = _name(patient)
        person = {
            "name_family": _family(name), "name_given": _texts(name, "given"), "name_suffix": _text(name, "suffix"),
            "gender_code": _attribute(patient, "administrativeGenderCode", "code"), "birth_time": _attribute(patient, "birthTime", "value"),
            "marital_status_code": _attribute(patient, "maritalStatusCode", "code"), "race_code": _races(patient),
            "ethnic_group_code": _attribute(patient, "ethnicGroupCode", "code"),
        }
    person |= {
        "telecom": _telecoms(role), "street_address_line": _text(address, "streetAddressLine"),
        "city": _text(address, "city"), "state": _text(address, "state"), "postal_code": _text(address, "postalCode"),
    }
    return [
        {**person, "id_root": one.get("root"), "id_extension": one.get("extension")}
        for one in role.iterfind(f"{CDA}id") if one.get("root") or one.get("extension")
    ]


def _attribute(element: Any, name: str, attribute: str) -> str | None:
    found = element.find(f"{CDA}{name}")
    value = found.get(attribute) if found is not None else None
    return str(value) if value is not None else None


def _text(element: Any, name: str) -> str | None:
    found = element.find(f"{CDA}{name}") if element is not None else None
    return text_of(found) if found is not None else None


def _name(patient: Any) -> Any:
    names = [one for one in patient.iterfind(f"{CDA}name") if one.get("nullFlavor") is None]
    return min(names, key=lambda one: 0 if "L" in _uses(one) else 2 if {"P", "A"} & _uses(one) else 1, default=None)


def _family(name: Any) -> str | None:
    found = list(name.iterfind(f"{CDA}family")) if name is not None else []
    later = [one for one in found if "BR" not in (one.get("qualifier") or "").split()]
    return next(map(text_of, later or found), None)


def _texts(element: Any, name: str) -> str | None:
    if element is None:
        return None
    return " ".join(filter(None, map(text_of, element.iterfind(f"{CDA}{name}")))) or None


def _telecoms(role: Any) -> str | None:
    found = [one.get("value") for one in role.iterfind(f"{CDA}telecom") if one.get("value") and "BAD" not in _uses(one)]
    return "|".join(found) or None


def _races(patient: Any) -> str | None:
    found = [one.get("code") for name in (f"{CDA}raceCode", _MORE_RACES) for one in patient.iterfind(name) if one.get("code")]
    return ",".join(found) or None


def _uses(element: Any) -> set[str]:
    return set((element.get("use") or "").split())
