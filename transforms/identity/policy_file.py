"""Policy files: which version of a policy holds on a day, and whether it says what a policy must.

A name stands for one version, or for a list of versions with rising numbers and dates, of which the newest whose date has come holds: the
next one is signed before it holds and takes effect by itself. What belongs here: reading and checking. Not here: what a condition means
(`policy.py`). An error names file, line and key, never a value: a file that was named by mistake may hold anything.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from importlib import resources
from typing import Any

from transforms.errors import ConfigurationError
from transforms.facilities.located_yaml import Located, read_yaml
from transforms.identity.blocking import BlockRule, policy_rule
from transforms.identity.policy import LEVELS, NUMBERS, ZONES, Condition, Policy, Rule

SHIPPED = "policy.yaml"
_KEYS = ("based_on", "vetoes", "rules", "vetoed_review", "blocks")
_GOVERNED = ("version", "owner", "effective_date")
_RULE_KEYS = ("name", "zone", "reason", "when", "unless")


@dataclass(frozen=True)
class _Version:
    """One version of a policy as it stands in a file."""

    keys: Mapping[str, Located] = field(repr=False)
    place: Located = field(repr=False)
    number: int
    effective_date: date


_Policies = dict[str, tuple[_Version, ...]]


def load_policy(name: str = "strict", text: str | None = None, more: str | None = None, *, on: date | None = None,
                file: str = "policy file") -> Policy:
    """Read the version of a policy that holds on a day (UTC); without `on` the newest, which a data root must not be judged by.

    text: a policy file instead of the shipped one. more: text of a file with policies beside those, which may be `based_on` them.
    file: what messages call either. Raises ConfigurationError naming file, line and key where something is wrong, or no version holds yet.
    """
    shipped = resources.files("transforms.identity").joinpath(SHIPPED).read_text(encoding="utf-8") if text is None else text
    policies = _read(shipped, SHIPPED if text is None else file)
    if more is not None:
        added = _read(more, file)
        for taken in sorted(policies.keys() & added.keys()):
            added[taken][0].place.fail(f"{taken} is the name of a shipped policy", "give yours another name")
        policies |= added
    if name not in policies:
        raise ConfigurationError(f"{file if more is not None or text is not None else SHIPPED}: there is no policy {name!r}. "
                                 f"Remedy: one of {', '.join(sorted(policies))}.")
    version = _in_force(name, policies[name], on)
    content = _content(name, policies, on)
    said = {key: [place.value() for place in content[key]] for key in content if content[key] or key != "blocks"}
    rules = {key: tuple(_rule(place, key) for place in content[key]) for key in ("vetoes", "rules", "vetoed_review")}
    blocks = [_block(place) for place in content["blocks"]]
    owner = version.keys["owner"].text().strip()
    if not owner:
        version.keys["owner"].fail("the owner has no name", "who answers for the policy")
    digest = hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()[:8]
    return Policy(
        name=name, version=f"{name}-{version.number}-{digest}", owner=owner, effective_date=version.effective_date, **rules,
        blocks=tuple(rule for rule, _ in blocks), block_caps={rule.name: most for rule, most in blocks})


def policy_name(text: str, file: str = "policy file") -> str:
    """Give the name of the only policy of a file. Raises ConfigurationError where it holds none or several."""
    names = list(_read(text, file))
    if len(names) != 1:
        raise ConfigurationError(f"{file}: holds {len(names)} policies. Remedy: name one of them by --policy.")
    return names[0]


def _read(text: str, file: str) -> _Policies:
    named = read_yaml(text, file).mapping(required=("policies",))["policies"]
    found: _Policies = {}
    for name, place in named.mapping().items():
        if not name.isidentifier():
            place.fail("a policy has no plain name", "letters, digits and _, a letter first")
        found[name] = tuple(_version(one) for one in (place.items() if place.is_list else [place]))
        if not found[name]:
            place.fail(f"policy {name} has no version", "at least one with version, owner, effective_date and rules")
        for before, after in zip(found[name], found[name][1:], strict=False):
            if after.number <= before.number:
                after.keys["version"].fail(f"a version of policy {name} does not follow the one before it", "a higher number")
            if after.effective_date <= before.effective_date:
                after.keys["effective_date"].fail(f"version {after.number} of policy {name} does not take effect after the one before it",
                                                  "a later date")
    return found


def _version(place: Located) -> _Version:
    # keys without a value are refused where they are read: what was meant to stand there would be missing
    keys = place.whole_mapping((*_KEYS, *_GOVERNED), (*_GOVERNED, "rules"))
    return _Version(keys, place, keys["version"].integer(1), keys["effective_date"].day())


def _in_force(name: str, versions: tuple[_Version, ...], on: date | None) -> _Version:
    """Give the newest version whose date has come."""
    begun = [version for version in versions if on is None or version.effective_date <= on]
    if not begun:
        first = versions[0]
        first.keys["effective_date"].fail(
            f"effective_date of policy {name}, version {first.number}, is {first.effective_date}: it judges nobody on {on} (UTC)",
            f"keep the version that holds until then before it in a list under '{name}:', choose a policy that holds by "
            "LAKEHOUSE_IDENTITY_POLICY, or correct this machine's clock")
    return begun[-1]


def _content(name: str, policies: _Policies, on: date | None, above: tuple[str, ...] = ()) -> dict[str, list[Located]]:
    """Give the vetoes, rules and blocks of a policy with those of what it is based on, each as it holds on that day."""
    version = _in_force(name, policies[name], on)
    own = {key: version.keys[key].items() if key in version.keys else [] for key in _KEYS if key != "based_on"}
    if "based_on" not in version.keys:
        return own
    base = version.keys["based_on"].text()
    if base not in policies or base in (*above, name):
        version.keys["based_on"].fail(f"based_on of policy {name} names no policy", "strict or balanced")
    below = _content(base, policies, on, (*above, name))
    # what a derived policy adds follows the last auto rule of its base: a review rule above it keeps its say
    rules = below["rules"]
    after = max((place + 1 for place, rule in enumerate(rules) if _rule(rule, "rules").zone == "auto"), default=0)
    return {"vetoes": below["vetoes"] + own["vetoes"], "vetoed_review": below["vetoed_review"] + own["vetoed_review"],
            "rules": [*rules[:after], *own["rules"], *rules[after:]], "blocks": below["blocks"] + own["blocks"]}


def _rule(place: Located, kind: str) -> Rule:
    """Read a rule of `vetoes`, `rules` or `vetoed_review`."""
    keys = place.whole_mapping(_RULE_KEYS, ("name", "when", *(("zone",) if kind == "rules" else ())))
    name = keys["name"].text()
    if not name.isidentifier():
        keys["name"].fail(f"a name in {kind} is not plain", "letters, digits and _, a letter first")
    zone = keys["zone"].one_of(ZONES) if kind == "rules" else "review" if kind == "vetoed_review" else ""
    reason = keys["reason"].text().strip() if "reason" in keys else ""
    if kind == "vetoes" and not reason:
        place.fail(f"veto {name} says no reason", "say as `reason` whom it parts")
    unless = keys["unless"].items() if "unless" in keys else []
    when, *excepted = (_condition(one, name, kind) for one in (keys["when"], *unless))
    return Rule(name, zone, when, tuple(excepted), reason)


def _condition(place: Located, rule: str, kind: str) -> Condition:
    """Read a condition: levels of comparisons, bounds of numbers."""
    asked = place.whole_mapping()
    if not asked:
        place.fail(f"rule {rule} has an empty condition", "levels of a comparison, or a number")
    if kind == "vetoes" and "weight" in asked:
        place.fail(f"veto {rule} asks for a weight", "vetoes speak of levels; a weight is known of compared pairs only")
    condition = {column: wanted.value() for column, wanted in asked.items()}
    for column, wanted in condition.items():
        if not (_is_levels(column, wanted) or _is_number(column, wanted)):
            asked[column].fail(f"rule {rule} asks a comparison for something it cannot be", "a list of its levels, or a number or "
                               f"{{at_most: number}} for one of {', '.join(NUMBERS)}")
    return condition


def _is_levels(column: str, wanted: Any) -> bool:
    return isinstance(wanted, list) and bool(wanted) and column in LEVELS and all(one in LEVELS[column] for one in wanted)


def _is_number(column: str, wanted: Any) -> bool:
    bound = wanted["at_most"] if isinstance(wanted, dict) and set(wanted) == {"at_most"} else wanted
    return column in NUMBERS and isinstance(bound, int | float) and math.isfinite(bound)


def _block(place: Located) -> tuple[BlockRule, int]:
    keys = place.mapping(required=("name", "parts", "most"), allowed=())
    try:
        return policy_rule(keys["name"].text(), keys["parts"].texts()), keys["most"].integer(1)
    except ValueError as wrong:
        place.fail(str(wrong), "blocks as docs/identity.md shows them")
