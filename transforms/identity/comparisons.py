"""What is compared between two patient records, in which levels, as data.

Each comparison is a list of levels from strongest to weakest; a pair falls into the first whose condition holds. The same
conditions serve the scorer (Splink, which adds a weight to each level) and the policy (which speaks of levels by name).
Columns end in `_l` and `_r`. Levels of evidence that a household shares (phone, address, member number) are kept apart
from those that name one human: their weights are not independent, so the policy counts them itself.
"""

from __future__ import annotations

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


SWAPPED = "given_l = family_r and family_l = given_r"

COMPARISONS: tuple[Comparison, ...] = (
    Comparison("given", "given_l is null or given_r is null", (
        Level("exact", "given_l = given_r", "given"),
        Level("swapped", SWAPPED),
        Level("short", "list_has_any(given_roots_l, given_roots_r) or (least(length(given_l), length(given_r)) >= 3 "
                       "and (starts_with(given_l, given_r) or starts_with(given_r, given_l)))"),
        Level("typo", "least(length(given_l), length(given_r)) >= 3 "
                      "and (damerau_levenshtein(given_l, given_r) <= 1 or jaro_winkler_similarity(given_l, given_r) >= 0.94)"),
        Level("initial", "(length(given_l) = 1 or length(given_r) = 1) and left(given_l, 1) = left(given_r, 1)"),
    )),
    Comparison("family", "family_l is null or family_r is null", (
        Level("exact", "family_l = family_r", "family"),
        Level("swapped", SWAPPED),
        Level("part", "list_has_any(family_parts_l, family_parts_r)"),
        Level("typo", "least(length(family_l), length(family_r)) >= 3 "
                      "and (damerau_levenshtein(family_l, family_r) <= 1 or jaro_winkler_similarity(family_l, family_r) >= 0.94)"),
        Level("near", "least(length(family_l), length(family_r)) >= 4 and jaro_winkler_similarity(family_l, family_r) >= 0.88"),
    )),
    Comparison("middle", "middle_l is null or middle_r is null", (
        Level("exact", "middle_l = middle_r and length(middle_l) > 1"),
        Level("initial", "left(middle_l, 1) = left(middle_r, 1)"),
    )),
    Comparison("birth_date", "birth_text_l is null or birth_text_r is null", (
        Level("exact", "birth_date_l = birth_date_r"),
        Level("close", "birth_date_l is not null and birth_date_r is not null and (damerau_levenshtein(birth_text_l, birth_text_r) <= 1 "
                       "or (year(birth_date_l) = year(birth_date_r) and month(birth_date_l) = day(birth_date_r) "
                       "and day(birth_date_l) = month(birth_date_r)))"),
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
        Level("typo", "damerau_levenshtein(email_l, email_r) <= 1"),
    )),
    Comparison("address", "postal_code_l is null or postal_code_r is null", (
        Level("exact", "address_number_l = address_number_r and postal_code_l = postal_code_r"),
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


def level_sql(comparison: Comparison) -> str:
    """Give the SQL expression that names the level of a pair."""
    cases = "".join(f" when {level.condition} then '{level.name}'" for level in comparison.levels)
    return f"case when {comparison.unknown} then 'unknown'{cases} else 'different' end"
