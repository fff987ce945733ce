"""Which pairs are looked at: blocking rules, their keys and their caps.

A block is all records with one value of one rule. A block with more records than its cap pairs nothing, and its value is
no evidence on its records: a switchboard number tells nothing. The caps are constants of the model; a block that crosses its
cap makes all its records be scored anew, so that the result never depends on the order in which records came.

Some rules only count: they pair nobody, and a block over its cap marks its records as bearing what many bear. So how common a
name is comes from the records at hand, and yet an incremental run says the same as a full one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class BlockRule:
    """One rule: its name, the DuckDB expressions that make its key (all must be known), a list column where it has one.

    voids: the column that is no evidence where the block is full. marks: the column that says so; such a rule pairs nobody.
    """

    name: str
    parts: tuple[str, ...]
    list_column: str | None = None
    voids: str | None = None
    marks: str | None = None


RULES: tuple[BlockRule, ...] = (
    BlockRule("identifier", ("element",), list_column="identifier_list", voids="identifier_list"),
    BlockRule("ssn", ("ssn",), voids="ssn"),
    BlockRule("member", ("element", "left(given, 1)"), list_column="member_list", voids="member_list"),
    BlockRule("phone", ("phone", "left(given, 1)"), voids="phone"),
    BlockRule("email", ("email", "left(given, 1)"), voids="email"),
    BlockRule("address", ("address_number", "postal_code", "left(given, 1)"), voids="address_number"),
    # initials in either order: given and family name may stand in each other's field
    BlockRule("birth_date_initials", ("birth_date", "least(left(given, 1), left(family, 1))", "greatest(left(given, 1), left(family, 1))")),
    BlockRule("birth_date_family", ("birth_date", "left(family, 4)")),
    BlockRule("birth_date_swapped", ("birth_date", "least(given, family)", "greatest(given, family)")),
    BlockRule("birth_date_place", ("birth_date", "postal_code")),
    BlockRule("birth_date_ssn", ("birth_date", "ssn_last4")),
    BlockRule("name_place", ("family", "given", "postal_code")),
    BlockRule("name_ssn", ("family", "given", "ssn_last4")),
    # either of two family names makes a name common: registered together they only look rare
    BlockRule("name", ("element", "given"), list_column="family_words", marks="is_common_name"),
    BlockRule("given", ("given",), marks="is_known_given"),
)
# rules that pair nobody: all others do, those of a policy too
COUNTING = tuple(rule.name for rule in RULES if rule.marks is not None)
# what a rule of a policy may be made of: a column, or its first letters
PARTS = (
    "family", "given", "given_sound", "middle", "birth_date", "birth_text", "gender", "phone", "email", "address_number", "postal_code",
    "ssn", "ssn_last4",
)
_PART = re.compile(rf"({'|'.join(PARTS)})(?::([1-9]))?")


def policy_rule(name: str, parts: Sequence[str]) -> BlockRule:
    """Make a rule of a policy from its parts (`postal_code`, `given:3`).

    Raises ValueError where a part is none of PARTS or the name is taken.
    """
    if not name.isidentifier() or name in {rule.name for rule in RULES}:
        raise ValueError("a block needs a plain name of its own")
    expressions = []
    for part in parts:
        found = _PART.fullmatch(part)
        if found is None:
            raise ValueError(f"a part of a block is none of {', '.join(PARTS)}, with or without `:letters`")
        expressions.append(f"left({found[1]}, {found[2]})" if found[2] else found[1])
    if not expressions:
        raise ValueError("a block has no part")
    return BlockRule(name, tuple(expressions))


def known_sql(rule: BlockRule) -> str:
    """Give the condition that all parts of a rule's key are known."""
    return " and ".join(f"{part} is not null" for part in rule.parts)


def block_key_sql(rule: BlockRule) -> str:
    """Give the expression of a rule's key: 60 bits of MD5 over the rule and the parts, null where a part is unknown. So a key names its
    rule: blocks are joined and counted by their keys alone."""
    text = " || '|' || ".join(f"cast({part} as varchar)" for part in rule.parts)
    return f"cast('0x' || left(md5('{rule.name}|' || {text}), 15) as bigint)"


def blocks_sql(record: str, more: Sequence[BlockRule] = ()) -> str:
    """Give the query of all blocks of a record table, by RULES and by those of a policy: id, block_rule, block_key.

    The rules of plain columns are one reading of the table, so that a record's blocks come together; those of lists follow.
    """
    plain = [rule for rule in (*RULES, *more) if rule.list_column is None]
    names, keys = (", ".join(parts) for parts in ([f"'{rule.name}'" for rule in plain], [block_key_sql(rule) for rule in plain]))
    selects = [f"select id, block_rule, block_key from (select id, unnest([{names}]) as block_rule, unnest([{keys}]) as block_key "
               f"from {record}) where block_key is not null"]
    for rule in (*RULES, *more):
        if rule.list_column is not None:
            # one key is said once; known parts are asked for here: a condition on the key would compute it twice
            elements = f"(select *, unnest(list_distinct({rule.list_column})) as element from {record})"
            selects.append(f"select id, '{rule.name}' as block_rule, {block_key_sql(rule)} as block_key "
                           f"from {elements} where {known_sql(rule)}")
    return " union all ".join(selects)
