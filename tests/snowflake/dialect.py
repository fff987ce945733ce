"""What SQL text says to Snowflake: the functions it calls, names it may not use, orders that leave the place of nulls open,
subqueries where they may not stand.

The text is read by sqlglot's Snowflake dialect. Functions are found as words before a bracket, since parsing would already replace
them by what they mean.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.tokens import TokenType

FILE = Path(__file__).with_name("allowed_functions.txt")
# Words before a bracket that call nothing.
WORDS = frozenset({
    "ALL", "AND", "AS", "BY", "DISTINCT", "ELSE", "EXISTS", "FILES", "FROM", "GROUP", "IN", "INTO", "JOIN", "LATERAL", "NOT", "ON", "OR",
    "OVER", "SELECT", "THEN", "UNION", "USING", "VALUES", "WHEN", "WHERE", "WITH",
})
# Snowflake's reserved words, and words that have a meaning of their own behind a table's name.
RESERVED = frozenset(Path(__file__).with_name("reserved_words.txt").read_text(encoding="utf-8").split())


@cache
def allowed_functions() -> frozenset[str]:
    """Functions and types of the list: the first word of each line that is no remark."""
    lines = FILE.read_text(encoding="utf-8").splitlines()
    return frozenset(line.split()[0] for line in lines if line.strip() and not line.startswith("#"))


def parsed(text: str) -> Any:
    """Parse one statement. Raises sqlglot's ParseError where it is no Snowflake SQL, ValueError where it is not understood."""
    tree = sqlglot.parse_one(text, read="snowflake")
    if tree.find(exp.Command):
        raise ValueError("sqlglot does not understand this statement")
    return tree


def is_about_rows(text: str) -> bool:
    """Whether a statement reads, changes or stores rows; others are the adapter's own (show, describe, use, put)."""
    return text.lstrip().lower().startswith(("select", "with", "insert", "delete", "update", "merge", "create or replace", "create table"))


def called_functions(text: str) -> set[str]:
    """Names of the functions that a statement calls, and of types that it gives arguments; qualified names are tables."""
    tokens = sqlglot.tokenize(text, read="snowflake")
    called = set()
    for before, token, after in zip([None, *tokens], tokens, tokens[1:], strict=False):
        is_word = token.token_type != TokenType.STRING and token.text.replace("_", "").isalnum() and not token.text[0].isdigit()
        is_qualified = before is not None and before.token_type == TokenType.DOT
        if after.token_type == TokenType.L_PAREN and is_word and not is_qualified and token.text.upper() not in WORDS:
            called.add(token.text.upper())
    return called


def reserved_names(tree: Any) -> set[str]:
    """Unquoted names of a statement that Snowflake keeps for itself."""
    return {one.name for one in tree.find_all(exp.Identifier) if not one.quoted and one.name.upper() in RESERVED}


def open_orders(tree: Any) -> set[str]:
    """Descending orders that do not say where nulls go: first on Snowflake, last on DuckDB."""
    return {one.sql("snowflake") for one in tree.find_all(exp.Ordered) if one.args.get("desc") and one.args.get("nulls_first")}


def subqueries_in_joins(tree: Any) -> set[str]:
    """Joins whose condition holds a subquery, which Snowflake refuses in outer joins: scope is filtered in WHERE."""
    joins = tree.find_all(exp.Join)
    return {one.sql("snowflake") for one in joins if (condition := one.args.get("on")) is not None and condition.find(exp.Select)}
