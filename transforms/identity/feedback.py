"""What decisions of stewards say about the policy's thresholds: proposals, which nobody applies but an owner with a new policy version.

What belongs here: counts in, proposals out. A proposal rests on a bound, not on a share: of 30 decisions without a mistake one in ten may
still be wrong (Clopper and Pearson 1934, one-sided, 95 %). Decided pairs are no sample of all pairs; the bound says how much was seen.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

CONFIDENCE = 0.95
# asking is given up where at most this share of the answers can be "one human"
IDLE_SHARE = 0.05


@dataclass(frozen=True)
class Answers:
    """Decided pairs of one rule, veto ('' for none) and score band: `band` is the least score in bits, None without a score."""

    rule: str
    veto: str
    zone: str
    band: float | None
    one_human: int
    two_humans: int


@dataclass(frozen=True)
class Proposal:
    """What could change. action: link (from `score` on without asking), give_up (ask no more below `score`) or look (links of a rule were
    parted). bound: most that the share of wrong answers can be, None for look."""

    rule: str
    action: str
    score: float | None
    decided: int
    contrary: int
    bound: float | None


def most_share(contrary: int, decided: int) -> float:
    """Give the upper end of the one-sided 95 % interval of a share of which `contrary` in `decided` were seen; 1 where nothing was."""
    if contrary >= decided:
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(60):
        share = (low + high) / 2
        seen = math.fsum(_chance(k, decided, share) for k in range(contrary + 1))
        low, high = (share, high) if seen > 1 - CONFIDENCE else (low, share)
    return high


def _chance(seen: int, decided: int, share: float) -> float:
    """Binomial probability, by logarithms: the counts may be thousands."""
    ways = math.lgamma(decided + 1) - math.lgamma(seen + 1) - math.lgamma(decided - seen + 1)
    return math.exp(ways + seen * math.log(share) + (decided - seen) * math.log1p(-share))


def proposals(answers: Iterable[Answers], permitted: float) -> list[Proposal]:
    """Give the proposals that the answers carry, by rule.

    permitted: the largest share of false links that the owner accepts. Answers under a veto move no threshold: it is no matter of score.
    """
    by_rule: dict[str, list[Answers]] = {}
    for one in answers:
        if not one.veto and one.band is not None:
            by_rule.setdefault(one.rule, []).append(one)
    found = []
    for rule, bands in sorted(by_rule.items()):
        if bands[0].zone == "auto":
            parted = sum(one.two_humans for one in bands)
            if parted:
                found.append(Proposal(rule, "look", None, sum(one.one_human + one.two_humans for one in bands), parted, None))
            continue
        falling = sorted(bands, key=lambda one: -(one.band or 0.0))
        found += [one for one in (_link(rule, falling, permitted), _give_up(rule, falling[::-1])) if one]
    return found


def _link(rule: str, falling: list[Answers], permitted: float) -> Proposal | None:
    """Find the lowest band down to which the bound on two humans is permitted."""
    decided = contrary = 0
    found = None
    for band in falling:
        decided, contrary = decided + band.one_human + band.two_humans, contrary + band.two_humans
        bound = most_share(contrary, decided)
        if bound <= permitted:
            found = Proposal(rule, "link", band.band, decided, contrary, bound)
    return found


def _give_up(rule: str, rising: list[Answers]) -> Proposal | None:
    """Find the highest band up to which hardly any answer can be "one human"; the proposal names the score from which asking goes on."""
    decided = contrary = 0
    found = None
    for band, above in zip(rising, [*rising[1:], None], strict=True):
        decided, contrary = decided + band.one_human + band.two_humans, contrary + band.one_human
        bound = most_share(contrary, decided)
        if bound <= IDLE_SHARE:
            found = Proposal(rule, "give_up", above.band if above else None, decided, contrary, bound)
    return found
