"""Fellegi-Sunter match weights from registered constants.

A weight is log2 of the odds that two records are of one human: the odds before any evidence, for each comparison what its level is worth
(m over u), and for an equal name what its rarity adds. It depends on the two records and on the model alone: shares of names come from
the model, never from the data at hand, so that a pair weighs the same in a small run as in a full one.

Splink trains the constants (`train.py`) and would weigh the same (a test holds each weight against Splink's own). It is not asked for
weights, because it compares all names a second time: the policy has the levels already.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

import duckdb

from transforms.identity.comparisons import COMPARISONS, Comparison, both_sql, level_sql
from transforms.identity.model import IdentityModel

# what a weight needs of a pair besides the levels: how common a name is, where both records bear it
SHARES = "tf_given_l as given_share, tf_family_l as family_share"


def weight_sql(model: IdentityModel) -> str:
    """Give the expression of a pair's weight over its levels (columns named by comparison) and SHARES; rounded to a millionth of a bit."""
    terms = [repr(math.log2(model.prior / (1 - model.prior))), *(_bits_sql(model, comparison) for comparison in COMPARISONS)]
    return f"round({' + '.join(terms)}, 6)"


def score_pairs(connection: duckdb.DuckDBPyConnection, model: IdentityModel, pairs: str, scored: str) -> None:
    """Create table `scored` (id_l, id_r, weight) from table `pairs` (id_l, id_r) of `record` ids, whatever a policy says of them."""
    columns = sorted({*(column for comparison in COMPARISONS for column in compared_columns(comparison)), "tf_given", "tf_family"})
    connection.execute(f"""
        create table {scored} as
        with pair as (
          select pairs.id_l, pairs.id_r, {both_sql(columns)}
          from {pairs} pairs join record l on l.id = pairs.id_l join record r on r.id = pairs.id_r
        ),
        level as (select id_l, id_r, {levels_sql(COMPARISONS)}, {SHARES} from pair)
        select id_l, id_r, {weight_sql(model)} as weight from level
    """)


def levels_sql(comparisons: Iterable[Comparison]) -> str:
    """Give the columns that name the levels of a pair."""
    return ", ".join(f"{level_sql(comparison)} as {comparison.name}" for comparison in comparisons)


def compared_columns(comparison: Comparison) -> set[str]:
    """Give the columns of `record` that a comparison reads."""
    return set(re.findall(r"\b(\w+)_l\b", level_sql(comparison)))


def _bits_sql(model: IdentityModel, comparison: Comparison) -> str:
    """Give the bits of a comparison: log2 of m over u of its level, nothing where it is unknown; for an equal name its own share takes the
    place of u."""
    cases = []
    for level, (agreeing, chance) in model.weights[comparison.name].items():
        column = next((one.term_frequency for one in comparison.levels if one.name == level), None)
        bits = f"{math.log2(agreeing)!r} - log2({column}_share)" if column else repr(math.log2(agreeing) - math.log2(chance))
        cases.append(f" when '{level}' then {bits}")
    return f"case {comparison.name}{''.join(cases)} else 0.0 end"
