"""The truth of imaging studies, read off what was told (`studies`)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from transforms.synthetic.clock import Zone
from transforms.synthetic.studies import Study


class ImagingStudyRow(NamedTuple):
    """A study, counted over its instances; `started` in UTC seconds, modalities sorted and joined by commas."""

    facility_id: str
    identifier_value: str
    accession_identifier_value: str
    patient_identifier_value: str
    number_of_series: int
    number_of_instances: int
    modalities: str
    started: int
    description: str


def study_rows(facility: str, zone: Zone, studies: Iterable[Study]) -> list[ImagingStudyRow]:
    """One row a study."""
    return [ImagingStudyRow(
        facility, one.uid, one.accession, one.stay.patient.number, len(one.series), sum(len(facts) for facts in one.series),
        ",".join(sorted(set(one.modalities))), zone.utc(one.at), one.description) for one in studies]
