"""A search for patient values in whatever the product writes: every file, every printed line, every page, in the usual encodings."""

from __future__ import annotations

import base64
import gzip
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from orchestration.generate import generate
from transforms.synthetic import people, site

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


def generate_marked(network: Path, **plan: Any) -> list[str]:
    """Generate a network in which every family name is a marker, in each format as its sender writes it; give the values that nobody may
    find: names, phones, record numbers, addresses."""
    letters = "abcdefghijklmnopqrst"
    marks = tuple(MARK.format(one + other) for one in letters for other in letters[:5])
    with pytest.MonkeyPatch.context() as patched:
        for module in (people, site):
            patched.setattr(module, "FAMILIES", marks)
        generate(network, **plan)
    patients = pq.read_table(network / "truth" / "patients.parquet").to_pylist()
    persons = pq.read_table(network / "truth" / "people.parquet").to_pylist()
    names = {row["name_family"] for row in patients} | {row["family"] for row in persons}
    said = [row[column] for row in patients for column in ("telecom_phone", "identifier_value", "address_line")]
    return sorted({*names, *(value for value in said if value and len(value) > 7)})


def sent_texts(network: Path) -> dict[str, str]:
    """All that each feed of a network sends, as text in lower case; of Parquet the cells."""
    texts: dict[str, str] = {}
    for path in sorted(path for path in (network / "feeds").rglob("*") if path.is_file()):
        content = path.read_bytes()
        text = str(pq.read_table(path).to_pylist()) if path.suffix == ".parquet" else content.decode("utf-8", "replace")
        texts["/".join(path.parts[-4:-2])] = texts.get("/".join(path.parts[-4:-2]), "") + text.lower()
    return texts


def _unpacked(content: bytes) -> list[bytes]:
    unpack = COMPRESSED.get(content[:2])
    try:
        return [unpack(content)] if unpack else []
    except (OSError, zlib.error, EOFError):
        return []
