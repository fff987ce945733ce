"""Identity policies: data that says which evidence links, asks or forbids.

What belongs here: reading and checking `policy.yaml`, and turning its conditions into SQL over the evidence of a pair. The
version of a policy is its name, its number and a hash of what it says, so that a changed rule is a changed version.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

import yaml

from transforms.errors import ConfigurationError
from transforms.identity.blocking import BlockRule, policy_rule
from transforms.identity.comparisons import COMPARISONS, UNSCORED

ZONES = ("auto", "review")
LEVELS = {comparison.name: ["unknown", *comparison.level_names()] for comparison in (*COMPARISONS, *UNSCORED)}
NUMBERS = ("weight", "witnesses", "against", "reach", "rarity", "newborn", "common", "slip", "unheard", "exchanged", "family_middle",
           "clipped", "letters", "one_source")

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


def load_policy(name: str = "strict", text: str | None = None, more: str | None = None) -> Policy:
    """Read a policy; without `text` from the shipped file. `more`: text of a file with policies beside those, which may be `based_on` them.

    Raises ConfigurationError naming the policy and the key.
    """
    if text is None:
        text = resources.files("transforms.identity").joinpath("policy.yaml").read_text(encoding="utf-8")
    policies = _policies(text, name)
    if more is not None:
        added = _policies(more, name)
        if taken := sorted(policies.keys() & added.keys()):
            raise ConfigurationError(f"identity policy {taken[0]!r}: is the name of a shipped policy. Remedy: give yours another name.")
        policies = policies | added
    if not isinstance(policies.get(name), dict):
        raise ConfigurationError(f"identity policy {name!r}: not in the policy file. Remedy: name a policy that it holds.")
    return _policy(name, policies[name], policies)


def policy_name(text: str) -> str:
    """Give the name of the only policy of a file. Raises ConfigurationError where it holds none or several."""
    names = list(_policies(text, "?"))
    if len(names) != 1:
        raise ConfigurationError(f"identity policy file: holds {len(names)} policies. Remedy: name one of them by --policy.")
    return str(names[0])


def _policies(text: str, name: str) -> dict[str, Any]:
    try:
        policies = yaml.load(text, Loader=yaml.CSafeLoader)["policies"]
        return dict(policies)
    except (yaml.YAMLError, KeyError, TypeError, ValueError):
        raise ConfigurationError(
            f"identity policy {name!r}: the file holds no `policies`. Remedy: write it as docs/identity.md says.") from None


def _policy(name: str, said: dict[str, Any], policies: dict[str, Any]) -> Policy:
    if said.get("based_on") is not None and said["based_on"] not in policies:
        raise ConfigurationError(f"identity policy {name!r}: based on {said['based_on']!r}, no policy. Remedy: strict or balanced.")
    based = policies.get(str(said.get("based_on")), {})
    try:
        content = {key: [*based.get(key, []), *said.get(key, [])] for key in ("vetoes", "vetoed_review")}
        # what a derived policy adds follows the last auto rule of its base: a review rule above it keeps its say
        rules = based.get("rules", [])
        after = max((place + 1 for place, rule in enumerate(rules) if rule["zone"] == "auto"), default=0)
        content["rules"] = [*rules[:after], *said["rules"], *rules[after:]]
        if blocks := said.get("blocks", []):
            content["blocks"] = blocks
        digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:8]
        if not isinstance(said["effective_date"], datetime.date) or not str(said["owner"] or "").strip():
            raise ValueError("needs an owner and an effective_date (2026-01-31)")
        return Policy(
            name=name, version=f"{name}-{int(said['version'])}-{digest}", owner=str(said["owner"]), effective_date=said["effective_date"],
            vetoes=tuple(_rule(name, one, "") for one in content["vetoes"]),
            rules=tuple(_rule(name, one, one["zone"]) for one in content["rules"]),
            vetoed_review=tuple(_rule(name, one, "review") for one in content["vetoed_review"]),
            blocks=tuple(policy_rule(str(one["name"]), [str(part) for part in one["parts"]]) for one in blocks),
            block_caps={str(one["name"]): int(one["most"]) for one in blocks},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConfigurationError(f"identity policy {name!r}: {type(error).__name__} {error}. Remedy: complete the policy file.") from None


def _rule(policy: str, said: dict[str, Any], zone: str) -> Rule:
    rule = Rule(name=str(said["name"]), zone=zone, when=dict(said["when"]), unless=tuple(dict(one) for one in said.get("unless", ())),
                reason=str(said.get("reason") or "").strip())
    if not rule.name.isidentifier() or (zone and zone not in ZONES) or not rule.when:
        raise ConfigurationError(f"identity policy {policy!r}: rule {rule.name!r} needs a plain name, a condition and a zone of {ZONES}.")
    if not zone and not rule.reason:
        raise ConfigurationError(f"identity policy {policy!r}: veto {rule.name!r} says no reason. Remedy: say as `reason` whom it parts.")
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
