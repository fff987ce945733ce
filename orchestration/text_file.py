"""Text files that a person names: registry, policies, models, concept maps."""

from __future__ import annotations

import codecs
from pathlib import Path

from transforms.errors import ConfigurationError


def read_text_file(path: Path, remedy: str) -> str:
    """Give a file's text: UTF-8, or UTF-16 where it begins with its byte order mark, which is no part of the text.

    Raises ConfigurationError naming the file and the remedy where it cannot be read or is neither."""
    try:
        content = path.read_bytes()
        return content.decode("utf-16" if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig")
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read ({error.strerror}). Remedy: {remedy}") from None
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: byte {error.start} is no UTF-8. Remedy: {remedy}") from None
