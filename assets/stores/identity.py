"""Identity resolution over the warehouse: what changed, whom it touches, and who is one human now.

One resolution is one transaction: edges, links, persons, reviews, change log and watermark move together or not at all. Only
changed records are compared and only touched components are clustered anew, and the result is the one that a full run gives.
What belongs here: reading and writing sets. What a pair or a cluster means is in `transforms/identity`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from assets.stores import identity_read as read
from assets.stores import identity_scope as scope
from assets.stores.crash_points import reach
from assets.stores.identity_blocks import replace_blocks
from assets.stores.identity_overlays import check_overlays
from assets.stores.identity_write import note_vetoes, replace_edges, write_links, write_nodes, write_resolution, write_reviews
from assets.stores.keys import Keys
from assets.stores.warehouse import Warehouse
from transforms.identity.cluster import Clusters, Edge, cluster
from transforms.identity.components import components
from transforms.identity.model import IdentityModel, load_model
from transforms.identity.persons import OldLink, Persons, assign_persons
from transforms.identity.policy import Policy
from transforms.identity.records import blocks_of, complete, load_base, open_engine
from transforms.identity.resolution import DECIDED, SLIPS, contested, find_edges, links, pairs_within, sayings, vetoes
from transforms.identity.restoring import restored_persons
from transforms.identity.tables import TABLES, WORK_TABLES, create_statements

CONSUMER = "identity"


def utc_now() -> datetime:
    """Give the time in UTC, as timestamps of the warehouse say it."""
    return datetime.now(UTC).replace(tzinfo=None)


@dataclass(frozen=True)
class Settings:
    """Constants of a resolution: the model, the policy, the salt of person ids, the memory of the comparison, and the clock (UTC) that says
    when a resolution became known."""

    model: IdentityModel
    policy: Policy
    salt: str = field(repr=False)
    memory: str = "2GB"
    clock: Callable[[], datetime] = field(default=utc_now)


@dataclass(frozen=True)
class Resolution:
    """What a resolution did, in counts: records compared, records clustered, edges found, records whose person changed."""

    compared: int
    clustered: int
    edges: int
    moved: int
    minted: int
    redirected: int


def create_tables(warehouse: Warehouse) -> None:
    """Create the identity tables that are missing. DDL: never inside a transaction."""
    warehouse.execute("create schema if not exists identity")
    for statement in create_statements(TABLES):
        warehouse.execute(statement)


def root_settings(keys: Keys, policy: Policy, memory: str = "2GB", model_text: str | None = None) -> Settings:
    """Give the settings of a data root: its model (without a text the shipped one), the policy that holds (`Root.policy`), and a salt that
    only its key tells.

    Raises ConfigurationError where the model lacks a constant.
    """
    return Settings(load_model(model_text), policy, keys.derive("person").hex(), memory)


def resolve_changes(warehouse: Warehouse, run_seq: int, settings: Settings) -> Resolution:
    """Resolve the patients that changed since the consumer `identity` last ran, against all others, in one transaction.

    Reads identity.patient_features, canonical.patient_survivor, identity.decision and the change log; the tables must exist.
    """
    return _resolve(warehouse, run_seq, settings, everything=False)


def resolve_full(warehouse: Warehouse, run_seq: int, settings: Settings) -> Resolution:
    """Compare and cluster every patient anew; person ids live on where their records stay together."""
    return _resolve(warehouse, run_seq, settings, everything=True)


def _resolve(warehouse: Warehouse, run_seq: int, settings: Settings, everything: bool) -> Resolution:
    # outside the transaction, which DDL would commit on Snowflake
    for statement in create_statements(WORK_TABLES):
        warehouse.execute(statement)
    with tempfile.TemporaryDirectory() as spill, warehouse.transaction():
        if not scope.collect_scope(warehouse, CONSUMER, settings.model, settings.policy, everything):
            scope.clear(warehouse)
            scope.move_watermark(warehouse, CONSUMER, run_seq)
            return Resolution(0, 0, 0, 0, 0, 0)
        # known now: from here on only edges of the policy come and go
        retired = read.retired_keys(warehouse)
        connection = open_engine(settings.memory, spill)
        try:
            compared = _open(warehouse, connection, settings, retired, everything)
            check_overlays(warehouse, run_seq, settings.model, settings.memory, spill)
            edges = find_edges(connection, read.scope_keys(warehouse), retired, settings.model, settings.policy)
            replace_edges(warehouse, edges, run_seq)
            scope.collect_affected(warehouse, edges, everything)
            scope.collect_edges(warehouse)
            resolution = _regroup(warehouse, connection, run_seq, settings, retired)
        finally:
            connection.close()
        write_resolution(warehouse, run_seq, settings.clock(), settings.model.version, settings.policy.version)
        scope.clear(warehouse)
        scope.move_watermark(warehouse, CONSUMER, run_seq)
        reach("identity.writing")
    return Resolution(compared, resolution.clustered, edges.num_rows, resolution.moved, resolution.minted, resolution.redirected)


def _open(warehouse: Warehouse, connection: duckdb.DuckDBPyConnection, settings: Settings, retired: pa.Table, everything: bool) -> int:
    """Bring the blocks up to date and open the records to compare; gives the size of the scope. All records are opened once, of
    an increment first its own and then those that share a block with them."""
    caps, more = {**settings.model.block_caps, **settings.policy.block_caps}, settings.policy.blocks
    own = read.all_features if everything else read.scope_features
    load_base(connection, own(warehouse), more)
    compared = replace_blocks(warehouse, caps, blocks_of(connection, retired), everything)
    if not everything:
        scope.collect_readable(warehouse)
        load_base(connection, read.readable_features(warehouse), more)
    complete(connection, read.full_blocks(warehouse), settings.model)
    return compared


def _regroup(warehouse: Warehouse, connection: duckdb.DuckDBPyConnection, run_seq: int, settings: Settings,
             retired: pa.Table) -> Resolution:
    """Cluster the affected components and write what follows."""
    records = read.affected_records(warehouse)
    edges = read.affected_edges(warehouse)
    _judge_merges(warehouse, connection, settings.policy, edges)
    clusters, component = _clusters(connection, settings.policy, records, edges, retired)
    before = read.affected_links(warehouse)
    persons = _persons(warehouse, clusters, before, settings.salt)
    person = pa.table({"patient_key": pa.array(list(persons.person), pa.string()),
                       "person_id": pa.array(list(persons.person.values()), pa.string())})
    after = links(connection, person, edges, _ranks(settings.policy))
    moved = write_links(warehouse, connection, before, after, run_seq, settings.model.version, settings.policy.version)
    write_nodes(warehouse, component, persons, run_seq, settings.model.version, settings.policy.version)
    write_reviews(warehouse, run_seq, settings.policy.version)
    return Resolution(0, records.num_rows, edges.num_rows, moved, len(persons.minted), len(persons.redirects))


def _ranks(policy: Policy) -> dict[str, int]:
    """Places of all rules, strongest first: people before the policy."""
    return {rule: place for place, rule in enumerate([*DECIDED, *policy.zones()])}


def _judge_merges(warehouse: Warehouse, connection: duckdb.DuckDBPyConnection, policy: Policy, edges: pa.Table) -> None:
    """Note on each trusted merge the veto that speaks against it: it holds all the same, but a steward is asked."""
    merged = edges.filter(pc.equal(edges["rule_or_model"], "trusted_merge"))
    if merged.num_rows:
        note_vetoes(warehouse, vetoes(connection, policy, merged.select(["patient_key_l", "patient_key_r"])))


def _clusters(connection: duckdb.DuckDBPyConnection, policy: Policy, records: pa.Table, edges: pa.Table,
              retired: pa.Table) -> tuple[Clusters, pa.Table]:
    """Cluster the affected records; gives them with their connected components too. A component in which nothing speaks against another
    is its own cluster; only the contested ones are grown edge by edge."""
    joining = edges.filter(pc.is_in(edges["zone"], pa.array(["auto", "decided"])))
    parting = edges.filter(pc.equal(edges["zone"], "parted"))
    keys, left, right = (keys.combine_chunks() for keys in (records["patient_key"], joining["patient_key_l"], joining["patient_key_r"]))
    component = records.append_column("component_key", components(keys, left, right))
    barred = vetoes(connection, policy, pairs_within(connection, component, retired))
    opposed = pa.concat_tables([table.select(["patient_key_l", "patient_key_r"]) for table in (barred, parting)])
    held = contested(connection, component, opposed, joining)
    inside = pc.is_in(joining["patient_key_l"], held["patient_key"])
    found = _edges(joining.filter(inside), _ranks(policy))
    decided, automatic = ([edge for edge in found if (edge.rule in DECIDED) is wanted] for wanted in (True, False))
    births, givens = sayings(connection, held)
    grown = cluster(held["patient_key"].to_pylist(), decided, automatic, _pairs(barred), _pairs(parting), births, givens)
    of = dict(zip(keys.to_pylist(), component["component_key"].to_pylist(), strict=True))
    return Clusters(of | grown.group, grown.refused), component


def _pairs(pairs: pa.Table) -> list[tuple[str, str]]:
    return list(zip(pairs["patient_key_l"].to_pylist(), pairs["patient_key_r"].to_pylist(), strict=True))


def _edges(edges: pa.Table, ranks: dict[str, int]) -> list[Edge]:
    columns = (edges[name].to_pylist() for name in ("patient_key_l", "patient_key_r", "rule_or_model", "score", "given"))
    return [Edge(rank=ranks[rule], negative_weight=-(score or 0.0), left=left, right=right, rule=rule, is_slip=given in SLIPS)
            for left, right, rule, score, given in zip(*columns, strict=True)]


def _persons(warehouse: Warehouse, clusters: Clusters, before: pa.Table, salt: str) -> Persons:
    columns = (before[name].to_pylist() for name in ("patient_key", "person_id", "run_seq", "ordinal"))
    old = {key: OldLink(person_id, run_seq, ordinal) for key, person_id, run_seq, ordinal in zip(*columns, strict=True)}
    events = read.passing_events(warehouse)
    restored = restored_persons(clusters.group, events, old, read.arrivals(warehouse, events[0].run_seq)) if events else {}
    return assign_persons(clusters.group, old, read.next_ordinal(warehouse), salt, read.ended_persons(warehouse), restored)
