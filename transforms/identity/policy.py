"""Identity policies: data that says which evidence links, asks or forbids.

What belongs here: reading and checking `policy.yaml`, and turning its conditions into SQL over the evidence of a pair. The
version of a policy is its name, its number and a hash of what it says, so that a changed rule is a changed version.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from dataclasses import dataclass
from importlib import resources
from typing import Any

import yaml

from transforms.errors import ConfigurationError
from transforms.identity.comparisons import COMPARISONS, UNSCORED

ZONES = ("auto", "review")
LEVELS = {comparison.name: ["unknown", *comparison.level_names()] for comparison in (*COMPARISONS, *UNSCORED)}
NUMBERS = ("weight", "witnesses", "against", "reach", "rarity", "newborn", "common", "slip", "unheard", "exchanged", "family_middle",
           "clipped", "letters")

Condition = dict[str, Any]


@dataclass(frozen=True)
class Rule:
    """A named condition: `when` must hold and no `unless` may; `zone` is '' for a veto."""

    name: str
    zone: str
    when: Condition
    unless: tuple[Condition, ...] = ()

    def sql(self) -> str:
        """Give the condition as SQL over the columns of a pair's evidence."""
        excepted = "".join(f" and not ({condition_sql(one)})" for one in self.unless)
        return f"({condition_sql(self.when)}{excepted})"


@dataclass(frozen=True)
class Policy:
    """One policy: who owns it, since when it holds, and its vetoes and rules in order."""

    name: str
    version: str
    owner: str
    effective_date: datetime.date
    vetoes: tuple[Rule, ...]
    rules: tuple[Rule, ...]
    vetoed_review: tuple[Rule, ...]

    def veto_sql(self) -> str:
        """Give the expression that names the veto of a pair, null where none holds."""
        return _first_name(self.vetoes)

    def rule_sql(self) -> str:
        """Give the expression that names the rule that decides a pair (column `veto` in scope), null where none does."""
        return f"case when veto is null then {_first_name(self.rules)} else {_first_name(self.vetoed_review)} end"

    def zones(self) -> dict[str, str]:
        """Give the zone of each rule by name."""
        return {rule.name: rule.zone for rule in (*self.rules, *self.vetoed_review)}

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


def _first_name(rules: tuple[Rule, ...]) -> str:
    return "case" + "".join(f" when {rule.sql()} then '{rule.name}'" for rule in rules) + " end" if rules else "null"


def load_policy(name: str = "strict", text: str | None = None) -> Policy:
    """Read a policy; without `text` from the shipped file. Raises ConfigurationError naming the policy and the key."""
    if text is None:
        text = resources.files("transforms.identity").joinpath("policy.yaml").read_text(encoding="utf-8")
    try:
        policies = yaml.safe_load(text)["policies"]
        said = policies[name]
    except (yaml.YAMLError, KeyError, TypeError):
        raise ConfigurationError(f"identity policy {name!r}: not in the policy file. Remedy: name a policy that it holds.") from None
    based = policies.get(said.get("based_on"), {})
    try:
        content = {key: [*based.get(key, []), *said.get(key, [])] for key in ("vetoes", "vetoed_review")}
        # what a derived policy adds follows the last auto rule of its base: a review rule above it keeps its say
        rules = based.get("rules", [])
        after = max((place + 1 for place, rule in enumerate(rules) if rule["zone"] == "auto"), default=0)
        content["rules"] = [*rules[:after], *said["rules"], *rules[after:]]
        digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:8]
        return Policy(
            name=name, version=f"{name}-{int(said['version'])}-{digest}", owner=str(said["owner"]), effective_date=said["effective_date"],
            vetoes=tuple(_rule(name, one, "") for one in content["vetoes"]),
            rules=tuple(_rule(name, one, one["zone"]) for one in content["rules"]),
            vetoed_review=tuple(_rule(name, one, "review") for one in content["vetoed_review"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConfigurationError(f"identity policy {name!r}: {type(error).__name__} {error}. Remedy: complete the policy file.") from None


def _rule(policy: str, said: dict[str, Any], zone: str) -> Rule:
    rule = Rule(name=str(said["name"]), zone=zone, when=dict(said["when"]), unless=tuple(dict(one) for one in said.get("unless", ())))
    if not rule.name.isidentifier() or (zone and zone not in ZONES) or not rule.when:
        raise ConfigurationError(f"identity policy {policy!r}: rule {rule.name!r} needs a plain name, a condition and a zone of {ZONES}.")
    if not zone and any("weight" in condition for condition in (rule.when, *rule.unless)):
        raise ConfigurationError(f"identity policy {policy!r}: veto {rule.name!r} asks for a weight. Remedy: vetoes speak of levels; "
                                 "a weight is known of compared pairs only.")
    for condition in (rule.when, *rule.unless):
        for column, wanted in condition.items():
            levels = isinstance(wanted, list) and column in LEVELS and set(wanted) <= set(LEVELS[column])
            bound = wanted["at_most"] if isinstance(wanted, dict) and set(wanted) == {"at_most"} else wanted
            number = column in NUMBERS and isinstance(bound, int | float)
            if not (levels or number):
                raise ConfigurationError(f"identity policy {policy!r}: rule {rule.name!r} asks {column!r} for something it cannot be. "
                                         f"Remedy: levels of a comparison, or a number for one of {NUMBERS}.")
    return rule
