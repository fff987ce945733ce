"""What is compared between two patient records, in which levels, as data.

Each comparison is a list of levels from strongest to weakest; a pair falls into the first whose condition holds. The same
conditions serve the weight (a number for each level, trained by Splink) and the policy (which speaks of levels by name).
Columns end in `_l` and `_r`. Levels of evidence that a household shares (phone, address, member number) are kept apart
from those that name one human: their weights are not independent, so the policy counts them itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Level:
    """One level of agreement: its name, the DuckDB condition, and the column whose term frequency adjusts its weight."""

    name: str
    condition: str
    term_frequency: str | None = None


@dataclass(frozen=True)
class Comparison:
    """Levels of one comparison, strongest first; `unknown` and `different` are implied before and after them."""

    name: str
    unknown: str
    levels: tuple[Level, ...]

    def level_names(self) -> list[str]:
        """Names by Splink's level number: -1 unknown, 0 different, rising with agreement."""
        return ["different", *[level.name for level in reversed(self.levels)]]


def is_slip(one: str, other: str) -> str:
    """Give the condition that two texts are one slip of the keyboard apart. Lengths, which cost nothing, tell most pairs apart."""
    return f"(abs(length({one}) - length({other})) <= 1 and damerau_levenshtein({one}, {other}) <= 1)"


def has_slip(roots: str, name: str) -> str:
    """Give the condition that one of a list of names is a slip of another; inside a list only `case` leaves the dear part out."""
    return (f"len(list_filter({roots}, lambda root: case when abs(length(root) - length({name})) <= 1 "
            f"then damerau_levenshtein(root, {name}) <= 1 else false end)) > 0")


# one desk writes YOUNG SOO, another YOUNGSOO, a third YEONGSU
JOINED = ("(given_l || middle_words_l[1] = given_r or given_r || middle_words_r[1] = given_l "
          "or joined_sound_l = given_sound_r or joined_sound_r = given_sound_l)")
BOTH_BORN = "birth_date_l is not null and birth_date_r is not null"
SAME_GENERATION = "abs(year(birth_date_l) - year(birth_date_r)) < 16"
TWO_PARTS = " + ".join(f"cast({part}(birth_date_l) = {part}(birth_date_r) as integer)" for part in ("year", "month", "day")) + " >= 2"
# a slip stays within the year, the month or the day: two of them are equal, which costs nothing to ask
DATE_SLIP = f"({TWO_PARTS} and damerau_levenshtein(birth_text_l, birth_text_r) <= 1)"
# given and family name in each other's field; with two family names, written together, or with a slip, as well. Two given names in the
# family's field must be the other's two, where it has two: XIAO HONG is not XIAO MIN
_OTHER_TWO = " or ".join(
    f"coalesce(len(family_words_{one}) > 1 and family_{one} <> given_{other} and middle_{one} is null "
    f"and length(middle_words_{other}[1]) > 1 and not list_contains(family_words_{one}, middle_words_{other}[1]), false)"
    for one, other in (("l", "r"), ("r", "l")))
SWAPPED = ("((given_l = family_r or given_l || middle_words_l[1] = family_r or list_contains(family_words_r, given_l)) "
           "and (family_l = given_r or family_l = given_r || middle_words_r[1] or list_contains(family_words_l, given_r)) "
           f"and not ({_OTHER_TWO}))")
_BORNE = "list_contains(given_roots_{0}, family_{1}) or list_contains(family_words_{1}, given_{0})"
CROSSED, TANGLED = (
    f"length(given_l) >= 3 and length(given_r) >= 3 and not ({_OTHER_TWO}) and " + " and ".join(
        f"({_BORNE.format(one, other)}{slip.format(one, other)})" for one, other in (("l", "r"), ("r", "l")))
    for slip in ("", f" or {is_slip('given_{0}', 'family_{1}')}"))
