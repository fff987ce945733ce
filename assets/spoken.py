"""What the deliveries of a run speak of: dialects, and within a dialect the words by which a staging model knows that it has rows.

A staging model may state in its config `told_by` the words without one of which it yields nothing: HL7 v2 segments, FHIR resource types,
resources of extracts. A model that states none has rows whenever its dialect is spoken.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from assets.root import Run
from assets.stores.warehouse import Warehouse
from transforms.decode.formats import FORMATS

Spoken = Mapping[str, frozenset[str]]
# Where the words of a dialect stand, in raw rows of the run; those of extracts are the resources of the delivered feeds.
WORDS = {"hl7v2": ("raw_hl7v2__segment", "segment_name"), "fhir": ("raw_fhir__resource", "resource_type")}
_IN_RUN = "scope.run_id = ? and scope.facility_id = said.facility_id and scope.batch_date = said.batch_date"


def spoken(warehouse: Warehouse, run: Run) -> Spoken:
    """Give the words of each dialect that the run's deliveries speak."""
    feeds = warehouse.query(
        "select distinct feed.kind, feed.resource from LAKE.raw.raw_delivery said "
        f"join LAKE.control.run_scope scope on {_IN_RUN} "
        "join LAKE.ref.source feed on feed.facility_id = said.facility_id and feed.source = said.source "
        "and feed.valid_from <= said.batch_date and said.batch_date < feed.valid_to", [run.run_id],
    ).to_pylist()
    words: dict[str, set[str]] = {}
    for feed in feeds:
        words.setdefault(dialect_of(feed["kind"]), set()).add(feed["resource"])
    for dialect in words.keys() & WORDS.keys():
        table, column = WORDS[dialect]
        said = warehouse.query(f"select distinct said.{column} as word from LAKE.raw.{table} said "
                               f"join LAKE.control.run_scope scope on {_IN_RUN}", [run.run_id]).to_pylist()
        words[dialect] = {row["word"] for row in said}
    return {dialect: frozenset(said) for dialect, said in words.items()}


def is_silent(node: Mapping[str, Any], said: Spoken) -> bool:
    """Whether a staging model has no rows in a run whose deliveries speak so."""
    dialect, told_by = node["fqn"][2], node["config"].get("told_by")
    return dialect not in said or bool(told_by) and not said[dialect] & set(told_by)


def dialect_of(kind: str) -> str:
    """Give the dialect of a kind of feed: what its raw tables are named after (`raw_hl7v2__msh`)."""
    return FORMATS[kind].tables[0].split("__")[0].removeprefix("raw_")
