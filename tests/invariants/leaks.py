"""A search for patient values in whatever the product writes: every file, every printed line, every page, in the usual encodings."""

from __future__ import annotations

import base64
import gzip
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path

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


def _unpacked(content: bytes) -> list[bytes]:
    unpack = COMPRESSED.get(content[:2])
    try:
        return [unpack(content)] if unpack else []
    except (OSError, zlib.error, EOFError):
        return []