# first and middle name in each other's place
ROTATED = "length(given_l) > 1 and length(given_r) > 1 and given_l = middle_r and given_r = middle_l"
# the second family name in the middle name's place, often as an initial: MORALES, JOSE A is MORALES ALMOZA, JOSE GUSTAVO; or all of the
# family name in the given names' place, where it is written in one word
SECOND_FAMILY = ("starts_with(family_r, family_l || middle_l) or starts_with(family_l, family_r || middle_r) "
                 "or given_l || middle_words_l[1] = family_r or given_r || middle_words_r[1] = family_l")

OTHER_FIRST = "length(middle_words_l[1]) > 1 and length(middle_words_r[1]) > 1 and middle_words_l[1] <> middle_words_r[1]"

COMPARISONS: tuple[Comparison, ...] = (
    Comparison("given", "given_l is null or given_r is null", (
        Level("exact", "given_l = given_r", "given"),
        Level("joined", JOINED),
        Level("swapped", SWAPPED),
        Level("rotated", ROTATED),
        # before the table of short forms: HASAN is a form of HASSAN, but twins may bear both
        Level("sound", "given_sound_l = given_sound_r"),
        # a prefix by one letter is a slip or another name (MIN, MING); two short forms of one name may be two humans (SASHA, SANDRA)
        Level("short", "list_contains(given_roots_l, given_r) or list_contains(given_roots_r, given_l) "
                       "or (least(length(given_l), length(given_r)) >= 3 and abs(length(given_l) - length(given_r)) >= 2 "
                       "and (starts_with(given_l, given_r) or starts_with(given_r, given_l)))"),
        Level("typo", "least(length(given_l), length(given_r)) >= 3 "
                      f"and ({is_slip('given_l', 'given_r')} "
                      "or (least(length(given_l), length(given_r)) >= 7 and jaro_winkler_similarity(given_l, given_r) >= 0.92))"),
        Level("root", "list_has_any(given_roots_l, given_roots_r) or (least(length(given_l), length(given_r)) >= 4 and "
                      f"({has_slip('given_roots_l', 'given_r')} or {has_slip('given_roots_r', 'given_l')}))"),
        Level("crossed", CROSSED),
        Level("tangled", TANGLED),
        Level("middle", "(length(given_l) > 1 and given_l = middle_r) or (length(given_r) > 1 and given_r = middle_l)"),
        # one letter, or the first syllable, which brothers may share (JI of JIHOON and JIWON)
        Level("initial", "least(length(given_l), length(given_r)) <= 2 "
                         "and (starts_with(given_l, given_r) or starts_with(given_r, given_l))"),
    )),
    Comparison("family", "family_l is null or family_r is null", (
        Level("exact", "family_l = family_r", "family"),
        Level("swapped", SWAPPED),
        Level("part", "list_has_any(family_parts_l, family_parts_r) or (least(length(family_l), length(family_r)) >= 4 "
                      "and (starts_with(family_l, family_r) or starts_with(family_r, family_l) "
                      "or suffix(family_l, family_r) or suffix(family_r, family_l)))"),
        Level("typo", "least(length(family_l), length(family_r)) >= 3 "
                      f"and ({is_slip('family_l', 'family_r')} or jaro_winkler_similarity(family_l, family_r) >= 0.94)"),
        Level("crossed", CROSSED),
        Level("tangled", TANGLED),
        Level("near", "least(length(family_l), length(family_r)) >= 4 and jaro_winkler_similarity(family_l, family_r) >= 0.88"),
    )),
    # a second family name in the place of the middle name, its initial too, or the second half of a given name, contradicts nothing
    Comparison("middle", f"middle_l is null or middle_r is null or {JOINED} or list_has_any(middle_words_l, family_words_r) "
                         f"or list_has_any(middle_words_r, family_words_l) or {SECOND_FAMILY} or ({ROTATED})", (
        Level("exact", "list_has_any(list_filter(middle_words_l, lambda word: length(word) > 1), middle_words_r)"),
        # JI MIN H and JI HUA S are twins, for all the H of HUA
        Level("initial", f"(not ({OTHER_FIRST}) "
                         "and (list_has_any(middle_initials_l, list_filter(middle_words_r, lambda word: length(word) = 1)) "
                         "or list_has_any(middle_initials_r, list_filter(middle_words_l, lambda word: length(word) = 1)))) "
                         "or jaro_winkler_similarity(middle_l, middle_r) >= 0.88"),
    )),
    Comparison("birth_date", "birth_text_l is null or birth_text_r is null", (
        Level("exact", "birth_date_l = birth_date_r"),
        # one slip of the keyboard, or day and month exchanged; years apart by a generation may be parent and child of one name
        Level("close", f"{BOTH_BORN} and {SAME_GENERATION} and ({DATE_SLIP} or (year(birth_date_l) = year(birth_date_r) "
                       "and month(birth_date_l) = day(birth_date_r) and day(birth_date_l) = month(birth_date_r)))"),
        Level("near", f"{BOTH_BORN} and {SAME_GENERATION} and {TWO_PARTS}"),
        Level("generation", f"{BOTH_BORN} and {DATE_SLIP}"),
        Level("partial", "(birth_date_l is null or birth_date_r is null) "
                         "and (starts_with(birth_text_l, birth_text_r) or starts_with(birth_text_r, birth_text_l))"),
    )),
    Comparison("gender", "gender_l is null or gender_r is null", (Level("exact", "gender_l = gender_r"),)),
    Comparison("ssn", "ssn_last4_l is null or ssn_last4_r is null", (
        Level("exact", "ssn_l = ssn_r"),
        Level("last4", "ssn_last4_l = ssn_last4_r and (ssn_l is null or ssn_r is null)"),
        Level("typo", "ssn_l is not null and ssn_r is not null and damerau_levenshtein(ssn_l, ssn_r) <= 1"),
    )),
    Comparison("phone", "phone_l is null or phone_r is null", (Level("exact", "phone_l = phone_r"),)),
    Comparison("email", "email_l is null or email_r is null", (
        Level("exact", "email_l = email_r"),
        # another number is no slip: TYLER_GRAY261 and TYLER_GRAY231 are two who bear one name
        Level("typo", f"{is_slip('email_l', 'email_r')} "
                      "and regexp_replace(email_l, '[0-9]', '', 'g') <> regexp_replace(email_r, '[0-9]', '', 'g')"),
    )),
    Comparison("address", "postal_code_l is null or postal_code_r is null", (
        # two homes of one house are two addresses
        Level("exact", "address_number_l = address_number_r and postal_code_l = postal_code_r "
                       "and coalesce(address_unit_l = address_unit_r, true)"),
        Level("area", "postal_code_l = postal_code_r"),
    )),
    Comparison("member", "member_list_l is null or member_list_r is null", (
        Level("exact", "list_has_any(member_list_l, member_list_r)"),
    )),
)

# compared by the policy only: equal identifiers decide by rule, a generation part only ever parts
UNSCORED: tuple[Comparison, ...] = (
    Comparison("identifier", "identifier_list_l is null or identifier_list_r is null", (
        Level("exact", "list_has_any(identifier_list_l, identifier_list_r)"),
    )),
    Comparison("suffix", "suffix_l is null or suffix_r is null", (Level("exact", "suffix_l = suffix_r"),)),
)


def both_sql(columns: Iterable[str]) -> str:
    """Give columns of the records `l` and `r` under the names that the conditions read."""
    return ", ".join(f"l.{column} as {column}_l, r.{column} as {column}_r" for column in columns)


def level_sql(comparison: Comparison) -> str:
    """Give the SQL expression that names the level of a pair."""
    cases = "".join(f" when {level.condition} then '{level.name}'" for level in comparison.levels)
    return f"case when {comparison.unknown} then 'unknown'{cases} else 'different' end"
