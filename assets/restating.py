"""Restatements: partitions that say something else than before though the same was delivered, because code, registry or maps changed.

Raw and version tables only: what they say of a partition is a function of its deliveries and of the rules that read them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from assets.stores.catalog_reading import read_catalog
from assets.stores.control import Partition
from transforms.governance.events import Event, partition_subject


def landed_versions(home: Path, partitions: Sequence[Partition]) -> dict[tuple[str, str], str]:
    """Give the version of what was delivered, by facility and batch date: that which the raw step decoded last."""
    keys = [["raw.raw_delivery", facility_id, day.isoformat()] for facility_id, day in partitions]
    return {(row["facility_id"], row["batch_date"]): str(row["data_version"]) for row in read_catalog(home, _STANDING, [json.dumps(keys)])}


def restatements(home: Path, rows: Sequence[Mapping[str, Any]], run_id: str) -> list[Event]:
    """Compare rows of the projection `materialization` that are about to be written with those that stand; give an event for each
    whose content differs though its input is the same and the code or the reading rules are not."""
    keys = [[row["asset"], row["facility_id"], row["batch_date"]] for row in rows if row["content_hash"]]
    standing = {(row["asset"], row["facility_id"], row["batch_date"]): row for row in read_catalog(home, _STANDING, [json.dumps(keys)])}
    events = []
    for row in rows:
        old = standing.get((row["asset"], row["facility_id"], row["batch_date"]))
        if old is None or old["data_version"] != row["data_version"] or old["content_hash"] in (None, row["content_hash"]):
            continue
        if _rules(old) != _rules(row):
            events.append(Event("restate", partition_subject(row["asset"], row["facility_id"], row["batch_date"]), {
                "facility_id": row["facility_id"], "batch_date": row["batch_date"], "asset": row["asset"],
                "old_version": _rules(old), "new_version": _rules(row), "rows": row["rows"],
            }, run_id=run_id))
    return events


def _rules(row: Mapping[str, Any]) -> str:
    return f"{row['code_version']}.{row['reading_rules']}"


_STANDING = """
select written.asset, written.facility_id, written.batch_date, written.code_version, written.data_version, written.reading_rules,
  written.content_hash
from json_each(?) wanted
join materialization written on written.asset = json_extract(wanted.value, '$[0]')
  and written.facility_id = json_extract(wanted.value, '$[1]') and written.batch_date = json_extract(wanted.value, '$[2]')
"""
