"""Text files that a person names are read whatever editor saved them, or refused with what helps."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from orchestration.text_file import read_text_file
from transforms.errors import ConfigurationError

TEXT = "größe: 1\n"


@pytest.mark.parametrize("content", [
    TEXT.encode(), codecs.BOM_UTF8 + TEXT.encode(), TEXT.encode("utf-16"), codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
], ids=["UTF-8", "UTF-8 with its mark", "UTF-16", "UTF-16, big end first"])
def test_a_text_is_read_without_its_mark(tmp_path: Path, content: bytes) -> None:
    """Four ways of saving a text give the same text."""
    (tmp_path / "text").write_bytes(content)
    assert read_text_file(tmp_path / "text", "none") == TEXT


def test_what_is_no_text_is_refused_with_file_place_and_remedy(tmp_path: Path) -> None:
    """A byte that is no UTF-8 is told by its place, never shown."""
    (tmp_path / "latin").write_bytes("Müller".encode("latin-1"))
    with pytest.raises(ConfigurationError) as told:
        read_text_file(tmp_path / "latin", "save it as UTF-8.")
    assert str(told.value) == f"{tmp_path / 'latin'}: byte 1 is no UTF-8. Remedy: save it as UTF-8."


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """The system's own words say why it cannot be read."""
    with pytest.raises(ConfigurationError, match=r"nowhere: cannot be read \(No such file or directory\)\. Remedy: make one\."):
        read_text_file(tmp_path / "nowhere", "make one.")
