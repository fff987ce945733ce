"""DICOM: headers kept element by element, pixels never read, and refused where an instance has no identity."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from tests.unit.decoding import Outcome, decode, facility
from tests.unit.dicom_files import file_of

CORPORA = Path(os.environ.get("LAKEHOUSE_CORPORA_DIR", Path(__file__).parents[2].parent / "shared" / "corpora"))
WORD = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Zs"], exclude_characters="\\^="), min_size=1, max_size=8)


def dicom(payload: bytes) -> Outcome:
    """Decode a file of the facility's imaging feed."""
    outcome = decode(facility(), "dicom", payload)
    assert outcome.received == len(outcome.units) == 1
    return outcome


def values(outcome: Outcome) -> dict[str, Any]:
    """Path -> value of the data set's elements; the file's own (group 0002) left out."""
    return {row["path"]: row.get("value") for row in outcome.rows("raw_dicom__element") if not row["tag"].startswith("0002")}


@settings(max_examples=40, deadline=None)
@given(st.sampled_from([ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]),
       st.lists(WORD, min_size=1, max_size=3), st.integers(0, 65535), st.integers(-2**31, 2**31 - 1), st.floats(allow_nan=False, width=64), st.binary(max_size=9))
def test_elements_are_kept_whatever_the_transfer_syntax(syntax: Any, words: list[str], rows: int, pixel: int, number: float, private: bytes) -> None:
    """Texts, numbers, tags, binary and private values, and those inside of items, come back as they were written."""
    data, item = Dataset(), Dataset()
    data.SpecificCharacterSet = "ISO_IR 192"
    data.PatientName, data.OtherPatientIDs, data.Rows, data.ReferencePixelX0, data.EventTimeOffset = "^".join(words), words, rows, pixel, number
    data.add_new(0x00090010, "LO", "VENDOR")
    data.add_new(0x00091001, "OB", private)
    item.ReferencedSOPInstanceUID = "2.25.7"
    data.ReferencedImageSequence = [item]
    found = values(dicom(file_of(data, syntax=syntax)))
    assert found["00100010"] == "^".join(words)
    assert found["00101000"] == "\\".join(words)
    assert (found["00280010"], found["00186020"], float(found["00082134"])) == (str(rows), str(pixel), number)
    assert found["00081140[1]/00081155"] == "2.25.7"
    if syntax != ImplicitVRLittleEndian:  # an unknown private element has no representation there
        assert len(found["00091001"]) == -(-(len(private) + len(private) % 2) // 3) * 4


def test_names_are_read_in_each_of_several_character_sets() -> None:
    """A name may leave the first character set for another by its escapes, group by group (PS3.5 s6.1.2.5; annex H.3.2), and the sets are kept as sent."""
    sent = "ﾔﾏﾀﾞ^ﾀﾛｳ".encode("shift_jis") + b"=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J=\x1b$B$d$^$@\x1b(J^\x1b$B$?$m$&\x1b(J"
    plain = Dataset()
    plain.SpecificCharacterSet, plain.PatientName = ["ISO 2022 IR 13", "ISO 2022 IR 87"], "n" * len(sent)
    found = values(dicom(file_of(plain).replace(b"n" * len(sent), sent)))
    assert found["00080005"] == "ISO 2022 IR 13\\ISO 2022 IR 87"
    assert found["00100010"] == "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう"


def test_private_elements_name_their_creator() -> None:
    """The creator reserved the block of the element (PS3.5 s7.8.1)."""
    data = Dataset()
    data.add_new(0x00090010, "LO", "SYNTH 1")
    data.add_new(0x00091001, "LO", "kept")
    row = next(row for row in dicom(file_of(data)).rows("raw_dicom__element") if row["tag"] == "00091001")
    assert (row["private_creator"], row["value"]) == ("SYNTH 1", "kept")


@pytest.mark.parametrize(("payload", "code"), [
    (b"", "payload.empty"), (b"JFIF" * 100, "dicom.not_part10"), (b"\0" * 128 + b"DICM" + b"\x02\0\0\0XX\xff\xff", "dicom.not_part10"),
    (file_of(Dataset(), instance=None), "dicom.missing_sop_uid"), (file_of(Dataset(), study=None), "dicom.missing_study_uid"),
    (file_of(Dataset(), study=""), "dicom.missing_study_uid"), (file_of(Dataset()), None),
])
def test_an_instance_needs_a_file_and_two_names(payload: bytes, code: str | None) -> None:
    """No Part 10 file, an unreadable one, or one without SOP or Study Instance UID is refused; the file's own UID does not stand in."""
    assert dicom(payload).codes() == [code]


def test_pixels_count_as_bytes_alone() -> None:
    """Pixel data is no element, but other pixels are other content; another file header is not."""

    def instance(pixels: bytes) -> bytes:
        data = Dataset()
        data.Rows = data.Columns = 1
        data.BitsAllocated = 8
        data.add_new(0x7FE00010, "OB", pixels)
        return file_of(data)

    one, other = dicom(instance(b"\1\0")), dicom(instance(b"\2\0"))
    again = bytearray(instance(b"\1\0"))
    again[:4] = b"note"
    assert "7FE00010" not in values(one)
    assert one.units[0]["content_hash"] == dicom(bytes(again)).units[0]["content_hash"] != other.units[0]["content_hash"]


def test_a_deflated_bomb_is_inflated_no_further_than_needed() -> None:
    """A data set that inflates to a gigabyte is not held in memory whole."""
    import tracemalloc

    head = file_of(Dataset(), syntax=DeflatedExplicitVRLittleEndian)
    meta = head[: 132 + 12 + struct.unpack("<I", head[140:144])[0]]
    squeeze = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    bomb = b"".join(squeeze.compress(b"A" * (1 << 20)) for _ in range(400)) + squeeze.flush()
    tracemalloc.start()
    dicom(meta + bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40 << 20


def test_files_of_the_open_corpora_are_read_or_refused() -> None:
    """Every file of pydicom's own tests, damaged ones too, is one unit; most are read."""
    files = [file for file in CORPORA.glob("pydicom-files/**/*") if file.is_file() and file.suffix not in (".md", ".txt", ".json", ".dump") and file.name != "LICENSE"]
    if not files:
        pytest.skip(f"no corpora at {CORPORA}; LAKEHOUSE_CORPORA_DIR names them")
    codes = [dicom(file.read_bytes()).codes()[0] for file in files]
    assert codes.count(None) > len(codes) // 2
    assert set(codes) <= {None, "dicom.not_part10", "dicom.missing_sop_uid", "dicom.missing_study_uid", "payload.empty"}
