"""Identity policies: data that says which evidence links, asks or forbids.

What belongs here: what a policy is, and its conditions as SQL over the evidence of a pair. Not here: reading files (`policy_file.py`).
The version of a policy is its name, its number and a hash of what it says, so that a changed rule is a changed version.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from transforms.identity.blocking import BlockRule
from transforms.identity.comparisons import COMPARISONS, UNSCORED

ZONES = ("auto", "review")
LEVELS = {comparison.name: ["unknown", *comparison.level_names()] for comparison in (*COMPARISONS, *UNSCORED)}
NUMBERS = ("weight", "witnesses", "against", "reach", "rarity", "newborn", "common", "slip", "unheard", "exchanged", "family_middle",
           "clipped", "halved", "letters", "misplaced", "lone_suffix", "other_part", "firm", "one_source")

Condition = dict[str, Any]


@dataclass(frozen=True)
class Rule:
    """A named condition: `when` must hold and no `unless` may; `zone` is '' for a veto, which says its `reason`."""

    name: str
    zone: str
    when: Condition
    unless: tuple[Condition, ...] = ()
    reason: str = ""

    def sql(self) -> str:
        """Give the condition as SQL over the columns of a pair's evidence."""
        excepted = "".join(f" and not ({condition_sql(one)})" for one in self.unless)
        return f"({condition_sql(self.when)}{excepted})"


@dataclass(frozen=True)
class Policy:
    """One policy: who owns it, since when it holds, its vetoes and rules in order, and blocks of its own with the most records of each."""

    name: str
    version: str
    owner: str
    effective_date: datetime.date
    vetoes: tuple[Rule, ...]
    rules: tuple[Rule, ...]
    vetoed_review: tuple[Rule, ...]
    blocks: tuple[BlockRule, ...] = ()
    block_caps: Mapping[str, int] = field(default_factory=dict)

    def veto_sql(self) -> str:
        """Give the expression that names the veto of a pair, null where none holds."""
        return _first_name(self.vetoes)

    def rule_sql(self) -> str:
        """Give the expression that names the rule that decides a pair (column `veto` in scope), null where none does."""
        return f"case when veto is null then {_first_name(self.rules)} else {_first_name(self.vetoed_review)} end"

    def veto_reason(self, veto: object) -> str:
        """Say whom a veto keeps apart, or nothing where the policy knows no veto of this name."""
        return next((rule.reason for rule in self.vetoes if rule.name == veto), "")

    def zones(self) -> dict[str, str]:
        """Give the zone of each rule by name."""
        return {rule.name: rule.zone for rule in (*self.rules, *self.vetoed_review)}

    def open_sql(self, known: frozenset[str]) -> str:
        """Give the condition that a pair of which only the columns `known` are known may still get a zone.

        False only where a veto holds for certain and nothing vetoed like that is asked about, or where each rule lacks something known.
        """
        vetoed = _either(f"{_certain(veto.when, known)} and not ({_either(_possible(one, known) for one in veto.unless)})"
                         for veto in self.vetoes)
        asked = self.asked_sql(known)
        ruled = _either(_possible(rule.when, known) for rule in self.rules)
        return f"case when {vetoed} then {asked} else {ruled} or {asked} end"

    def asked_sql(self, known: frozenset[str]) -> str:
        """Give the condition that a vetoed pair, of which only the columns `known` are known, may be shown to a steward."""
        return _either(_possible(rule.when, known) for rule in self.vetoed_review)

    def rank(self, rule_name: str) -> int:
        """Give the place of a rule: a lower one is stronger."""
        return list(self.zones()).index(rule_name)


def condition_sql(condition: Condition) -> str:
    """Turn a checked condition into SQL: a list means one of, a number means at least, `{at_most: n}` means what it says."""
    parts = []
    for column, wanted in condition.items():
        if isinstance(wanted, list):
            parts.append(f"{column} in ({', '.join(repr(level) for level in wanted)})")
        elif isinstance(wanted, dict):
            parts.append(f"coalesce({column}, 1e9) <= {float(wanted['at_most'])!r}")
        else:
            parts.append(f"coalesce({column}, -1e9) >= {float(wanted)!r}")
    return " and ".join(parts)


def _certain(condition: Condition, known: frozenset[str]) -> str:
    """Give SQL that is true only where a condition holds, whatever the unknown columns say."""
    return f"({condition_sql(condition)})" if condition.keys() <= known else "false"


def _possible(condition: Condition, known: frozenset[str]) -> str:
    """Give SQL that is false only where a condition cannot hold, whatever the unknown columns say."""
    asked = {column: wanted for column, wanted in condition.items() if column in known}
    return f"({condition_sql(asked)})" if asked else "true"


def _either(conditions: Iterable[str]) -> str:
    return " or ".join(dict.fromkeys(conditions)) or "false"


def _first_name(rules: tuple[Rule, ...]) -> str:
    return "case" + "".join(f" when {rule.sql()} then '{rule.name}'" for rule in rules) + " end" if rules else "null"
