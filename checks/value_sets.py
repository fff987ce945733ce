"""Code sets that canonical columns are drawn from, as data, each with its source.

FHIR names are those of R4 (4.0.1). A set bound `required` allows nothing else; of extensible ones the part is listed that the
mappings can produce. Not here: which column uses which set (`resources`).
"""

from __future__ import annotations

# Required bindings of `status`: Encounter 8.11, Observation 10.1, DiagnosticReport 10.3, ServiceRequest 12.22, Procedure 9.3,
# MedicationRequest 11.1, Claim 13.6 and Coverage 13.1 (Financial Resource Status Codes), Location 8.7.
STATUS = {
    "encounter": frozenset({
        "planned", "arrived", "triaged", "in-progress", "onleave", "finished", "cancelled", "entered-in-error", "unknown",
    }),
    "observation": frozenset({
        "registered", "preliminary", "final", "amended", "corrected", "cancelled", "entered-in-error", "unknown",
    }),
    "diagnostic_report": frozenset({
        "registered", "partial", "preliminary", "final", "amended", "corrected", "appended", "cancelled", "entered-in-error", "unknown",
    }),
    "service_request": frozenset({"draft", "active", "on-hold", "revoked", "completed", "entered-in-error", "unknown"}),
    "medication_request": frozenset({
        "active", "on-hold", "cancelled", "completed", "entered-in-error", "stopped", "draft", "unknown",
    }),
    "procedure": frozenset({
        "preparation", "in-progress", "not-done", "on-hold", "stopped", "completed", "entered-in-error", "unknown",
    }),
    "claim": frozenset({"active", "cancelled", "draft", "entered-in-error"}),
    "coverage": frozenset({"active", "cancelled", "draft", "entered-in-error"}),
    **dict.fromkeys(("explanation_of_benefit", "payment_reconciliation", "payment_reconciliation_detail", "coverage_eligibility"),
                    frozenset({"active", "cancelled", "draft", "entered-in-error"})),
    **dict.fromkeys(("imaging_instance", "imaging_statement"),
                    frozenset({"registered", "available", "cancelled", "entered-in-error", "unknown"})),
    "medication_administration": frozenset({"in-progress", "not-done", "on-hold", "completed", "entered-in-error", "stopped", "unknown"}),
    "immunization": frozenset({"completed", "entered-in-error", "not-done"}),
    "document_reference": frozenset({"current", "superseded", "entered-in-error"}),
    "location": frozenset({"active", "suspended", "inactive"}),
}

ADMINISTRATIVE_GENDER = frozenset({"male", "female", "other", "unknown"})
# HL7 v3 ActEncounterCode, the value set of Encounter.class (extensible).
ENCOUNTER_CLASS = frozenset({"AMB", "EMER", "FLD", "HH", "IMP", "ACUTE", "NONAC", "OBSENC", "PRENC", "SS", "VR"})
# What a message states of an encounter's status by its event; the current status is derived after the fold.
STATUS_EVENT = STATUS["encounter"]
IDENTIFIER_USE = frozenset({"usual", "official", "temp", "secondary", "old"})
# `renamed-to` is ours: a corrected number (HL7 v2 A47), which is no FHIR link.
LINK_TYPE = frozenset({"replaced-by", "replaces", "refer", "seealso", "renamed-to"})
REQUEST_PRIORITY = frozenset({"routine", "urgent", "asap", "stat"})
QUANTITY_COMPARATOR = frozenset({"<", "<=", ">=", ">"})
CONDITION_CLINICAL = frozenset({"active", "recurrence", "relapse", "inactive", "remission", "resolved"})
CONDITION_VERIFICATION = frozenset({
    "unconfirmed", "provisional", "differential", "confirmed", "refuted", "entered-in-error",
})
ALLERGY_CLINICAL = frozenset({"active", "inactive", "resolved"})
ALLERGY_VERIFICATION = frozenset({"unconfirmed", "confirmed", "refuted", "entered-in-error"})
DATA_ABSENT_REASON = frozenset({
    "unknown", "asked-unknown", "temp-unknown", "not-asked", "asked-declined", "masked", "not-applicable", "unsupported", "as-text",
    "error", "not-a-number", "negative-infinity", "positive-infinity", "not-performed", "not-permitted",
})
# HL7 v3 MaritalStatus and NullFlavor UNK, the value set of Patient.maritalStatus (extensible).
MARITAL_STATUS = frozenset({"A", "D", "I", "L", "M", "C", "P", "T", "U", "W", "S", "UNK"})
# US Core birth sex, editions 3.1 to 6.1.
BIRTH_SEX = frozenset({"F", "M", "UNK", "ASKU", "OTH"})
# CDC race and ethnicity, OMB categories; UNK and ASKU stand for not known (US Core OMB value sets).
OMB_RACE = frozenset({"1002-5", "2028-9", "2054-5", "2076-8", "2106-3", "UNK", "ASKU"})
OMB_ETHNICITY = frozenset({"2135-2", "2186-5", "UNK", "ASKU"})
# X12 270 and 271; ClaimProcessingCodes (RemittanceOutcome) of CoverageEligibilityResponse.outcome.
ELIGIBILITY_KIND = frozenset({"request", "response"})
ELIGIBILITY_OUTCOME = frozenset({"queued", "complete", "error", "partial"})
CLAIM_TYPE = frozenset({"professional", "institutional"})

# Unit kinds of the ledger.
UNIT_KIND = frozenset({
    "payload", "hl7.message", "fhir.resource", "ccda.entry", "x12.claim", "x12.claim_payment", "x12.transaction_set", "dicom.instance",
    "cdc.row", "csv.row",
})
OUTCOME = frozenset({"canonical", "duplicate", "superseded", "quarantined", "ignored_by_rule"})
