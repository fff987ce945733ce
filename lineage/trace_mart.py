"""Trace of a derived row, a mart's or a view's: the current rows that feed it, proved by replay, and from one of them to the bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lineage.extract import Schemas
from lineage.trace import as_text, one_row, sql_of, trace_row
from lineage.trace_result import OUTDATED, REPLAYED, SUPERSET, Candidate, Step, Trace, Value
from lineage.trace_sources import Query, Record, Sources, lowered
from lineage.witness import Pin, on_witnesses_alone, pinned, pinned_to_key, with_witnesses, witness_column
from transforms.errors import ContractError

WITNESSES_SHOWN = 50
_SHOWN = ("fact_key", "service_date", "status", "source_time", "batch_date")


def trace_mart(
    sources: Sources, schemas: Schemas, asset: str, key: Mapping[str, str], column: str = ""
) -> Trace:
    """Trace a row of a mart, or one of its columns, to the current rows behind it and from the first of them to the bytes.

    `schemas` are the columns of what the mart reads. Raises ContractError where no row or several have the key, the row has no such
    column, or the model's rows cannot be told apart.
    """
    return _trace_derived(sources, schemas, asset, one_row(sources.query, asset, key), column, pinned)


def trace_view(
    sources: Sources, schemas: Schemas, asset: str, key: Mapping[str, str], column: str = ""
) -> Trace:
    """The same of a row of a canonical view over current tables (`imaging_study`). Raises ContractError as `trace_mart`, and where the
    view's rows have no key."""
    return _trace_derived(sources, schemas, asset, one_row(sources.query, asset, key), column, pinned_to_key)


def _trace_derived(sources: Sources, schemas: Schemas, asset: str, row: Record, column: str, pin: Pin) -> Trace:
    if column and column not in row:
        raise ContractError(f"{asset} has no column {column}")
    sql = sql_of(sources, asset)
    place = _slice(row) if pin is pinned else [row.get("fact_key")]
    resources = sorted(name for name in schemas.assets if _is_current(name, schemas))
    query, carried = with_witnesses(sql, schemas, resources, pin)
    same = _same_row(sources.query, query, place, row, carried)
    if same is None:
        return Trace(f"{asset} has this row, but the model gives another now.", (_mart_step(asset, row, column, sql),), OUTDATED)
    witnesses = {name: sorted(set(same[witness_column(name)] or ())) for name in sorted(carried)}
    replayed = _replays(sources.query, on_witnesses_alone(sql, witnesses, schemas.dialect, pin), place, row)
    links = [link for link in sources.links_into(asset, column) if link.type == "DIRECT"] if column else []
    named = {link.src_asset for link in links} & set(witnesses) or set(witnesses)
    feeding = {name for name in named if witnesses[name]} or {name for name in witnesses if witnesses[name]}
    steps = [_mart_step(asset, row, column, sql)]
    steps += [_witness_step(sources.query, name, witnesses[name]) for name in sorted(feeding)]
    first = min(feeding, default=None)
    if first is not None:
        names = {link.src_col for link in links if link.src_asset == first and link.src_col != "*"}
        below = trace_row(sources, first.split(".", 1)[1], {"fact_key": witnesses[first][0]}, names.pop() if len(names) == 1 else "")
        steps += below.steps
    number = sum(len(witnesses[name]) for name in named)
    influence = tuple(sorted({(link.src_asset, link.src_col) for link in sources.links_into(asset, column) if link.type != "DIRECT"})) \
        if column else ()
    return Trace(_answer(asset, column, number), tuple(steps), REPLAYED if replayed else SUPERSET, influence)


def _answer(asset: str, column: str, number: int) -> str:
    said = f"{asset}.{column}" if column else f"This row of {asset}"
    if number == 0:
        return f"No current row feeds {said}; the rows below are why the row is there."
    return f"{said} comes from {'one current row' if number == 1 else f'{number:,} current rows'}."


def _is_current(asset: str, schemas: Schemas) -> bool:
    """A current table of a canonical resource: its rows are facts, and are folded from versions."""
    columns = schemas.columns(asset)
    return asset.startswith("canonical.") and "fact_key" in columns and "current_hash" in columns


def _slice(row: Record) -> list[object]:
    return [row["facility_id"], str(row["service_date"])[:10]]


def _same_row(query: Query, sql: str, place: Sequence[object], row: Record, carried: set[str]) -> Record | None:
    """The derived row that equals the stored one in every column; None where there is none any more."""
    wanted = {name: as_text(value) for name, value in row.items()}
    keys = {witness_column(name) for name in carried}
    for found in lowered(query(sql, place)):
        said = {name: as_text(value) for name, value in found.items() if name not in keys}
        if all(said.get(name) == wanted.get(name) for name in said):
            return found
    return None


def _replays(query: Query, sql: str, place: Sequence[object], row: Record) -> bool:
    """Does the model over the witnesses alone give the same row?"""
    wanted = {name: as_text(value) for name, value in row.items()}
    return any(all(as_text(value) == wanted.get(name) for name, value in found.items()) for found in lowered(query(sql, place)))


def _mart_step(asset: str, row: Record, column: str, sql: str) -> Step:
    ordered = sorted(row, key=lambda name: name != column)
    values = tuple(Value(name, as_text(row[name]), name == column) for name in ordered)
    key = (("facility_id", str(row["facility_id"])), ("service_date", str(row["service_date"])[:10]))
    schema, title = ("marts", "The number") if asset.startswith("marts.") else ("canonical", "What holds now")
    return Step(schema, title, asset, key, values, sql=sql)


def _witness_step(query: Query, asset: str, keys: Sequence[str]) -> Step:
    shown = keys[:WITNESSES_SHOWN]
    marks = ", ".join("?" for _ in shown)
    columns = ", ".join(f"cast(fact.{name} as varchar) as {name}" for name in _SHOWN)
    rows = lowered(query(
        f"select {columns} from LAKE.{asset} fact where fact.fact_key in ({marks}) order by fact.service_date, fact.fact_key", list(shown)))
    candidates = tuple(
        Candidate(tuple(Value(name, as_text(row[name])) for name in _SHOWN), True, "it feeds the number", asset) for row in rows)
    more = f"; {len(keys) - len(shown)} more are not shown" if len(keys) > len(shown) else ""
    return Step("canonical", f"One row of {asset} feeds it" if len(keys) == 1 else f"{len(keys):,} rows of {asset} feed it", asset, (),
                rule=f"found by running the model with the keys of its rows carried along{more}", candidates=candidates)
