"""The facilities of a synthetic network: five source styles, repeated with numbered facilities beyond five.

What belongs here: the fixed facts of a facility (identifier, style, zone, authority, local vocabularies). Not here: feeds
(`registry_text` names them, the encoders write them).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from transforms.synthetic.terminology import ACT_CODE, DIAGNOSES, DRUGS, ICD10, LOINC, PANELS, RXNORM, TESTS, VITALS

SUMMIT_CLASSES = {"IP": "IMP", "OP": "AMB", "ED": "EMER"}
STYLES = ("riverside", "lakeside", "summit", "harbor", "oldmill")


@dataclass(frozen=True)
class Style:
    """What all facilities of one source style share."""

    name: str
    title: str
    region: str
    timezone: str
    charset: str
    source_system: str
    authority: str
    state: str
    area_code: str


_STYLES = (
    Style("riverside", "Riverside Hospital", "east", "America/New_York", "utf-8", "epic", "RIV", "NY", "212"),
    Style("lakeside", "Lakeside Medical Center", "midwest", "America/Chicago", "windows-1252", "cerner", "LAK", "IL", "312"),
    Style("summit", "Summit Clinics", "mountain", "America/Denver", "utf-8", "allscripts", "SUM", "CO", "303"),
    Style("harbor", "Harbor General", "west", "America/Los_Angeles", "utf-8", "sqlserver_emr", "HBR", "CA", "213"),
    Style("oldmill", "Old Mill Departmental Laboratory and Wards", "east", "America/New_York", "iso-8859-1",
          "millstone_1994", "OLM", "NJ", "201"),
)


@dataclass(frozen=True)
class FacilityPlan:
    """One synthetic facility. `ordinal` counts from 0 over the network, `repeat` from 1 within the style."""

    ordinal: int
    repeat: int
    style: Style

    @property
    def facility_id(self) -> str:
        """Registry identifier: the style's name, numbered from the second facility of a style on."""
        return self.style.name if self.repeat == 1 else f"{self.style.name}_{self.repeat}"

    @property
    def name(self) -> str:
        """Display name."""
        return self.style.title if self.repeat == 1 else f"{self.style.title} {self.repeat}"

    @property
    def authority(self) -> str:
        """Namespace of the facility's record numbers (CX.4 of HL7 v2)."""
        return self.style.authority if self.repeat == 1 else f"{self.style.authority}{self.repeat}"

    @property
    def host(self) -> str:
        """Host label used in URIs: no underscore."""
        return self.facility_id.replace("_", "-")

    @property
    def number_system(self) -> str:
        """URI of the facility's record numbers."""
        if self.style.name == "summit":
            return f"urn:oid:2.999.7.{self.repeat}.1"
        return f"https://{self.host}.example.org/id/mrn"

    @property
    def fhir_base_url(self) -> str:
        """Base URL of the facility's FHIR server."""
        return f"https://ehr.{self.host}.example.org/fhir/r4"


def facility_plans(count: int) -> tuple[FacilityPlan, ...]:
    """The first `count` facilities of the network, cycling the five styles. Raises ValueError below one."""
    if count < 1:
        raise ValueError("a network has at least one facility")
    size = len(_STYLES)
    return tuple(FacilityPlan(i, i // size + 1, _STYLES[i % size]) for i in range(count))


@cache
def local_test_code(style: str, short: str) -> str:
    """The code by which a source style names a test or panel; styles without local codes use the short name."""
    if style == "oldmill":
        names = [*TESTS, *(panel.short for panel in PANELS)]
        return f"{101 + names.index(short) * 7:04d}"
    if style == "summit":
        return f"LAB.{short}" if short in TESTS else f"OBS.{short}"
    if style == "harbor":
        return f"L{short}"
    if style == "riverside":
        return str(1500 + sum(ord(letter) for letter in short))
    return short


@cache
def drug_code(short: str) -> str:
    """The formulary number of a drug."""
    return f"M{100 + [drug.short for drug in DRUGS].index(short):04d}"


def code_maps(style: str) -> dict[str, dict[str, dict[str, str]]]:
    """The registry's code maps of a style: map name -> local code -> system and code. In-house assays stay unmapped."""
    tests = [(test.short, test.loinc) for test in (*TESTS.values(), *VITALS) if test.loinc]
    panels = [(panel.short, panel.loinc) for panel in PANELS]
    if style == "riverside":
        return {}
    vitals = {vital.short for vital in VITALS}
    maps = {"observation": {local_test_code(style, short): {"system": LOINC, "code": loinc} for short, loinc in tests
                            if style == "summit" or short not in vitals}}
    if style in ("lakeside", "summit", "harbor"):
        maps["service_request"] = {local_test_code(style, short): {"system": LOINC, "code": loinc} for short, loinc in panels}
    if style == "lakeside":
        maps["diagnostic_report"] = maps["service_request"]
        maps["medication_request"] = {drug_code(drug.short): {"system": RXNORM, "code": drug.rxnorm} for drug in DRUGS}
    if style == "summit":
        maps["encounter_class"] = {local: {"system": ACT_CODE, "code": code} for local, code in SUMMIT_CLASSES.items()}
    if style == "oldmill":
        maps["condition"] = {dx.icd9: {"system": ICD10, "code": dx.icd10} for dx in DIAGNOSES if dx.mapped}
    return maps
