"""Imaging studies: what a radiology archive holds of the stays in which pictures were taken.

What belongs here: the studies and their telling. Not here: DICOM (`encode_dicom`) nor the truth's rows (`truth_studies`).
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from transforms.synthetic.clock import DAY, HOUR
from transforms.synthetic.events import Stay
from transforms.synthetic.site import Facts, Site

# Modalities of the series, and what was examined.
EXAMINATIONS = (
    (("DX",), "Chest X-ray"), (("CT",), "CT of abdomen and pelvis"), (("CT", "SR"), "CT of chest"), (("US",), "Ultrasound of abdomen"))


@dataclass(frozen=True)
class Study:
    """One study: when it began (local moment), what it shows, and the facts of its instances by series."""

    uid: str
    accession: str
    stay: Stay
    at: int
    modalities: tuple[str, ...]
    description: str
    series: tuple[tuple[int, ...], ...]


class Studies:
    """Tells the studies of a group of people at one facility that were taken within the told days."""

    def __init__(self, site: Site, rng: Random, facts: Facts, opening_day: int, days: int) -> None:
        self.site, self.rng, self.facts, self.opening_day, self.days = site, rng, facts, opening_day, days
        self.told: list[Study] = []

    def examine(self, stay: Stay) -> None:
        """Take pictures in every other stay that is not planned."""
        draw, start = self.rng.random, stay.versions[0].at
        at = self.site.zone.existing(start + HOUR + 60 * int(90 * draw()))
        wanted = stay.kind != "AMB" and stay.versions[-1].status != "cancelled" and draw() < 0.5
        if not wanted or not self.opening_day <= at // DAY < self.opening_day + self.days:
            return
        modalities, description = EXAMINATIONS[int(len(EXAMINATIONS) * draw())]
        number = self.site.count("study")
        self.told.append(Study(
            f"2.999.8.{self.site.plan.repeat}.{number}", f"ACC{200_000 + number}", stay, at, modalities, description,
            tuple(tuple(self.facts.next() for _ in range(1 if one == "SR" else 1 + int(2.5 * draw()))) for one in modalities)))
