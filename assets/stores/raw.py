"""Raw: the deliveries of a run's partitions, decoded, written as run-named Parquet and loaded in one transaction.

Every raw row gets the coordinates of its delivery and two keys: `unit_id` and `record_id`. A partition is replaced whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import duckdb
import pyarrow as pa

from assets.stores.control import Partition, columns_of, ready_tables
from assets.stores.crash_points import reach
from assets.stores.duckdb_engine import engine
from assets.stores.keys import Keys
from assets.stores.landing import LandingStore
from assets.stores.objects import ObjectStore
from assets.stores.warehouse import Warehouse
from transforms.decode.contract import UNIT_SCHEMA, Decoded, Delivered
from transforms.decode.formats import FORMATS
from transforms.decode.raw_schema import RAW_SCHEMAS, raw_table_columns
from transforms.facilities.registry import Registry
from transforms.landing.delivery import Delivery
from transforms.landing.payload import Payload

# Payloads decoded together, the rows that become one file of each table (a row group), and payloads that are read once and kept while
# they are counted and decoded: with the decoder's own needs, memory stays below a gigabyte whatever is delivered.
CHUNK_BYTES = 64 << 20
FILE_BYTES = 48 << 20
HELD_BYTES = 16 << 20

COORDINATES = {
    "facility_id": "varchar", "batch_date": "date", "payload_id": "varchar", "received_time": "timestamp", "source": "varchar",
    "unit_id": "varchar",
}


def raw_tables() -> dict[str, dict[str, str]]:
    """Give every table of schema `raw` with its columns and SQL types."""
    tables = {name: {**COORDINATES, "record_id": "varchar", **columns_of(schema)} for name, schema in RAW_SCHEMAS.items()}
    return {**tables, "raw_unit": {**COORDINATES, **columns_of(UNIT_SCHEMA)}, "raw_delivery": raw_table_columns("raw_delivery")}


def create_raw(warehouse: Warehouse) -> None:
    """Create the raw tables that are missing, and give those of an earlier version of the product the columns that they lack."""
    ready_tables(warehouse, "raw", raw_tables())


@dataclass(frozen=True)
class RawLoader:
    """Decodes deliveries and replaces partitions of the raw tables.

    Parquet files stay in the root's folder `raw`; where `kept` is given they go there before they are loaded, and the folder's are removed.
    """

    root: Path
    keys: Keys = field(repr=False)
    landing: LandingStore
    registry: Registry
    kept: ObjectStore | None = None
    memory: str = "1GB"

    def replace(self, open_warehouse: Callable[[], AbstractContextManager[Warehouse]], run_id: str, partitions: Sequence[Partition],
                on_progress: Callable[[int, int], None] | None = None) -> dict[Partition, list[Delivery]]:
        """Decode all deliveries of the partitions, then replace them in the warehouse in one transaction.

        Decoding happens before the warehouse is opened, so that a reader is kept waiting for the load only. Gives the
        deliveries of each partition. `on_progress` is told bytes done and bytes in all.
        """
        deliveries = {partition: list(self.landing.deliveries(*partition)) for partition in partitions}
        files = self.write([one for group in deliveries.values() for one in group], run_id, on_progress)
        if self.kept is not None:
            _keep(self.kept, files)
        reach("raw.files")
        self.load(open_warehouse, run_id, partitions, files)
        if self.kept is not None:
            for path in (path for paths in files.values() for path in paths):
                path.unlink()
        return deliveries

    def load(self, open_warehouse: Callable[[], AbstractContextManager[Warehouse]], run_id: str, partitions: Sequence[Partition],
             files: dict[str, list[Path]]) -> None:
        """Replace the partitions in the warehouse by what the files hold (table -> its Parquet files), in one transaction."""
        with open_warehouse() as warehouse, warehouse.transaction():
            self._replace_in(warehouse, run_id, partitions, files)
            reach("raw.loading")
        reach("raw.loaded")

    def _replace_in(self, warehouse: Warehouse, run_id: str, partitions: Sequence[Partition], files: dict[str, list[Path]]) -> None:
        for table in ("control.raw_file", *(f"raw.{name}" for name in raw_tables())):
            target = f"LAKE.{table}"
            warehouse.execute(
                f"delete from {target} where exists (select 1 from LAKE.control.run_scope scope where scope.run_id = ? "
                f"and scope.facility_id = {target}.facility_id and scope.batch_date = {target}.batch_date)",
                [run_id],
            )
        for table, paths in files.items():
            warehouse.load_parquet(f"raw.{table}", paths)
        named = [
            (run_id, table, facility, day, file.name)
            for table, paths in files.items() for file in paths for facility, day in partitions
        ]
        if named:
            columns = list(zip(*named, strict=True))
            warehouse.load("control.raw_file", pa.table({
                "run_id": pa.array(columns[0], pa.string()), "raw_table": pa.array(columns[1], pa.string()),
                "facility_id": pa.array(columns[2], pa.string()), "batch_date": pa.array(columns[3], pa.date32()),
                "file_name": pa.array(columns[4], pa.string()),
            }))

    def write(self, deliveries: Sequence[Delivery], run_id: str,
              on_progress: Callable[[int, int], None] | None = None) -> dict[str, list[Path]]:
        """Decode deliveries into Parquet files named by the run; gives the files of each raw table."""
        files: dict[str, list[Path]] = {}
        total, done, names = sum(one.size for one in deliveries), 0, (f"{run_id}-{ordinal:04d}" for ordinal in count())
        with engine(self.root, self.keys, self.memory) as connection:
            for chunk in _chunks(deliveries):
                for table, path in self._write_chunk(connection, names, chunk):
                    files.setdefault(table, []).append(path)
                    reach("raw.file")
                done += sum(one.size for one in chunk)
                if on_progress is not None:
                    on_progress(done, total)
        # What decoding needed goes back before the load takes as much again.
        pa.default_memory_pool().release_unused()
        return files

    def _write_chunk(self, connection: duckdb.DuckDBPyConnection, names: Iterator[str],
                     chunk: Sequence[Delivery]) -> Iterator[tuple[str, Path]]:
        received: list[int] = []
        flags: list[str | None] = []
        by_kind: dict[str, list[Delivered]] = {}
        for one in chunk:
            entry = self.registry.entry(one.facility_id, one.batch_date)
            source = entry.sources[one.source]
            payload = self._payload(one)
            received.append(FORMATS[source.kind].count_units(payload, source))
            flags.append(None if received[-1] else FORMATS[source.kind].empty_code)
            by_kind.setdefault(source.kind, []).append(Delivered(one.delivery_id, payload, source, entry))
        connection.register("delivery", _delivery_table(chunk, received, flags))
        name = next(names)
        yield "raw_delivery", self._copy(connection, "raw_delivery", name, "select * from delivery")
        pieces = (piece for kind, delivered in by_kind.items() for piece in FORMATS[kind].pieces(delivered))
        for tables in _gathered(pieces):
            for table, rows in tables.items():
                yield table, self._write_rows(connection, table, name, rows)
            name = next(names)
        connection.unregister("delivery")

    def _payload(self, delivery: Delivery) -> Payload:
        """A delivery's payload: held where that costs little, else opened whenever it is read."""
        payload = self.landing.open(delivery.payload_id, delivery.size)
        return Payload.of(payload.content()) if delivery.size <= HELD_BYTES else payload

    def _write_rows(self, connection: duckdb.DuckDBPyConnection, table: str, name: str, rows: pa.Table) -> Path:
        connection.register("decoded", rows)
        keys = "md5(decoded.delivery_id || '|' || decoded.unit_ordinal) as unit_id"
        if table != "raw_unit":
            keys += ", md5(decoded.delivery_id || '|' || decoded.record_locator) as record_id"
        path = self._copy(
            connection, table, name,
            f"select delivery.facility_id, delivery.batch_date, delivery.payload_id, delivery.received_time, delivery.source, {keys}, "
            "decoded.* from decoded join delivery on delivery.delivery_id = decoded.delivery_id",
        )
        connection.unregister("decoded")
        return path

    def _copy(self, connection: duckdb.DuckDBPyConnection, table: str, name: str, query: str) -> Path:
        folder = self.root / "raw" / table
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.parquet"
        # Level 1: most of a raw row is hashes, on which higher levels spend time and gain nothing.
        options = "format parquet, compression zstd, compression_level 1, encryption_config {footer_key: 'lakehouse'}"
        connection.execute(f"copy ({query}) to '{path}' ({options})")
        return path


