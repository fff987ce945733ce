"""A recorded change of a feed's contract: the keys of `sources.<name>.contract_changes`.

Belongs here: what a change may say, and a feed before it -> the feed after it. Does not belong here: which facility entry is in force
(`registry.py`). A change holds for batch dates from `from` on, so that files of before are judged by what was agreed then. Each
raises the contract's version by one: the sender's change is taken over knowingly or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date

from transforms.facilities.entry import FacilityEntry, Source, SourceColumn
from transforms.facilities.located_yaml import Located

_KEYS = ("columns", "rename", "drop")


@dataclass(frozen=True)
class ContractChange:
    """From which batch date on a feed has which contract."""

    valid_from: date
    source: Source


def read_contract_changes(place: Located | None, source: Source, read_column: Callable[[str, Located], SourceColumn],
                          check: Callable[[tuple[SourceColumn, ...], Located], None]) -> tuple[ContractChange, ...]:
    """Changes of a feed in order. `read_column` reads the specification of a new or retyped column, `check` judges all columns
    together. ConfigurationError for a change that does not follow the one before it or names a column that is not there."""
    found: list[ContractChange] = []
    for one in place.items() if place is not None else []:
        keys = one.mapping(_KEYS, ("from", "version"))
        day, version = keys["from"].day(), keys["version"].integer(2)
        if version != source.contract_version + 1:
            remedy = f"version: {source.contract_version + 1}"
            keys["version"].fail(f"version {version} does not follow version {source.contract_version}", remedy)
        if found and day <= found[-1].valid_from:
            keys["from"].fail(f"the change of {day} does not come after the one before it", "a later date")
        source = _changed(source, version, keys, one, read_column)
        check(source.columns, one)
        found.append(ContractChange(day, source))
    return tuple(found)


def _changed(source: Source, version: int, keys: dict[str, Located], place: Located,
             read_column: Callable[[str, Located], SourceColumn]) -> Source:
    if not any(key in keys for key in _KEYS):
        place.fail("the change changes nothing", "one of " + ", ".join(_KEYS))
    columns = {column.name: column for column in source.columns}
    for dropped in keys["drop"].items() if "drop" in keys else []:
        if dropped.text() in (*source.key, source.version_column) or columns.pop(dropped.text(), None) is None:
            dropped.fail("this column cannot be dropped", "a contracted column that is neither key nor version column")
    names = {old: new.text() for old, new in keys["rename"].mapping().items()} if "rename" in keys else {}
    for old, new in names.items():
        if old not in columns or new in columns:
            keys["rename"].fail(f"column {old!r} cannot be renamed so", "a contracted column, and a name that is not taken")
    columns = {names.get(name, name): replace(column, name=names.get(name, name)) for name, column in columns.items()}
    columns |= {name: read_column(name, value) for name, value in keys["columns"].whole_mapping().items()} if "columns" in keys else {}
    return replace(
        source, contract_version=version, columns=tuple(columns.values()), key=tuple(names.get(name, name) for name in source.key),
        version_column=names.get(source.version_column or "", source.version_column))


def by_contract(entry: FacilityEntry) -> Iterable[FacilityEntry]:
    """The entry cut where one of its feeds' contracts changes, in order; each piece with the contracts in force in it."""
    days = {change.valid_from for source in entry.sources.values() for change in source.contract_changes}
    starts = [entry.valid_from, *sorted(day for day in days if entry.valid_from < day < entry.valid_to)]
    for start, end in zip(starts, [*starts[1:], entry.valid_to], strict=True):
        yield replace(entry, valid_from=start, valid_to=end,
                      sources={name: _in_force(source, start) for name, source in entry.sources.items()})


def _in_force(source: Source, day: date) -> Source:
    current = source
    for change in source.contract_changes:
        if change.valid_from <= day:
            current = change.source
    return current
