"""Which character set a message is written in: MSH-18 against the bytes (HL7 v2.5.1 s2.15.9.18, table 0211).

Belongs here: choosing a codec and decoding strictly. Does not belong here: repair; no byte is ever replaced.
"""

from __future__ import annotations

import codecs

MISMATCH = "hl7.charset_mismatch"

# Table 0211 and, besides, the plain names of UTF-8. Python codec names.
_TABLE_0211 = {
    "": "ascii", "ASCII": "ascii", "ISO IR6": "ascii",
    **{f"8859/{part}": f"iso8859-{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 15)},
    "ISO IR14": "shift_jis", "ISO IR87": "iso2022_jp", "ISO IR159": "iso2022_jp_1",
    "GB 18030-2000": "gb18030", "KS X 1001": "euc_kr", "BIG-5": "big5",
    "UNICODE UTF-8": "utf-8", "UTF-8": "utf-8", "UTF8": "utf-8",
}  # fmt: skip
_SHIFTING = frozenset({"iso2022_jp", "iso2022_jp_1"})  # all their bytes are ASCII, but not their text


def decode_text(content: bytes, declared: bytes, facility_charset: str) -> tuple[str | None, str, str | None]:
    """Text of a message, the codec that read it, and a flag or None.

    `declared` is the first repetition of MSH-18; empty means ASCII. Where the bytes do not fit it, or it is not in the
    table and there are bytes beyond ASCII, the facility's charset counts, with the flag hl7.charset_mismatch. Text is
    None where that does not fit either."""
    name = declared.decode("latin-1").strip().upper()
    codec = _TABLE_0211.get(name)
    if content.isascii() and codec not in _SHIFTING:
        return content.decode("ascii"), codec or facility_charset, None
    for candidate, flag in ((codec, None), (codecs.lookup(facility_charset).name, MISMATCH)):
        if candidate is not None:
            try:
                return content.decode(candidate), candidate, flag
            except UnicodeDecodeError:
                continue
    return None, "", None
