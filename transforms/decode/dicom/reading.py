"""A DICOM file read up to its pixel data (PS3.5, PS3.10).

Belongs here: bytes -> data set. Does not belong here: what becomes of its elements (`elements.py`). Pixel data is never read: the
data set ends before it, and what follows counts only as bytes. A deflated data set is inflated no further than a limit.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from dataclasses import dataclass
from io import BytesIO

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag
from pydicom.uid import DeflatedExplicitVRLittleEndian

PREAMBLE = 128
_INFLATED_LIMIT = 4 << 20
_PIXELS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})  # float, double and integer pixel data
UNREADABLE = (
    InvalidDicomError, BytesLengthException, EOFError, ValueError, TypeError, KeyError, IndexError, AttributeError, NotImplementedError,
    OSError, RecursionError, zlib.error, struct.error,
)


@dataclass(frozen=True)
class Instance:
    """File meta information, data set without pixels, byte order, and the hash of what follows (the pixels)."""

    meta: Dataset
    data: Dataset
    is_little_endian: bool
    rest_hash: str


def is_part_10(payload: bytes) -> bool:
    """Does the prefix DICM follow a preamble of 128 bytes (PS3.10 s7.1)?"""
    return payload[PREAMBLE : PREAMBLE + 4] == b"DICM"


def read_instance(payload: bytes) -> Instance:
    """The instance of a Part 10 file. Raises one of UNREADABLE where its data set is broken."""
    file = BytesIO(payload)
    file.seek(PREAMBLE + 4)
    meta = read_dataset(file, is_implicit_VR=False, is_little_endian=True, stop_when=_is_past_meta)
    if meta.get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian:
        deflated = payload[file.tell() :]
        inflated = BytesIO(zlib.decompressobj(-zlib.MAX_WBITS).decompress(deflated, _INFLATED_LIMIT))
        data = read_dataset(inflated, is_implicit_VR=False, is_little_endian=True, stop_when=_is_pixels)
        return Instance(meta, data, True, _hash(deflated))
    file.seek(0)
    read = dcmread(file, stop_before_pixels=True)
    little = read.original_encoding[1]
    return Instance(meta, read, little is not False, _hash(payload[file.tell() :]))


def _is_past_meta(tag: BaseTag, vr: str | None, length: int) -> bool:
    return tag.group != 2


def _is_pixels(tag: BaseTag, vr: str | None, length: int) -> bool:
    return int(tag) in _PIXELS


def _hash(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
