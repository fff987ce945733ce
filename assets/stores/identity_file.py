"""Resolving a file of patient records: the product's own path from canonical rows to persons, in a scratch warehouse.

One way of use: to measure a policy and a model on records whose humans are known. Nothing of the data root is read or written; the
scratch warehouse is encrypted under a key of its own and gone afterwards.
"""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from assets.stores.control import create_control, replace_reference
from assets.stores.dbt_runner import DbtRunner
from assets.stores.duckdb_warehouse import DuckDBStore
from assets.stores.identity import Resolution, Settings, create_tables, resolve_changes, resolve_full
from assets.stores.identity_questions import incomparable
from assets.stores.identity_read import all_features
from assets.stores.keys import Keys
from assets.stores.warehouse import Warehouse
from transforms.batches import in_batches
from transforms.errors import ConfigurationError
from transforms.facilities.registry_tables import registry_schema
from transforms.identity import records_file

# what a run of the data root builds of them: the rules of features once, the features of what changed
RULES, FEATURES = ("seed.lakehouse.identity_placeholder", "model.lakehouse.feature_rule"), ("model.lakehouse.patient_features",)


@dataclass
class ScratchIdentity:
    """A scratch warehouse that holds what identity reads and writes."""

    store: DuckDBStore
    dbt: DbtRunner
    settings: Settings
    run_seq: int = 0
    kind: pa.DataType = field(default_factory=pa.string)

    def add(self, path: Path) -> None:
        """Take in the records of a Parquet file (columns of `records_file.COLUMNS`) as the next run, up to their features.

        Raises ConfigurationError where the file cannot be read, lacks a column, holds numbers for text, or says a `record_id` twice.
        """
        records = _read(path)
        self.kind = records.schema.field("record_id").type
        self.run_seq += 1
        with self.store.open() as warehouse:
            warehouse.connection.register("records_file", in_batches(records))
            for statement in records_file.statements(self.run_seq):
                warehouse.execute(statement)
            doubled = warehouse.query("select count(*) - count(distinct fact_key) as n from canonical.patient")["n"][0].as_py()
        if doubled:
            raise ConfigurationError(f"{path}: {doubled} rows repeat a record_id. Remedy: one row a record.")
        environment = self.store.environment() | {"LAKEHOUSE_RUN_ID": "records-file", "LAKEHOUSE_RUN_SEQ": str(self.run_seq)}
        self.dbt.build_nodes(FEATURES if self.run_seq > 1 else (*RULES, *FEATURES), environment)

    def resolve(self, everything: bool = True) -> Resolution:
        """Resolve all records, or those that changed since the last resolution."""
        with self.store.open() as warehouse:
            return (resolve_full if everything else resolve_changes)(warehouse, run_seq=self.run_seq, settings=self.settings)

    def labelled_features(self, path: Path) -> pa.Table:
        """Take in a file as `add` does and give its records' features, with `person_no` where the file has that column.

        Raises ConfigurationError as `add` does.
        """
        self.add(path)
        with self.store.open(read_only=True) as warehouse:
            features = all_features(warehouse)
        if "person_no" not in pq.read_schema(path).names:
            return features
        said = pq.read_table(path, columns=["record_id", "person_no"])
        labels = pa.table({"patient_key": said["record_id"].cast(pa.string()), "person_no": said["person_no"]})
        return features.join(labels, "patient_key", join_type="inner").sort_by("patient_key")

    def links(self) -> pa.Table:
        """Give each record's person: record_id, person_id."""
        return self._own_ids("select patient_key as record_id, person_id from identity.link order by patient_key", "record_id")

    def incomparable(self) -> int:
        """Count the records that say nothing by which they could be compared."""
        with self.store.open(read_only=True) as warehouse:
            return incomparable(warehouse)

    def review(self) -> pa.Table:
        """Give the open questions: record_id_l, record_id_r, zone."""
        return self._own_ids("select distinct patient_key_l as record_id_l, patient_key_r as record_id_r, 'review' as zone "
                             "from identity.review_pair order by 1, 2", "record_id_l", "record_id_r")

    def _own_ids(self, query: str, *columns: str) -> pa.Table:
        """Give record ids the type that they have in the file."""
        with self.store.open() as warehouse:
            table = warehouse.query(query)
        for name in columns:
            table = table.set_column(table.schema.get_field_index(name), name, table[name].cast(self.kind))
        return table


@contextmanager
def scratch_identity(dbt: DbtRunner, settings: Settings) -> Iterator[ScratchIdentity]:
    """Open an empty scratch warehouse for records files."""
    with tempfile.TemporaryDirectory() as folder:
        store = DuckDBStore(Path(folder), Keys(secrets.token_bytes(32)), memory=settings.memory)
        with store.open() as warehouse:
            _create(warehouse)
        yield ScratchIdentity(store, dbt, settings)


def _create(warehouse: Warehouse) -> None:
    create_control(warehouse)
    create_tables(warehouse)
    # no registry speaks of a file's facilities
    replace_reference(warehouse, {"facility_contact": registry_schema("facility_contact").empty_table()})
    for statement in records_file.TABLES:
        warehouse.execute(statement)


def _read(path: Path) -> pa.Table:
    try:
        schema = pq.read_schema(path)
        if lacking := sorted(set(records_file.COLUMNS) - set(schema.names)):
            raise ConfigurationError(f"{path}: lacks the columns {', '.join(lacking)}. Remedy: add them, empty where unknown.")
        if wrong := records_file.unreadable(schema):
            raise ConfigurationError(f"{path}: {'; '.join(wrong)}. Remedy: write text; a number has lost its leading zeros.")
        records = records_file.as_text(pq.read_table(path, columns=list(records_file.COLUMNS)))
    except (OSError, pa.ArrowInvalid) as error:
        raise ConfigurationError(f"{path}: not a readable Parquet file ({type(error).__name__}). Remedy: name a records file.") from None
    ids = records["record_id"]
    if ids.null_count:
        raise ConfigurationError(f"{path}: {ids.null_count} rows have no record_id. Remedy: one row a record, each with an id of its own.")
    return records
