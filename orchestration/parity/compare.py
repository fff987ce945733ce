"""Whether two warehouses hold the same: every table by its columns, their kinds, its number of rows and every row's content.

Each side hashes its own rows (`kinds`) and adds the hashes up in buckets, so that a table of any size is compared by a few thousand
numbers; a sum, unlike an exclusive or, also tells a row that occurs twice. Only buckets that differ are looked into. Rows have no order.
A difference is told in counts, column names and the keys of rows, never in values.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from assets.stores.warehouse import Warehouse, filled_tables
from orchestration.parity.kinds import kind, row_hash, value_text

BUCKET_DIGITS = 3
SHOWN_BUCKETS = 8
SHOWN_ROWS = 10
# A row is named by these, as far as its table has them; none ever holds a patient's value. The first group says it all where it is there.
OPAQUE_KEYS = ("record_id", "unit_id")
COORDINATES = (
    "facility_id", "batch_date", "service_date", "fact_key", "result_key", "encounter_key", "index_encounter_key", "patient_key",
    "patient_key_l", "patient_key_r", "person_id", "delivery_id", "asset", "check_name", "mart", "object", "consumer", "run_seq", "source",
    "raw_table", "record_type", "column_name", "valid_from",
)


@dataclass(frozen=True)
class Side:
    """One of the two warehouses: what messages call it, its dbt target (which names its dialect), its open connection."""

    name: str
    target: str
    warehouse: Warehouse


@dataclass(frozen=True)
class OneSided:
    """A row that only one side has (or has more often): the side's name, and the key columns that name the row."""

    side: str
    key: Mapping[str, str | None]


@dataclass(frozen=True)
class Compared:
    """One table after its comparison: rows on the left and on the right, and what differs, None where nothing does.

    `columns` are those that differ when looked at alone; `rows` name the first rows that differ.
    """

    table: str
    rows_left: int
    rows_right: int
    difference: str | None = None
    columns: tuple[str, ...] = ()
    rows: tuple[OneSided, ...] = ()


def compare(left: Side, right: Side, schemas: Iterable[str]) -> Iterator[Compared]:
    """Compare all tables and views of the schemas, in the order of their names."""
    wanted = frozenset(schemas)
    columns_left, columns_right = table_columns(left.warehouse, wanted), table_columns(right.warehouse, wanted)
    # Many a format is not spoken: its tables need no statement of their own.
    filled = filled_tables(left.warehouse, columns_left) | filled_tables(right.warehouse, columns_right)
    for table in sorted({*columns_left, *columns_right}):
        if table not in columns_left or table not in columns_right:
            there = left if table in columns_left else right
            yield Compared(table, 0, 0, f"is in {there.name} only")
        elif unlike := set(columns_left[table]) ^ set(columns_right[table]):
            yield Compared(table, 0, 0, "has columns on one side only", tuple(sorted(unlike)))
        else:
            yield _compare_table(left, right, table, columns_left[table], table in filled)


def table_columns(warehouse: Warehouse, schemas: frozenset[str]) -> dict[str, tuple[str, ...]]:
    """Give each table and view of the schemas as `schema.table` with its column names, in lower case and order."""
    found: dict[str, list[str]] = {}
    for row in warehouse.query(
        "select table_schema, table_name, column_name from information_schema.columns where table_catalog = 'LAKE' "
        "order by table_schema, table_name, ordinal_position"
    ).to_pylist():
        if row["table_schema"].lower() in schemas:
            found.setdefault(f"{row['table_schema']}.{row['table_name']}".lower(), []).append(row["column_name"].lower())
    return {name: tuple(columns) for name, columns in found.items()}


