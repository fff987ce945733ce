"""Closes a day's units into files: order, header, trailer, name, and the units' ordinals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from operator import itemgetter
from random import Random

from transforms.synthetic.clock import day_date, iso_day
from transforms.synthetic.encode_dms import LOAD
from transforms.synthetic.outbox import OUTCOME, REASON, RECORD_TYPE, TEXT, Feed, Unit
from transforms.synthetic.registry_feeds import feeds as registry_feeds
from transforms.synthetic.replays import FILE_RATE
from transforms.synthetic.site import Site

_HL7_FILES_A_DAY = 4
_by_order = itemgetter(0)


@dataclass(frozen=True)
class FeedFile:
    """One file as a facility sends it. `units` are (record type, outcome, reason) in the order of their ordinals from 1;
    the day counts from 1970-01-01."""

    facility_id: str
    source: str
    unit_kind: str
    day: int
    name: str
    content: bytes
    units: list[tuple[str, str, str | None]]

    @property
    def batch_date(self) -> str:
        """ISO date under which the file is delivered."""
        return day_date(self.day).isoformat()


class FileCloser:
    """Makes the files of one facility's feed. `group` numbers the group of people, from 1, and tells files apart."""

    def __init__(self, site: Site, opening_day: int, group: int) -> None:
        self.site, self.opening_day, self.group = site, opening_day, group
        self.sources = registry_feeds(site.style)

    def files(self, feed: Feed, rng: Random, rate: float = FILE_RATE) -> Iterator[FeedFile]:
        """The feed's files by day; now and then (`rate`) one is sent again, byte for byte, on a later day."""
        again: list[tuple[int, FeedFile]] = []
        for day, units in enumerate(feed.days):
            for target, file in again:
                if target == day:
                    yield file
            units.sort(key=_by_order)
            for file in self._day(feed, day, units):
                yield file
                if feed.stem != LOAD and file.units and day + 1 < len(feed.days) and rng.random() < rate:
                    target = day + 1 + int((len(feed.days) - day - 1) * rng.random())
                    copies: list[tuple[str, str, str | None]] = [(kind, "duplicate", why) for kind, _, why in file.units]
                    again.append((target, FeedFile(file.facility_id, file.source, file.unit_kind, self.opening_day + target,
                                                   file.name, file.content, copies)))

    def _day(self, feed: Feed, day: int, units: list[Unit]) -> Iterator[FeedFile]:
        date = iso_day[self.opening_day + day].replace("-", "")
        part = "" if self.group == 1 else f"_{self.group:04}"
        if feed.pack is not None:
            for name, content, chosen in feed.pack(feed, day, f"{feed.stem}_{date}{part}", units):
                yield self._file(feed, day, name, content, chosen)
        elif feed.kind == "hl7.message":
            size = max(1, -(-len(units) // _HL7_FILES_A_DAY))
            for number, start in enumerate(range(0, len(units), size), 1):
                chosen = units[start : start + size]
                text = "".join([unit[TEXT] for unit in chosen])
                if number == 3:
                    text = text.replace("\r", "\n")
                yield self._file(feed, day, f"{feed.stem}_{date}_{number:02}{part}.hl7", text.encode(), chosen)
        elif feed.kind == "fhir.resource":
            if units:
                text = "\n".join([unit[TEXT] for unit in units]) + "\n"
                yield self._file(feed, day, f"{feed.stem}_{date}{part}.ndjson", text.encode(), units)
        elif feed.kind == "cdc.row":
            if units:
                name = f"LOAD{self.group:08}.csv" if feed.stem == LOAD else f"{date}-{self.group:09}.csv"
                yield self._file(feed, day, name, (self._header(feed.source) + self._rows(units)).encode(), units)
        else:
            yield self._csv(feed, day, f"{feed.stem}_{date}{part}.csv", units)

    def _csv(self, feed: Feed, day: int, name: str, units: list[Unit]) -> FeedFile:
        source = self.sources[feed.source]
        text = self._header(feed.source) + self._rows(units)
        if "trailer" in source:
            text += f"{source['trailer']['prefix']}{source['delimiter']}{len(units)}\n"
        return self._file(feed, day, name, text.encode(source["encoding"]), units)

    def _header(self, source: str) -> str:
        """The header line: the registered columns, after op and sequence for a change file."""
        contract = self.sources[source]
        names = list(contract["columns"])
        if contract["kind"] == "dms_s3_csv":
            names = [contract["op_column"], contract["sequence_column"], *names]
        return f"{contract.get('delimiter', ',').join(names)}\n"

    @staticmethod
    def _rows(units: list[Unit]) -> str:
        return "".join([unit[TEXT] for unit in units])

    def _file(self, feed: Feed, day: int, name: str, content: bytes, units: list[Unit]) -> FeedFile:
        told = [(unit[RECORD_TYPE], unit[OUTCOME], unit[REASON]) for unit in units]
        return FeedFile(self.site.facility_id, feed.source, feed.kind, self.opening_day + day, name, content, told)
