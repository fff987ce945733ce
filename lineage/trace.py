"""Row trace: a current row -> the versions it is folded from -> raw rows -> payload and locator -> the bytes.

By keys and ids only. The warehouse is handed in as `query(sql, parameters) -> rows`, payloads as `read_payload(payload_id) -> bytes`,
column edges as `links_into(asset, column)`, the models' SQL as `model_sql(asset)`; nothing is opened here. The fold is the model's own (see
`fold`), so that the record behind each field is the one that the current table took, and the row is derived again to prove it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lineage.fold import Fold
from lineage.trace_raw import trace_raw
from lineage.trace_result import OUTDATED, REPLAYED, Candidate, Step, Trace, Value
from lineage.trace_sources import Query, Record, Sources, lowered
from lineage.trace_unit import RawTrace
from transforms.errors import ContractError

_PROVENANCE = frozenset({
    "record_id", "unit_id", "delivery_id", "payload_id", "record_locator", "received_time", "source", "source_order", "maintains",
    "is_fact", "awaits_key", "current_hash", "row_hash", "batch_date",
})


def trace_row(sources: Sources, resource: str, key: Mapping[str, str], column: str = "") -> Trace:
    """Trace one current row of a canonical resource, or one of its columns, to the bytes.

    Raises ContractError where no row or several have the key, or the row has no such column.
    """
    asset = f"canonical.{resource}"
    row = one_row(sources.query, asset, key)
    if column and column not in row:
        raise ContractError(f"{asset} has no column {column}")
    fold = Fold(sql_of(sources, asset))
    everything = _versions(sources.query, resource, row["fact_key"])
    # The model ranks only what orders its versions, so each is taken whole from where it stands.
    whole = {_identity(version): version for version in everything}
    counted = [whole[_identity(ranked)] for ranked in lowered(sources.query(fold.versions_sql, [row["fact_key"]]))]
    if not counted:
        raise ContractError(f"{asset}: no version stands behind this row any more; it is derived anew by the next run")
    marks = {name: fold_marks(sources, resource, name) for name in row if name not in _PROVENANCE}
    behind = {name: _behind(counted, name, marks[name]) for name in marks}
    winner = behind[column] if column else counted[0]
    candidates = _candidates(everything, counted, winner, column, marks.get(column, ()))
    raw = trace_raw(sources, resource, winner, column)
    again = lowered(sources.query(fold.replay_sql, [row["fact_key"]]))
    return Trace(
        _answer(asset, column, len(candidates), raw),
        (_current_step(asset, row, column, behind), _version_step(resource, winner, column, candidates), *raw.steps),
        REPLAYED if [one["current_hash"] for one in again] == [row["current_hash"]] else OUTDATED)


def sql_of(sources: Sources, asset: str) -> str:
    """The compiled SQL of an asset's model. Raises ContractError where it is not known."""
    sql = sources.model_sql(asset)
    if not sql:
        raise ContractError(f"the SQL of {asset} is not in the catalog yet. Remedy: lakehouse prepare")
    return sql


def one_row(query: Query, asset: str, key: Mapping[str, str]) -> Record:
    """The one row of an asset that has the key. Raises ContractError where there is none, or more than one."""
    known = {
        name["column_name"].lower() for name in query(
            "select column_name from information_schema.columns where lower(table_schema) = ? and lower(table_name) = ?", asset.split("."))
    }
    if not known:
        raise ContractError(f"there is no table {asset}")
    strangers = sorted(set(key) - known)
    if strangers or not key:
        raise ContractError(f"{asset} has no column {strangers[0]}" if strangers else "a key is needed")
    condition = " and ".join(f"cast(asked.{name} as varchar) = ?" for name in key)
    rows = lowered(query(f"select asked.* from LAKE.{asset} asked where {condition} limit 2", list(key.values())))
    if len(rows) != 1:
        raise ContractError(f"{'no row' if not rows else 'more than one row'} of {asset} has this key")
    return rows[0]