def _compare_table(left: Side, right: Side, table: str, columns: tuple[str, ...], is_filled: bool) -> Compared:
    kinds_left, kinds_right = _kinds(left, table), _kinds(right, table)
    unlike = tuple(name for name in columns if kinds_left[name] != kinds_right[name])
    if unlike:
        return Compared(table, 0, 0, "has columns of different kinds", unlike)
    if not is_filled:
        return Compared(table, 0, 0)
    kinds = {name: kinds_left[name] for name in columns}
    buckets_left, buckets_right = _buckets(left, table, kinds), _buckets(right, table, kinds)
    count_left, count_right = (sum(count for count, _ in buckets.values()) for buckets in (buckets_left, buckets_right))
    if buckets_left == buckets_right:
        return Compared(table, count_left, count_right)
    differing = sorted(one for one in {*buckets_left, *buckets_right} if buckets_left.get(one) != buckets_right.get(one))
    rows = tuple(_one_sided(left, right, table, kinds, differing[:SHOWN_BUCKETS]))
    return Compared(table, count_left, count_right, "differs", _differing_columns(left, right, table, kinds), rows)


def _kinds(side: Side, table: str) -> dict[str, str]:
    described = side.warehouse.query(f"select * from LAKE.{table} where 1 = 0").schema
    return {field.name.lower(): kind(field.type) for field in described}


def _hashed(side: Side, table: str, kinds: Mapping[str, str], keys: Iterable[str] = ()) -> str:
    """Give a subquery of a table's rows: their hash, their bucket's name, and key columns as text."""
    named = "".join(f", cast({key} as varchar) as {key}" for key in keys)
    inner = f"select {row_hash(side.target, kinds)} as row_hash{named} from LAKE.{table}"
    return f"(select substr(inner_rows.row_hash, 1, {BUCKET_DIGITS}) as bucket, inner_rows.* from ({inner}) inner_rows) hashed_rows"


def _buckets(side: Side, table: str, kinds: Mapping[str, str]) -> dict[str, tuple[int, str]]:
    """Give the number of rows and the sum of the row hashes of each bucket."""
    rows = side.warehouse.query(
        f"select bucket, count(*) as n, cast(sum({side.warehouse.hash_number('row_hash')}) as varchar) as total "
        f"from {_hashed(side, table, kinds)} group by bucket"
    ).to_pylist()
    return {row["bucket"]: (int(row["n"]), row["total"]) for row in rows}


def _one_sided(left: Side, right: Side, table: str, kinds: Mapping[str, str], buckets: list[str]) -> Iterator[OneSided]:
    """Name rows of these buckets that one side has more often than the other, at most `SHOWN_ROWS` of each side."""
    counts = {side.name: _hash_counts(side, table, kinds, buckets) for side in (left, right)}
    for side, other in ((left, right), (right, left)):
        more = sorted(counts[side.name] - counts[other.name])[:SHOWN_ROWS]
        keys = [name for name in OPAQUE_KEYS if name in kinds][:1]
        keys = [name for name in COORDINATES if name in kinds and (not keys or name in ("facility_id", "batch_date"))] + keys
        if more:
            selected = ", ".join(keys) or "bucket"
            rows = side.warehouse.query(
                f"select {selected} from {_hashed(side, table, kinds, keys)} "
                f"where row_hash in ({', '.join('?' * len(more))}) order by {selected}",
                more,
            ).to_pylist()
            yield from (OneSided(side.name, row) for row in rows[:SHOWN_ROWS])


def _hash_counts(side: Side, table: str, kinds: Mapping[str, str], buckets: list[str]) -> Counter[str]:
    rows = side.warehouse.query(
        f"select row_hash, count(*) as n from {_hashed(side, table, kinds)} "
        f"where bucket in ({', '.join('?' * len(buckets))}) group by row_hash",
        buckets,
    ).to_pylist()
    return Counter({row["row_hash"]: int(row["n"]) for row in rows})


def _differing_columns(left: Side, right: Side, table: str, kinds: Mapping[str, str]) -> tuple[str, ...]:
    """Give the columns whose values, each column taken alone, do not add up to the same on both sides."""
    sums = []
    for side in (left, right):
        listed = ", ".join(
            f"cast(sum({side.warehouse.hash_number(f'md5({value_text(side.target, name, of)})')}) as varchar) as {name}"
            for name, of in kinds.items()
        )
        sums.append(side.warehouse.query(f"select {listed} from LAKE.{table}").to_pylist()[0])
    return tuple(name for name in kinds if sums[0][name] != sums[1][name])
