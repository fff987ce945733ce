"""Histories of facilities: in which order their files arrive, which arrive again, and which partitions are run when.

A history is drawn for each facility of a network, and all histories are lived side by side in one warehouse, round by round: a round
lands what each history says, then one run covers the partitions that any of them names. So fifty histories cost a handful of
runs, and what one facility does to another through identity is drawn too. Everything follows from the seed.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

from assets.root import Root
from assets.stores.control import Partition
from orchestration.landing import Arrival, arrivals_of_network
from tests.corrections import corrected

ROUNDS = 4
FIRST_RECEIVED = datetime(2026, 1, 20, 6, tzinfo=UTC)
# After which step of a run's six the process is gone; most rounds end well.
CRASHES = (None, None, "raw", "version", "gate", "current", "identity")


@dataclass(frozen=True)
class Landing:
    """One file landed in a round: as it is, or with every result of it corrected."""

    arrival: Arrival
    is_correction: bool = False

    @property
    def partition(self) -> Partition:
        """The partition that the file belongs to."""
        return self.arrival.facility_id, self.arrival.batch_date

    def content(self) -> bytes:
        """The bytes that arrive."""
        content = self.arrival.path.read_bytes()
        return corrected(content) if self.is_correction else content

    @property
    def name(self) -> str:
        """The name under which they arrive."""
        return ("corrected_" if self.is_correction else "") + self.arrival.path.name


@dataclass(frozen=True)
class Round:
    """What happens in one round: files land, the registry may change, partitions are run, and the run may end early."""

    landings: tuple[Landing, ...]
    is_registry_changed: bool
    partitions: tuple[Partition, ...]
    crash: str | None


def draw_histories(seed: int, feeds: Path) -> list[Round]:
    """Draw a history for each facility of the feeds and braid them into rounds; the last one runs all that is not up to date."""
    chance = random.Random(seed)
    by_facility: dict[str, list[Arrival]] = {}
    for arrival in arrivals_of_network(feeds):
        by_facility.setdefault(arrival.facility_id, []).append(arrival)
    landings: list[list[Landing]] = [[] for _ in range(ROUNDS)]
    for arrivals in by_facility.values():
        for number, landing in _draw_landings(chance, arrivals):
            landings[number].append(landing)
    registry_round = chance.randrange(1, ROUNDS)
    return list(_draw_runs(chance, landings, registry_round))


def _draw_landings(chance: random.Random, arrivals: Sequence[Arrival]) -> Iterator[tuple[int, Landing]]:
    """Each file arrives in some round, mostly its own day's; some arrive again, some corrected."""
    first_day = min(one.batch_date for one in arrivals)
    for arrival in chance.sample(arrivals, len(arrivals)):
        usual = min((arrival.batch_date - first_day).days, ROUNDS - 1)
        number = usual if chance.random() < 0.6 else chance.randrange(ROUNDS)
        yield number, Landing(arrival)
        if chance.random() < 0.2:
            yield chance.randrange(number, ROUNDS), Landing(arrival)
        if chance.random() < 0.2:
            yield chance.randrange(ROUNDS), Landing(arrival, is_correction=True)


def _draw_runs(chance: random.Random, landings: Sequence[Sequence[Landing]], registry_round: int) -> Iterator[Round]:
    """Runs cover some of what waits and some of what was run before; what an ended run left stays waiting."""
    waiting: set[Partition] = set()
    landed: set[Partition] = set()
    for number, arriving in enumerate(landings):
        order = tuple(chance.sample(list(arriving), len(arriving)))
        waiting |= {one.partition for one in order}
        landed |= {one.partition for one in order}
        if number == registry_round:
            # Entries in force on past days change: every partition read under them is behind.
            waiting |= landed
        chosen = {one for one in sorted(waiting) if chance.random() < 0.7} | {one for one in sorted(landed - waiting) if chance.random() < 0.2}
        crash = chance.choice(CRASHES)
        if crash is None:
            waiting -= chosen
        yield Round(order, number == registry_round, tuple(sorted(chosen)), crash)
    yield Round((), False, tuple(sorted(waiting)), None)


def land(root: Root, landings: Iterable[Landing], received: datetime) -> None:
    """Land what arrives in a round."""
    for one in landings:
        facility_id, day = one.partition
        root.landing.land(one.content(), facility_id=facility_id, source=one.arrival.source, batch_date=day, original_name=one.name,
                          received_time=received)


def received_in(number: int) -> datetime:
    """Time at which the files of a round arrive."""
    return FIRST_RECEIVED + timedelta(hours=number)


def changed_registry(text: str) -> str:
    """Map one local code of each facility's tests anew: the smallest that has a mapping, to another facility's first."""
    registry = yaml.safe_load(text)
    for facility in registry["facilities"]:
        observation: Mapping[str, dict[str, str]] = (facility.get("code_maps") or {}).get("observation") or {}
        if len(observation) > 1:
            first, second = sorted(observation)[:2]
            facility["code_maps"]["observation"] = {**observation, first: observation[second]}
    return str(yaml.safe_dump(registry, sort_keys=False, allow_unicode=True))
