"""The synthetic network: from a seed to feed files and their truth.

People are told in groups, so that memory is bounded by the group: each group yields its files and its truth tables, and nothing
of one group depends on another but the running numbers. What belongs here: wiring. Not here: any format or event.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from random import Random

from transforms.synthetic.beside import REPLAYED, Beside
from transforms.synthetic.clock import DAY, day_number
from transforms.synthetic.defects import plant_defects
from transforms.synthetic.encode_dms import DmsWriter
from transforms.synthetic.encode_extract import LakesideExtracts, SummitExtracts
from transforms.synthetic.encode_fhir import FhirWriter
from transforms.synthetic.encode_fhir_dialect import DialectWriter
from transforms.synthetic.encode_fhir_setting import SettingWriter
from transforms.synthetic.encode_hl7v2 import Hl7Writer
from transforms.synthetic.encode_oldmill import OldmillExtracts
from transforms.synthetic.events import Stay
from transforms.synthetic.facility_plan import facility_plans
from transforms.synthetic.feed_files import FeedFile, FileCloser
from transforms.synthetic.journey import HISTORY_DAYS, Journeys, Window
from transforms.synthetic.outbox import Outbox
from transforms.synthetic.outcomes import judge
from transforms.synthetic.people import Patient
from transforms.synthetic.replays import replay_messages
from transforms.synthetic.site import Facts, Site
from transforms.synthetic.truth_rows import TruthRows

_STAFF = 12
_UNITS_A_GROUP = 300_000


@dataclass(frozen=True)
class NetworkPlan:
    """What to generate: equal plans give equal bytes."""

    seed: int
    people: int
    days: int
    facilities: int
    start: date


@dataclass(frozen=True)
class Group:
    """A group of people, told and encoded: what holds of them, and the files that tell it (an iterator, to be read once)."""

    number: int
    truth: TruthRows
    files: Iterator[FeedFile]


class _Scribe:
    """The encoders of one facility, by style."""

    def __init__(self, site: Site, outbox: Outbox, facts: Facts) -> None:
        self.site, self.outbox = site, outbox
        self.hl7 = Hl7Writer(site, outbox) if site.style == "lakeside" else None
        self.fhir = FhirWriter(site, outbox) if site.style == "riverside" else None
        self.setting = SettingWriter(site, outbox, facts, "bulk") if site.style == "riverside" else None
        self.dialect = DialectWriter(site, outbox, facts) if site.style == "summit" else None
        self.dms = DmsWriter(site, outbox) if site.style == "harbor" else None
        self.oldmill = OldmillExtracts(site, outbox) if site.style == "oldmill" else None
        self.medications = LakesideExtracts(site, outbox) if site.style == "lakeside" else None
        self.orders = SummitExtracts(site, outbox) if site.style == "summit" else None

    def write_setting(self) -> None:
        for writer in (self.setting, self.dialect, self.medications):
            if writer is not None:
                writer.write_setting()

    def write_patient(self, patient: Patient) -> None:
        for writer in (self.hl7, self.fhir, self.dialect, self.dms, self.oldmill):
            if writer is not None:
                writer.write_patient(patient)
        if self.setting is not None:
            self.setting.write_coverage(patient)

    def write_stay(self, stay: Stay) -> None:
        for writer in (self.hl7, self.fhir, self.dialect, self.dms, self.oldmill, self.medications, self.orders):
            if writer is not None:
                writer.write_stay(stay)
        if self.setting is not None:
            self.setting.write_claim(stay)


def group_size(days: int) -> int:
    """People per group, so that a group has some hundred thousand units."""
    return max(50, int(_UNITS_A_GROUP / (15 + 4.5 * days)))


def groups(plan: NetworkPlan) -> Iterator[Group]:
    """The network's groups, one after the other. Raises ValueError for a plan without people or days."""
    if plan.people < 1 or plan.days < 1:
        raise ValueError("a network has at least one person and one day")
    opening = day_number(plan.start) * DAY
    window = Window(opening - HISTORY_DAYS * DAY, opening, opening + plan.days * DAY)
    facts = Facts()
    staff_rng = Random(f"{plan.seed}:staff")
    sites = [Site(facility, staff_rng, facts, _STAFF) for facility in facility_plans(plan.facilities)]
    size = group_size(plan.days)
    for number, first in enumerate(range(0, plan.people, size), 1):
        people = range(first + 1, min(first + size, plan.people) + 1)
        yield _group(plan, number, people, sites, facts, window)


def _group(plan: NetworkPlan, number: int, people: range, sites: list[Site], facts: Facts, window: Window) -> Group:
    rng = Random(f"{plan.seed}:{number}")
    journeys = Journeys(sites, rng, facts, window)
    lives = [journeys.live(person) for person in people]
    outbox = Outbox(window.opening, plan.days, rng)
    scribes = [_Scribe(site, outbox, facts) for site in sites]
    if number == 1:
        for scribe in scribes:
            scribe.write_setting()
    for life in lives:
        for site, patient in life.patients:
            scribes[site.plan.ordinal].write_patient(patient)
        for site, stay in life.stays:
            scribes[site.plan.ordinal].write_stay(stay)
    for site, scribe in zip(sites, scribes, strict=True):
        for day in range(plan.days):
            plant_defects(site, outbox, day, scribe.hl7)
        if scribe.hl7 is not None:
            replay_messages(scribe.hl7.feed, site, outbox.opening_day, rng)
    truth = TruthRows()
    beside = Beside(plan.seed, number, sites, facts, window, plan.days)
    for life in lives:
        truth.add(life)
        beside.tell(life)
    beside.write(truth)
    judge([*outbox.feeds.values(), *beside.outbox.feeds.values()], facts.next())
    return Group(number, truth, _files(outbox, beside, sites, number, rng))


def _files(outbox: Outbox, beside: Beside, sites: list[Site], number: int, rng: Random) -> Iterator[FeedFile]:
    closers = [FileCloser(site, outbox.opening_day, number) for site in sites]
    for feed in outbox.feeds.values():
        yield from closers[feed.facility].files(feed, rng)
        feed.days = []
    for feed in beside.outbox.feeds.values():
        yield from closers[feed.facility].files(feed, beside.rng, REPLAYED)
        feed.days = []
