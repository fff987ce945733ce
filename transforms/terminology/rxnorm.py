"""RxNorm's `RXNSAT.RRF`: the National Drug Codes of a concept (RxNorm Technical Documentation, "Simple Concept and Atom Attributes").

Belongs here: the thirteen fields RXCUI, LUI, SUI, RXAUI, STYPE, CODE, ATUI, SATUI, ATN, SAB, ATV, SUPPRESS, CVF, each ended by a bar. Does
not belong here: judging the mappings (`concept_map.py`).
Rows with attribute NDC of source RXNORM that are not suppressed count: their codes are those of eleven digits. A package is narrower than
the drug that it holds, so that the drug stands for it.
"""

from __future__ import annotations

from collections.abc import Iterator

from transforms.terminology.ndc import SYSTEM as NDC
from transforms.terminology.release import NARROWER_THAN_TARGET, Mapping, WrongLineError, first_line, numbered, only_targets_stand

SYSTEM = "http://www.nlm.nih.gov/research/umls/rxnorm"
_FIELDS = 13
_STYPES = ("AUI", "CUI", "RUI", "SCUI", "SDUI", "CODE")


def is_attributes(text: str) -> bool:
    """Is a text such a file? Each of its lines ends with a bar."""
    fields = first_line(text).split("|")
    return len(fields) == _FIELDS + 1 and fields[-1] == "" and fields[0].isdigit() and fields[4] in _STYPES


def drug_of_code(text: str) -> Iterator[Mapping]:
    """Mappings of a file: National Drug Code -> RXCUI. WrongLineError for a line with other than thirteen fields."""
    found = []
    for number, line in numbered(text):
        if "|NDC|RXNORM|" not in line:
            continue
        fields = line.split("|")
        if len(fields) != _FIELDS + 1:
            raise WrongLineError(number)
        if fields[8:10] == ["NDC", "RXNORM"] and fields[11] == "N":
            found.append(Mapping(number, NDC, fields[10], SYSTEM, fields[0], NARROWER_THAN_TARGET))
    return only_targets_stand(found)
