"""A search for patient values in whatever the product writes: every file, every printed line, every page, in the usual encodings."""

from __future__ import annotations

import base64
import gzip
import re
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import pyarrow.parquet as pq

MARK = "Zqxv{}wk"
COMPRESSED = {b"\x1f\x8b": gzip.decompress, b"\x78\x9c": zlib.decompress, b"\x78\xda": zlib.decompress}


def forms(value: str) -> dict[str, bytes]:
    """Give the forms in which a value may lie in a file, by name of the form."""
    return {
        "text": value.lower().encode(), "UTF-16": value.lower().encode("utf-16-le"),
        # Base64 of a longer text holds one of three forms of a part, by its offset; the ends depend on the neighbours.
        **{f"base64 at {offset}": base64.b64encode(b"\0" * offset + value.encode())[(0, 2, 3)[offset]:-4] for offset in range(3)},
        "hexadecimal": value.encode().hex().encode(),
    }


def leaks(values: Iterable[str], written: Mapping[str, bytes]) -> list[str]:
    """Name each place in which a value is found and its form; the value itself is not said."""
    wanted = {(number, form): pattern for number, value in enumerate(values) for form, pattern in forms(value).items()}
    found = []
    for place, content in written.items():
        for text in (content, *_unpacked(content)):
            lower = text.lower()
            found += [f"{place}: value {number} as {form}" for (number, form), pattern in wanted.items()
                      if pattern in (text if form.startswith("base64") else lower)]
    return sorted(found)


def written_below(folder: Path) -> dict[str, bytes]:
    """Give the content of every file below a folder, and every file's name as content of its own."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()]
    names = {f"name of {path.relative_to(folder)}": str(path.relative_to(folder)).encode() for path in files}
    return {**{str(path.relative_to(folder)): path.read_bytes() for path in files}, **names}


def mark_names(network: Path) -> list[str]:
    """Replace every family name in every feed by a marker, in the case it has there; give markers, phones and record numbers."""
    patients = pq.read_table(network / "truth" / "patients.parquet").to_pylist()
    people = pq.read_table(network / "truth" / "people.parquet").to_pylist()
    names = sorted({row["name_family"] for row in patients} | {row["family"] for row in people}, key=lambda name: (-len(name), name))
    marks = {name.lower(): MARK.format("abcdefghijklmnopqrst"[number // 20] + "abcdefghijklmnopqrst"[number % 20])
             for number, name in enumerate(name for name in names if len(name) > 4)}
    pattern = re.compile(b"|".join(re.escape(name.encode()) for name in marks), re.IGNORECASE)

    def mark(found: re.Match[bytes]) -> bytes:
        text = found.group().decode()
        marker = marks[text.lower()]
        return (marker.upper() if text.isupper() else marker).encode()

    for path in (network / "feeds").rglob("*"):
        if path.is_file():
            path.write_bytes(pattern.sub(mark, path.read_bytes()))
    phones = {row["telecom_phone"] for row in patients if row["telecom_phone"]}
    return sorted({*marks.values(), *phones, *(row["identifier_value"] for row in patients if len(row["identifier_value"]) > 7)})


def _unpacked(content: bytes) -> list[bytes]:
    unpack = COMPRESSED.get(content[:2])
    try:
        return [unpack(content)] if unpack else []
    except (OSError, zlib.error, EOFError):
        return []
