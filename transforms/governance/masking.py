"""Masking as DuckDB SQL: what each kind of rule does to a value.

Tokens are HMAC-SHA-256 (RFC 2104) under the root's key for copies, cut to 128 bits: equal values give equal tokens in every column,
so joins hold, and without the key neither a value can be read nor a guess be tried, which an unkeyed hash would allow
(45 CFR 164.514(c): a code must not be derived from information about the individual without a secret).
Names are put together from syllables that are no name of any population. Dates move by 1 to 52 whole weeks into the past, the same for all
rows of a person: intervals and weekdays stay.
"""

from __future__ import annotations

# SHA-256's block: HMAC pads the key to it.
BLOCK = 64
_FIRST = ("Bra", "Cor", "Dul", "Fen", "Gar", "Hol", "Jas", "Kel", "Lom", "Mar", "Nor",
           "Pel", "Quin", "Ros", "Sil", "Tav", "Ul", "Ver", "Wim", "Yar")
_MIDDLE = ("bo", "du", "fa", "gi", "ko", "lu", "me", "ni", "po", "ra", "se", "ti", "vo", "wa", "zu")
_FAMILY_END = ("brack", "dorn", "feld", "grund", "holt", "kamp", "lund", "mark", "quist", "rand", "stad", "thorp", "wick", "zell")
_GIVEN_END = ("bel", "dan", "fin", "lia", "mir", "nel", "rin", "sha", "tor", "vin", "xa", "zo")
_DATE_TEXT = r"\d{4}-\d{2}-\d{2}(T[0-9:.]+(Z|[+-]\d{2}:\d{2})?)?"

MACROS = (
    # the pads are variables of the session: no statement, and so no error message, holds the key
    "create or replace temp macro token(value) as substr(sha256(getvariable('outer_pad') || "
    "unhex(sha256(getvariable('inner_pad') || encode(value)))), 1, 32)",
    # one of several independent numbers that a token yields
    "create or replace temp macro pick(of_token, place, size) as cast(('0x' || substr(of_token, 1 + 8 * place, 8)) as bigint) % size",
    f"""create or replace temp macro moved_text(value, days) as case
      when regexp_full_match(value, '\\d{{4}}') then substr(cast(try_cast(value || '-07-01' as date) + days as varchar), 1, 4)
      when regexp_full_match(value, '\\d{{4}}-\\d{{2}}') then substr(cast(try_cast(value || '-15' as date) + days as varchar), 1, 7)
      when regexp_full_match(value, '{_DATE_TEXT}') then cast(try_cast(substr(value, 1, 10) as date) + days as varchar) || substr(value, 11)
    end""",
)


def key_pads(key: bytes) -> dict[str, bytes]:
    """Give the two padded keys of HMAC (RFC 2104 section 2) as the session variables that the macros read."""
    padded = key.ljust(BLOCK, b"\0")
    return {"inner_pad": bytes(byte ^ 0x36 for byte in padded), "outer_pad": bytes(byte ^ 0x5C for byte in padded)}


def disguise_columns(human: str) -> str:
    """Give SQL of a person's disguise from the token of the person: `days` (negative, whole weeks), `family`, `given`."""
    return (f"cast(-7 * (1 + pick({human}, 0, 52)) as integer) as days, {_name(human, 1, _FAMILY_END)} as family, "
            f"{_name(human, 2, _GIVEN_END)} as given")


def masked(kind: str, column: str, sql_type: str, row: str = "t", disguise: str = "d") -> str:
    """Give SQL of a column's masked value, of the column's own type; `disguise` is the alias of the person's disguise."""
    value = f'{row}."{column}"'
    if kind == "keep":
        return value
    shifted = f"moved_text({value}, {disguise}.days)" if sql_type == "VARCHAR" else f"{value} + to_days({disguise}.days)"
    expressions = {
        "key": f"token({value})",
        "token": f"token({value})",
        "known_code": f"case when list_contains(getvariable('known_codes'), {value}) then {value} else token({value}) end",
        "family_name": f"case when {value} is not null then {disguise}.family end",
        "given_name": f"case when {value} is not null then {disguise}.given end",
        "shift": shifted,
        "sent_time": f"case when {value} is distinct from {row}.received_time then {shifted} end",
        "drop": "null",
    }
    return f"cast({expressions[kind]} as {sql_type})"


def _name(human: str, place: int, ends: tuple[str, ...]) -> str:
    parts = ((_FIRST, 1), (_MIDDLE, len(_FIRST)), (ends, len(_FIRST) * len(_MIDDLE)))
    number = f"pick({human}, {place}, {len(_FIRST) * len(_MIDDLE) * len(ends)})"
    return " || ".join(f"{list(words)}[1 + ({number} // {divisor}) % {len(words)}]" for words, divisor in parts)
