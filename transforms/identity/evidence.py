"""What speaks for and against a pair of records, in levels, and what the policy makes of it."""

from __future__ import annotations

import math
from collections.abc import Mapping

import duckdb

from transforms.identity.comparisons import COMPARISONS, UNSCORED, both_sql
from transforms.identity.model import IdentityModel
from transforms.identity.policy import NUMBERS, Policy
from transforms.identity.score import SHARES, compared_columns, levels_sql, weight_sql

# evidence that a household or a shelter may share: counted, never believed alone
WITNESSES = ("phone", "email", "address", "member")
# evidence columns that are stored with an edge
EVIDENCE = ("identifier", "ssn", "birth_date", "given", "family", "middle", "gender", "suffix", "phone", "email", "address", "member")


# comparisons that forbid the most and cost the least: of a pair that they part for certain no name is compared
FIRST = ("identifier", "birth_date", "gender", "suffix")
_ALL = (*COMPARISONS, *UNSCORED)
_KNOWN = frozenset((*(comparison.name for comparison in _ALL), *NUMBERS)) - {"weight"}


def find_promising(connection: duckdb.DuckDBPyConnection, policy: Policy, pairs: str, promising: str) -> None:
    """Create table `promising` (id_l, id_r, is_open) of the `pairs` (id_l, id_r) that may get a zone by the first comparisons."""
    first = [comparison for comparison in _ALL if comparison.name in FIRST]
    columns = {column for comparison in first for column in compared_columns(comparison)}
    connection.execute(f"""
        create or replace table {promising} as
        with pair as (
          select pairs.id_l, pairs.id_r, {both_sql(sorted(columns))}
          from {pairs} pairs join record l on l.id = pairs.id_l join record r on r.id = pairs.id_r
        ),
        level as (select id_l, id_r, {levels_sql(first)} from pair)
        select id_l, id_r, {policy.open_sql(frozenset(FIRST))} as is_open from level
    """)
    # not a filter above: the engine would compute each level once for each time that the condition names it
    connection.execute(f"delete from {promising} where not is_open")


def level_pairs(connection: duckdb.DuckDBPyConnection, policy: Policy, pairs: str, levelled: str) -> None:
    """Create table `levelled` of all `pairs` (id_l, id_r): levels, numbers but the weight, `veto` (its name, or null), and `is_open`: may
    the pair get a zone?
    """
    connection.execute(f"""
        create or replace table {levelled} as
        with pair as (
          select pairs.id_l, pairs.id_r, {both_sql([column for column in _columns(connection) if column != "id"])}
          from {pairs} pairs join record l on l.id = pairs.id_l join record r on r.id = pairs.id_r
        ),
        level as (
          select id_l, id_r, {levels_sql(_ALL)}, {SHARES}, least(rarity_l, rarity_r) as rarity,
            cast(facility_id_l = facility_id_r as integer) as one_source,
            cast(is_newborn_l or is_newborn_r as integer) as newborn, cast(is_common_name_l or is_common_name_r as integer) as common,
            cast(is_known_given_l <> is_known_given_r as integer) as slip,
            cast(not (is_known_given_l or is_known_given_r) as integer) as unheard,
            cast(is_family_like_l and is_family_like_r as integer) as exchanged,
            cast((starts_with(given_l, given_r) or starts_with(given_r, given_l)) and not list_contains(given_roots_l, given_r)
                 and not list_contains(given_roots_r, given_l) as integer) as clipped,
            cast(coalesce(starts_with(given_r, given_l) and length(middle_words_l[1]) > 1, false)
                 or coalesce(starts_with(given_l, given_r) and length(middle_words_r[1]) > 1, false) as integer) as halved,
            least(length(given_l), length(given_r)) as letters,
            cast(coalesce(given_l = family_r, false) or coalesce(given_r = family_l, false) as integer) as misplaced,
            cast((suffix_l is null) <> (suffix_r is null) as integer) as lone_suffix,
            cast(len(family_words_l) > 1 and len(family_words_r) > 1 and not list_has_all(family_words_l, family_words_r)
                 and not list_has_all(family_words_r, family_words_l) as integer) as other_part,
            (address_unit_l is null) <> (address_unit_r is null) as is_unit_said_once,
            cast(has_family_middle_l or has_family_middle_r as integer) as family_middle
          from pair
        ),
        counted as (
          select level.* exclude (is_unit_said_once), {_count("= 'exact'", "email = 'typo'")} as witnesses,
            {_count("in ('different', 'area')")} as against, cast(phone = 'exact' or address = 'exact' as integer) as reach,
            cast(phone = 'exact' or email in ('exact', 'typo') or member = 'exact' or (address = 'exact' and not is_unit_said_once)
                 as integer) as firm
          from level
        ),
        barred as (select counted.*, {policy.veto_sql()} as veto from counted)
        select barred.*, veto is null or {policy.asked_sql(_KNOWN)} as is_open from barred
    """)


def judge_pairs(connection: duckdb.DuckDBPyConnection, model: IdentityModel, policy: Policy, levelled: str, judged: str) -> None:
    """Create table `judged` of the open pairs of `levelled` that get a zone: id_l, id_r, weight, veto, rule, zone (auto or review) and the
    levels that an edge keeps.
    """
    zones = ", ".join(f"('{name}', '{zone}')" for name, zone in policy.zones().items())
    connection.execute(f"""
        create or replace table {judged} as
        with weighed as (select levelled.*, {weight_sql(model)} as weight from {levelled} levelled where is_open),
        ruled as (select weighed.*, {policy.rule_sql()} as rule from weighed)
        select ruled.id_l, ruled.id_r, ruled.weight, {', '.join(f'ruled.{name}' for name in EVIDENCE)}, ruled.veto, ruled.rule, place.zone
        from ruled join (values {zones}) place(rule, zone) on place.rule = ruled.rule
    """)


def waterfall(model: IdentityModel, levels: Mapping[str, object], score: float | None) -> list[dict[str, object]]:
    """Show how a pair came to its score: the odds before, then each comparison's level with its bits, then what the commonness of the names
    adds or takes; the last row is the score. Rows: comparison, level, bits, total. Without a score the names' row is left out.
    """
    total = math.log2(model.prior / (1 - model.prior))
    rows: list[dict[str, object]] = [
        {"comparison": "before", "level": "two random records", "bits": round(total, 1), "total": round(total, 1)}]
    for comparison in COMPARISONS:
        level = str(levels.get(comparison.name) or "unknown")
        if level == "unknown":
            bits = 0.0
        else:
            agreeing, chance = model.weights[comparison.name][level]
            bits = math.log2(agreeing / chance)
        total += bits
        rows.append({"comparison": comparison.name, "level": level, "bits": round(bits, 1), "total": round(total, 1)})
    if score is not None:
        rows.append({"comparison": "names", "level": "how common they are", "bits": round(score - total, 1), "total": round(score, 1)})
    return rows


def _columns(connection: duckdb.DuckDBPyConnection) -> list[str]:
    return [row[0] for row in connection.execute("select column_name from duckdb_columns() where table_name = 'record'").fetchall()]



def _count(test: str, also: str = "false") -> str:
    return " + ".join(f"cast({name} {test}{f' or {also}' if name == 'email' else ''} as integer)" for name in WITNESSES)