def fold_marks(sources: Sources, resource: str, column: str) -> tuple[str, ...]:
    """Columns of the version table that say whether a record speaks of a field (`birth_date_mark`); none where a field is not folded.

    Read off the column edges. Raises ContractError where these are not known, since a trace without them would name the wrong record.
    """
    links = sources.links_into(f"canonical.{resource}", column)
    if not links:
        raise ContractError(f"the column edges of canonical.{resource} are not in the catalog yet. Remedy: lakehouse prepare")
    version = f"canonical.{resource}_version"
    return tuple(sorted({link.src_col for link in links if link.src_asset == version and link.src_col.endswith("_mark")}))


def _behind(counted: Sequence[Record], column: str, marks: Sequence[str]) -> Record:
    """The newest version that speaks of the field; the newest of all where the field is not folded."""
    for version in counted:
        if not marks or any(version.get(mark) is not None for mark in marks):
            return version
    return counted[0]


def _current_step(asset: str, row: Record, column: str, behind: Mapping[str, Record]) -> Step:
    names = sorted(behind, key=lambda name: (name != column, list(row).index(name)))
    values = tuple(
        Value(name, as_text(row[name]), name == column, str(behind[name]["record_id"]))
        for name in names if name == column or row[name] is not None)
    key = (("fact_key", str(row["fact_key"])), ("facility_id", str(row["facility_id"])))
    return Step("canonical", "What holds now", asset, key, values,
                "each field from the newest version that speaks of it, in source order and never in order of arrival")


def _versions(query: Query, resource: str, fact_key: object) -> list[Record]:
    """All versions of a fact, each with the reason why it does not count where it does not."""
    return lowered(query(f"""
        select version.*, case when exists (
            select 1 from LAKE.control.held_partition held where held.facility_id = version.facility_id
              and held.batch_date = version.batch_date and held.is_released = false) then 'its partition is on hold'
          when version.awaits_key is not null and not exists (
            select 1 from LAKE.canonical.patient awaited where awaited.fact_key = version.awaits_key and awaited.is_deleted = false)
            then 'it awaits its patient'
          else 'a copy of a unit received before' end as why_not
        from LAKE.canonical.{resource}_version version where version.fact_key = ?
        order by version.source_time desc, version.record_id, version.row_hash""", [fact_key]))


def _candidates(
    everything: Sequence[Record], counted: Sequence[Record], winner: Record, column: str, marks: Sequence[str]
) -> tuple[Candidate, ...]:
    """All versions of the fact: those that count in the order of the fold, then the others, each with the reason."""
    taken = {_identity(version) for version in counted}
    left_out = [version for version in everything if _identity(version) not in taken]
    names = (*([column] if column else []), "source_time", "received_time", "batch_date", "source", "record_id")
    return tuple(
        Candidate(tuple(Value(name, as_text(version.get(name)), name == column) for name in names),
                  _identity(version) == _identity(winner), reason)
        for version, reason in (
            *((version, _reason(version, winner, marks)) for version in counted),
            *((version, str(version["why_not"])) for version in left_out)))


def _identity(version: Record) -> tuple[object, object]:
    return version["record_id"], version["row_hash"]


def _reason(version: Record, winner: Record, marks: Sequence[str]) -> str:
    if marks and all(version.get(mark) is None for mark in marks):
        return "it does not speak of this field"
    if _identity(version) == _identity(winner):
        return "the newest that speaks of it" if marks else "the newest"
    return "a newer one speaks of it" if marks else "a newer one counts"


def _version_step(resource: str, winner: Record, column: str, candidates: tuple[Candidate, ...]) -> Step:
    key = (("record_id", str(winner["record_id"])), ("record_locator", str(winner["record_locator"])))
    return Step("canonical", "What the record says", f"canonical.{resource}_version", key,
                (Value(column, as_text(winner.get(column)), True),) if column else (),
                time=utc_text(winner["received_time"]), candidates=candidates)


def _answer(asset: str, column: str, versions: int, raw: RawTrace) -> str:
    said = f"{asset}.{column}" if column else f"This row of {asset}"
    known = "one version of the fact is known" if versions == 1 else f"{versions} versions of the fact are known"
    return f"{said} comes from {raw.origin}; {known}."


def as_text(value: object) -> str | None:
    """A value as it is shown; None stays None."""
    return None if value is None else str(value)


def utc_text(value: object) -> str:
    """A received time (UTC without zone) as an ISO instant."""
    return str(value).replace(" ", "T").removesuffix("Z") + "+00:00" if value is not None else ""
