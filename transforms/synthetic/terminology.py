"""The little terminology that the synthetic network speaks: tests, panels, diagnoses, drugs, procedures.

Standard codes are facts of LOINC, ICD-10-CM, ICD-9-CM, RxNorm, CPT and SNOMED CT; local codes are invented per source style.
What belongs here: codes, units as a style spells them, plausible value ranges. Not here: who gets which test (`story`).
"""

from __future__ import annotations

from dataclasses import dataclass

LOINC = "http://loinc.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
ICD9 = "http://hl7.org/fhir/sid/icd-9-cm"
SNOMED = "http://snomed.info/sct"
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"


@dataclass(frozen=True)
class LabTest:
    """One laboratory test: LOINC code (null for an in-house assay), UCUM unit, a sloppy spelling of it, value range."""

    short: str
    loinc: str | None
    text: str
    ucum: str
    spelling: str
    low: int
    high: int
    decimals: int

    def value(self, draw: float) -> str:
        """Decimal text of a value within the test's range; `draw` is uniform on [0, 1)."""
        number = self.low + int(draw * (self.high - self.low))
        if not self.decimals:
            return str(number)
        digits = str(number).zfill(self.decimals + 1)
        return f"{digits[: -self.decimals]}.{digits[-self.decimals :]}"


@dataclass(frozen=True)
class Panel:
    """An orderable group of tests, by short names of its tests."""

    short: str
    loinc: str
    text: str
    tests: tuple[LabTest, ...]


@dataclass(frozen=True)
class Diagnosis:
    """A diagnosis in ICD-10-CM and ICD-9-CM; `mapped` tells whether the network's ICD-9 map knows it."""

    icd10: str
    icd9: str
    text: str
    mapped: bool = True


@dataclass(frozen=True)
class Drug:
    """A drug by RxNorm ingredient."""

    short: str
    rxnorm: str
    text: str
    sig: str


@dataclass(frozen=True)
class ProcedureCode:
    """A procedure in CPT and SNOMED CT."""

    cpt: str
    snomed: str
    text: str


# low and high are in units of the last decimal: 35..62 with one decimal is 3.5 to 6.2
_TESTS = (
    LabTest("GLU", "2345-7", "Glucose", "mg/dL", "mg/dl", 62, 240, 0),
    LabTest("NA", "2951-2", "Sodium", "mmol/L", "mmol/l", 128, 150, 0),
    LabTest("K", "2823-3", "Potassium", "mmol/L", "mmol/l", 29, 62, 1),
    LabTest("CL", "2075-0", "Chloride", "mmol/L", "mmol/l", 92, 112, 0),
    LabTest("CREA", "2160-0", "Creatinine", "mg/dL", "MG/DL", 50, 420, 2),
    LabTest("BUN", "3094-0", "Urea nitrogen", "mg/dL", "mg/dl", 6, 70, 0),
    LabTest("CA", "17861-6", "Calcium", "mg/dL", "mg/dl", 76, 112, 1),
    LabTest("WBC", "6690-2", "Leukocytes", "10*3/uL", "K/uL", 21, 220, 1),
    LabTest("RBC", "789-8", "Erythrocytes", "10*6/uL", "M/uL", 280, 590, 2),
    LabTest("HGB", "718-7", "Hemoglobin", "g/dL", "g/dl", 68, 179, 1),
    LabTest("HCT", "4544-3", "Hematocrit", "%", "%", 210, 520, 1),
    LabTest("PLT", "777-3", "Platelets", "10*3/uL", "K/uL", 40, 520, 0),
    LabTest("CHOL", "2093-3", "Cholesterol", "mg/dL", "mg/dl", 98, 310, 0),
    LabTest("HDL", "2085-9", "Cholesterol in HDL", "mg/dL", "mg/dl", 22, 95, 0),
    LabTest("TRIG", "2571-8", "Triglyceride", "mg/dL", "mg/dl", 40, 480, 0),
    LabTest("A1C", "4548-4", "Hemoglobin A1c", "%", "%", 46, 128, 1),
    LabTest("TSH", "3016-3", "Thyrotropin", "m[IU]/L", "mIU/L", 10, 980, 2),
    LabTest("CRP", "1988-5", "C reactive protein", "mg/L", "mg/l", 3, 1900, 1),
    LabTest("TROP", "10839-9", "Troponin I", "ng/mL", "ng/ml", 1, 480, 2),
    LabTest("XSEP", None, "In-house sepsis score", "{score}", "score", 0, 40, 0),
)
TESTS = {test.short: test for test in _TESTS}