def _keep(kept: ObjectStore, files: dict[str, list[Path]]) -> None:
    """Keep sealed Parquet files as `<table>/<file>`. A step that is tried again writes its run's names anew."""
    for table, paths in files.items():
        for path in paths:
            kept.replace(f"{table}/{path.name}", path.read_bytes())


def _gathered(pieces: Iterable[Decoded]) -> Iterator[dict[str, pa.Table]]:
    """Raw tables of neighbouring pieces, up to `FILE_BYTES` together: what becomes a file of each table."""
    tables: dict[str, list[pa.Table]] = {}
    size = 0
    for piece in pieces:
        for name, rows in {"raw_unit": piece.units, **piece.records}.items():
            if rows.num_rows:
                tables.setdefault(name, []).append(rows)
                size += rows.nbytes
        if size > FILE_BYTES:
            yield {name: pa.concat_tables(parts) for name, parts in tables.items()}
            tables, size = {}, 0
    if tables:
        yield {name: pa.concat_tables(parts) for name, parts in tables.items()}


def _delivery_table(chunk: Sequence[Delivery], received: Sequence[int], flags: Sequence[str | None]) -> pa.Table:
    return pa.table({
        "delivery_id": pa.array([one.delivery_id for one in chunk], pa.string()),
        "payload_id": pa.array([one.payload_id for one in chunk], pa.string()),
        "facility_id": pa.array([one.facility_id for one in chunk], pa.string()),
        "source": pa.array([one.source for one in chunk], pa.string()),
        "batch_date": pa.array([one.batch_date for one in chunk], pa.date32()),
        "received_time": pa.array([one.received_time.replace(tzinfo=None) for one in chunk], pa.timestamp("us")),
        "size": pa.array([one.size for one in chunk], pa.int64()),
        "control_total": pa.array([one.control_total for one in chunk], pa.int64()),
        "received_units": pa.array(received, pa.int64()),
        "flags": pa.array(flags, pa.string()),
    })


def _chunks(deliveries: Sequence[Delivery]) -> Iterator[list[Delivery]]:
    chunk: list[Delivery] = []
    size = 0
    for one in deliveries:
        if chunk and size + one.size > CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
        chunk.append(one)
        size += one.size
    if chunk:
        yield chunk

