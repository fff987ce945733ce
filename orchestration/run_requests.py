"""Runs over rectangles of facilities and dates: how a set of partitions becomes as few runs as Dagster allows."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from assets.partitions import to_key
from assets.stores.control import Partition

RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"


def range_tags(first_key: str, last_key: str) -> dict[str, str]:
    """Give the tags of a run over the rectangle between two partition keys; tried again, it begins with its first step."""
    return {RANGE_START: first_key, RANGE_END: last_key, "dagster/retry_strategy": "ALL_STEPS"}


def rectangles(partitions: Iterable[Partition], facility_order: Sequence[str]) -> list[tuple[str, str]]:
    """Cover partitions by rectangles (first key, last key) of neighbouring facilities and consecutive dates, nothing besides.

    A day is cut into blocks of facilities that stand beside each other in the registry's order; equal blocks of consecutive
    days are joined.
    """
    order = {facility: place for place, facility in enumerate(facility_order)}
    by_day: dict[date, list[int]] = {}
    for facility_id, day in partitions:
        by_day.setdefault(day, []).append(order[facility_id])
    open_blocks: dict[tuple[int, int], tuple[date, date]] = {}
    closed: list[tuple[tuple[int, int], tuple[date, date]]] = []
    for day in sorted(by_day):
        blocks = _blocks(sorted(set(by_day[day])))
        grown: dict[tuple[int, int], tuple[date, date]] = {}
        for block in blocks:
            known = open_blocks.get(block)
            grown[block] = (known[0], day) if known and known[1] == day - timedelta(days=1) else (day, day)
        closed += [(block, days) for block, days in open_blocks.items() if grown.get(block, (None, None))[0] != days[0]]
        open_blocks = grown
    closed += open_blocks.items()
    closed.sort(key=lambda item: (item[1], item[0]))
    return [
        (to_key((facility_order[low], first)), to_key((facility_order[high], last)))
        for (low, high), (first, last) in closed
    ]


def _blocks(places: Sequence[int]) -> list[tuple[int, int]]:
    blocks: list[tuple[int, int]] = []
    for place in places:
        if blocks and blocks[-1][1] == place - 1:
            blocks[-1] = (blocks[-1][0], place)
        else:
            blocks.append((place, place))
    return blocks