def _panel(short: str, loinc: str, text: str, *tests: str) -> Panel:
    return Panel(short, loinc, text, tuple(TESTS[test] for test in tests))


PANELS = (
    _panel("BMP", "51990-0", "Basic metabolic panel", "GLU", "NA", "K", "CL", "CREA", "BUN", "CA"),
    _panel("CBC", "58410-2", "Complete blood count", "WBC", "RBC", "HGB", "HCT", "PLT"),
    _panel("LIPID", "57698-3", "Lipid panel", "CHOL", "HDL", "TRIG"),
    _panel("A1CP", "4548-4", "Hemoglobin A1c", "A1C"),
    _panel("TSHP", "3016-3", "Thyrotropin", "TSH"),
    _panel("CARD", "10839-9", "Troponin and CRP", "TROP", "CRP"),
    _panel("SEPS", "48767-8", "Sepsis work-up", "WBC", "CRP", "XSEP"),
)

VITALS = (
    LabTest("HR", "8867-4", "Heart rate", "/min", "bpm", 48, 130, 0),
    LabTest("TEMP", "8310-5", "Body temperature", "Cel", "C", 355, 401, 1),
    LabTest("SPO2", "59408-5", "Oxygen saturation", "%", "%", 86, 100, 0),
)

DIAGNOSES = (
    Diagnosis("E11.9", "250.00", "Type 2 diabetes mellitus without complications"),
    Diagnosis("I10", "401.9", "Essential hypertension"),
    Diagnosis("J44.9", "496", "Chronic obstructive pulmonary disease"),
    Diagnosis("I50.9", "428.0", "Heart failure, unspecified"),
    Diagnosis("N39.0", "599.0", "Urinary tract infection"),
    Diagnosis("J18.9", "486", "Pneumonia, unspecified organism"),
    Diagnosis("K21.9", "530.81", "Gastro-esophageal reflux disease"),
    Diagnosis("E78.5", "272.4", "Hyperlipidemia, unspecified"),
    Diagnosis("I48.91", "427.31", "Unspecified atrial fibrillation"),
    Diagnosis("N18.9", "585.9", "Chronic kidney disease, unspecified"),
    Diagnosis("A41.9", "038.9", "Sepsis, unspecified organism"),
    Diagnosis("R07.9", "786.50", "Chest pain, unspecified"),
    Diagnosis("M54.50", "724.2", "Low back pain"),
    Diagnosis("R69", "799.9", "Illness, unspecified", mapped=False),
)

DRUGS = (
    Drug("METF", "6809", "Metformin 500 mg tablet", "1 tablet twice daily"),
    Drug("LISI", "29046", "Lisinopril 10 mg tablet", "1 tablet daily"),
    Drug("ATOR", "83367", "Atorvastatin 20 mg tablet", "1 tablet at bedtime"),
    Drug("AMOX", "723", "Amoxicillin 500 mg capsule", "1 capsule three times daily"),
    Drug("OMEP", "7646", "Omeprazole 20 mg capsule", "1 capsule before breakfast"),
    Drug("FURO", "4603", "Furosemide 40 mg tablet", "1 tablet in the morning"),
    Drug("LEVO", "10582", "Levothyroxine 50 mcg tablet", "1 tablet before breakfast"),
    Drug("PRED", "8640", "Prednisone 10 mg tablet", "1 tablet daily for 5 days"),
    Drug("ACET", "161", "Acetaminophen 500 mg tablet", "1 tablet as needed"),
    Drug("GABA", "25480", "Gabapentin 300 mg capsule", "1 capsule at night"),
)

PROCEDURES = (
    ProcedureCode("71046", "399208008", "Chest X-ray"),
    ProcedureCode("93000", "29303009", "Electrocardiogram"),
    ProcedureCode("36415", "82078001", "Collection of blood specimen"),
    ProcedureCode("74177", "419394006", "CT of abdomen and pelvis"),
)

ALLERGY_TEXTS = ("PCN", "penicillin", "sulfa drugs", "nkda", "NKDA", "shellfish", "latex gloves", "peanuts - hives")

# Ingredients (RxNorm) that people are allergic to, and vaccines (CVX).
ALLERGENS = ("7980", "10180", "1191", "2670")
VACCINES = ("140", "33", "115", "208")
