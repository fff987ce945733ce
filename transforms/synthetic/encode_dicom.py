"""DICOM instances of the lakeside style's radiology archive: Part 10 files that hold headers and a few bytes of pixels.

Written byte by byte (explicit VR, little endian; PS3.5 s7.1.2, PS3.10 s7.1): a file is one unit, and a library would write some hundred
a second. What belongs here: data elements, and files that must be held or refused. Not here: which studies there are (`studies`).
"""

from __future__ import annotations

import struct

from transforms.synthetic.clock import DAY, HOUR, hl7_day, hl7_local
from transforms.synthetic.outbox import Outbox, pack_by_name
from transforms.synthetic.site import Site
from transforms.synthetic.studies import Study

SOURCE = "radiology"
_EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
_CLASSES = {"DX": "1.2.840.10008.5.1.4.1.1.1.1", "CT": "1.2.840.10008.5.1.4.1.1.2", "US": "1.2.840.10008.5.1.4.1.1.6.1",
            "SR": "1.2.840.10008.5.1.4.1.1.88.11"}
_STUDY, _DESCRIPTION, _PATIENT = 0x0020000D, 0x00081030, 0x00100020
_VR = {
    0x00080005: "CS", 0x00080016: "UI", 0x00080018: "UI", 0x00080020: "DA", 0x00080030: "TM", 0x00080050: "SH", 0x00080060: "CS",
    _DESCRIPTION: "LO", 0x00100010: "PN", _PATIENT: "LO", 0x00100021: "LO", 0x00100030: "DA", 0x00100040: "CS", _STUDY: "UI",
    0x0020000E: "UI", 0x00200013: "IS"}
Header = dict[int, str]


def _element(tag: int, vr: str, value: bytes) -> bytes:
    """One data element; a value of odd length is padded (PS3.5 s6.2: UI and OB with zero, text with a blank)."""
    padded = value + (b"\0" if vr in ("UI", "OB") else b" ") * (len(value) % 2)
    length = struct.pack("<2xI", len(padded)) if vr == "OB" else struct.pack("<H", len(padded))
    return struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr.encode() + length + padded


def part_10(header: Header, pixels: bytes) -> bytes:
    """A Part 10 file of the header's elements, in the order of their tags, with its pixels."""
    meta = b"".join([
        _element(0x00020001, "OB", b"\0\1"), _element(0x00020002, "UI", header[0x00080016].encode()),
        _element(0x00020003, "UI", header[0x00080018].encode()), _element(0x00020010, "UI", _EXPLICIT_LITTLE.encode())])
    data = b"".join([_element(tag, _VR[tag], header[tag].encode()) for tag in sorted(header)])
    return bytes(128) + b"DICM" + _element(0x00020000, "UL", struct.pack("<I", len(meta))) + meta + data + _element(
        0x7FE00010, "OB", pixels)


class DicomWriter:
    """Writes the studies of one facility, a file an instance."""

    def __init__(self, site: Site, outbox: Outbox) -> None:
        self.site, self.outbox = site, outbox

    def write(self, studies: list[Study]) -> None:
        """All studies; on the day after a study files that contradict it, and every day one that is no instance."""
        for number, study in enumerate(studies):
            day = study.at // DAY - self.outbox.opening_day
            headers = list(self._headers(study))
            for header, fact in headers:
                self._put(day, header[0x00080018], header, study.at, (fact,))
            if number % 4 == 0 and day + 1 < self.outbox.days:
                self._contradict(day + 1, headers[0][0], study.at)
        for day in range(self.outbox.days):
            self._odd(day)

    def _headers(self, study: Study) -> list[tuple[Header, int]]:
        patient = study.stay.patient
        who = patient.at(study.at)
        shared = {
            0x00080005: "ISO_IR 192", 0x00080020: hl7_day[study.at // DAY], 0x00080030: hl7_local(study.at)[8:],
            0x00080050: study.accession, _DESCRIPTION: study.description, 0x00100010: f"{who.family.upper()}^{who.given.upper()}",
            _PATIENT: patient.number, 0x00100021: self.site.plan.authority, 0x00100030: who.birth_date.replace("-", ""),
            0x00100040: who.sex, _STUDY: study.uid}
        return [
            ({**shared, 0x00080016: _CLASSES[modality], 0x00080018: f"{study.uid}.{place}.{number}", 0x00080060: modality,
              0x0020000E: f"{study.uid}.{place}", 0x00200013: str(number)}, fact)
            for place, (modality, facts) in enumerate(zip(study.modalities, study.series, strict=True), 1)
            for number, fact in enumerate(facts, 1)]

    def _contradict(self, day: int, header: Header, at: int) -> None:
        """Another object under a UID that is taken, and another patient's picture in the study."""
        taken = {**header, _DESCRIPTION: f"{header[_DESCRIPTION]} (again)"}
        strange = {**header, 0x00080018: f"{header[0x00080018]}.9", _PATIENT: f"9{self.site.count('strange_patient'):07}"}
        self._put(day, f"{header[0x00080018]}.again", taken, at, (), "dicom.sop_uid_conflict")
        self._put(day, strange[0x00080018], strange, at, (), "dicom.study_patient_conflict")

    def _odd(self, day: int) -> None:
        """By turns an instance of no study and a file that is none."""
        at, number = (self.outbox.opening_day + day) * DAY + 12 * HOUR, self.site.count("odd_instance")
        uid = f"2.999.8.{self.site.plan.repeat}.0.{number}"
        header = {0x00080016: _CLASSES["CT"], 0x00080018: uid, 0x00080060: "CT", _PATIENT: "ZZTEST"}
        if day % 2:
            self._put(day, uid, header, at, (), "dicom.not_part10")
        else:
            self._put(day, uid, header, at, (), "dicom.missing_study_uid")

    def _put(self, day: int, name: str, header: Header, at: int, facts: tuple[int, ...], reason: str | None = None) -> None:
        content = part_10(header, name.encode())
        record_type = header[0x00080016]
        if reason == "dicom.not_part10":
            content, record_type = content.replace(b"DICM", b"MCID", 1), "unknown"
        feed = self.outbox.feed(self.site.plan.ordinal, SOURCE, "dicom.instance")
        feed.pack = pack_by_name
        feed.days[day].append([(f"{name}.dcm",), record_type, content, at, facts, "quarantined" if reason else None, reason])
