"""LOINC's `MapTo.csv`: codes that were retired, and those to use in their place (LOINC Users' Guide, "LOINC Table File (CSV)").

Belongs here: the columns LOINC, MAP_TO and COMMENT. Does not belong here: judging the mappings (`concept_map.py`).
A code with one replacement is mapped to it; of several (the comment says when which) none stands for it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator

from transforms.terminology.release import EXACT, Mapping, WrongLineError, first_line, only_targets_stand

SYSTEM = "http://loinc.org"
_COLUMNS = ["LOINC", "MAP_TO", "COMMENT"]


def is_map_to(text: str) -> bool:
    """Is a text such a file?"""
    return next(csv.reader([first_line(text)]), []) == _COLUMNS


def map_to(text: str) -> Iterator[Mapping]:
    """Mappings of a file. WrongLineError for a line with other than three fields."""
    found = []
    reader = csv.reader(text.splitlines())
    next(reader)
    for row in filter(None, reader):
        if len(row) != len(_COLUMNS):
            raise WrongLineError(reader.line_num)
        found.append(Mapping(reader.line_num, SYSTEM, row[0].strip(), SYSTEM, row[1].strip(), EXACT))
    return only_targets_stand(found)
