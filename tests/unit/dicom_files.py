"""DICOM files written for tests with pydicom: the least that makes an instance, and what a test adds."""

from __future__ import annotations

from io import BytesIO

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian


def file_of(data: Dataset, instance: str | None = "2.25.1.1", study: str | None = "2.25.1", syntax: UID = ExplicitVRLittleEndian) -> bytes:
    """A Part 10 file of a data set, whose UIDs are set unless null."""
    if instance is not None:
        data.SOPInstanceUID = instance
    if study is not None:
        data.StudyInstanceUID = study
    meta = FileMetaDataset()
    meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID = syntax, UID("1.2.840.10008.5.1.4.1.1.7")
    meta.MediaStorageSOPInstanceUID, meta.ImplementationClassUID = UID(instance or "2.25.9"), UID("2.25.2")
    data.file_meta = meta
    data.preamble = b"\0" * 128
    out = BytesIO()
    data.save_as(out, enforce_file_format=True)
    return out.getvalue()
