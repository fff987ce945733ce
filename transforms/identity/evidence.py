"""What speaks for and against a pair of records, in levels, and what the policy makes of it."""

from __future__ import annotations

import math
from collections.abc import Mapping

import duckdb

from transforms.identity.comparisons import COMPARISONS, UNSCORED, level_sql
from transforms.identity.model import IdentityModel
from transforms.identity.policy import Policy

# evidence that a household or a shelter may share: counted, never believed alone
WITNESSES = ("phone", "email", "address", "member")
# evidence columns that are stored with an edge
EVIDENCE = ("identifier", "ssn", "birth_date", "given", "family", "middle", "gender", "suffix", "phone", "email", "address", "member")


def judge_pairs(connection: duckdb.DuckDBPyConnection, policy: Policy, scored: str, judged: str) -> None:
    """Create table `judged` from `scored` (id_l, id_r, weight): levels, `veto`, `rule` and `zone` of the pairs that have a zone or a veto.

    zone is auto, review or null; veto is the name of the veto that parts the pair, or null.
    """
    named = [comparison.name for comparison in (*COMPARISONS, *UNSCORED)]
    both = ", ".join(f"l.{column} as {column}_l, r.{column} as {column}_r" for column in _columns(connection) if column != "id")
    levels = ", ".join(f"{level_sql(comparison)} as {comparison.name}" for comparison in (*COMPARISONS, *UNSCORED))
    zones = ", ".join(f"('{name}', '{zone}')" for name, zone in policy.zones().items())
    connection.execute(f"""
        create or replace table {judged} as
        with pair as (
          select scored.id_l, scored.id_r, scored.weight, {both}
          from {scored} scored join record l on l.id = scored.id_l join record r on r.id = scored.id_r
        ),
        level as (
          select id_l, id_r, weight, {levels}, least(rarity_l, rarity_r) as rarity,
            cast(is_newborn_l or is_newborn_r as integer) as newborn, cast(is_common_name_l or is_common_name_r as integer) as common,
            cast(is_known_given_l <> is_known_given_r as integer) as slip,
            cast(not (is_known_given_l or is_known_given_r) as integer) as unheard,
            cast(is_family_like_l and is_family_like_r as integer) as exchanged,
            cast((starts_with(given_l, given_r) or starts_with(given_r, given_l)) and not list_contains(given_roots_l, given_r)
                 and not list_contains(given_roots_r, given_l) as integer) as clipped,
            least(length(given_l), length(given_r)) as letters,
            cast(has_family_middle_l or has_family_middle_r as integer) as family_middle
          from pair
        ),
        counted as (
          select level.*, {_count("= 'exact'", "email = 'typo'")} as witnesses, {_count("in ('different', 'area')")} as against,
            cast(phone = 'exact' or address = 'exact' as integer) as reach
          from level
        ),
        barred as (select counted.*, {policy.veto_sql()} as veto from counted),
        ruled as (select barred.*, {policy.rule_sql()} as rule from barred)
        select ruled.id_l, ruled.id_r, ruled.weight, {', '.join(f'ruled.{name}' for name in named)}, ruled.veto, ruled.rule, place.zone
        from ruled left join (values {zones}) place(rule, zone) on place.rule = ruled.rule
        where place.zone is not null or ruled.veto is not null
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
