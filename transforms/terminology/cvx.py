"""The CDC's table of CPT codes and the vaccines (CVX) that they bill, a file of fields between bars.

Belongs here: its fields: CPT code, its description, the vaccine's short description, CVX code, comment, date, number. Does not belong here:
judging the mappings (`concept_map.py`). The table names the best single CVX code for a CPT code, an unspecified formulation where
the CPT code covers several: the vaccine says no more than the procedure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from transforms.terminology.release import NARROWER_THAN_TARGET, Mapping, WrongLineError, first_line, numbered, only_targets_stand

CPT, SYSTEM = "http://www.ama-assn.org/go/cpt", "http://hl7.org/fhir/sid/cvx"
_LINE = re.compile(r"([0-9]{4}[0-9A-Z]) *\|[^|]*\|[^|]*\| *([0-9]{2,3}) *(?:\|.*)?")


def is_procedures(text: str) -> bool:
    """Does a text begin with a line of such a file?"""
    return _LINE.fullmatch(first_line(text)) is not None


def vaccine_of_procedure(text: str) -> Iterator[Mapping]:
    """Mappings of a file: CPT -> CVX. WrongLineError for a line of another form."""
    found = []
    for number, line in numbered(text):
        read = _LINE.fullmatch(line)
        if read is None:
            raise WrongLineError(number)
        found.append(Mapping(number, CPT, read[1], SYSTEM, read[2], NARROWER_THAN_TARGET))
    return only_targets_stand(found)
