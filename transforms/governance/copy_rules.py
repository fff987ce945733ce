"""Rules of the analyst's copy: which tables it holds, and what becomes of each column (`analyst_copy.yaml`).

What belongs here: reading the rules and looking them up. Deny by default: what no rule names is an error, never a copy.
Not here: what a rule does to a value (`masking.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib import resources
from typing import Any

import yaml

from transforms.errors import ConfigurationError

FILE = "transforms/governance/analyst_copy.yaml"
KINDS = frozenset({"keep", "key", "token", "shift", "sent_time", "drop", "family_name", "given_name", "known_code"})
# How a whole table is treated where its columns are not masked one by one.
REGISTRY, EMPTY, BUILT = "registry", "empty", "built"
Columns = Mapping[str, str]


@dataclass(frozen=True)
class CopyRules:
    """The rules as data: `columns` of resources and other masked tables by table name, patterns of tables treated whole."""

    resources: frozenset[str]
    columns: Mapping[str, Columns]
    version_marks: str
    whole: Mapping[str, tuple[str, ...]]
    numbers: Columns
    parts_of_patient: tuple[str, ...]

    def treatment(self, table: str) -> str:
        """Say how a table is treated: `masked`, `registry`, `empty` or `built`. Raises ConfigurationError where no rule names it."""
        if self.columns_of(table) is not None:
            return "masked"
        for treatment, patterns in self.whole.items():
            if any(fnmatchcase(table, pattern) for pattern in patterns):
                return treatment
        raise ConfigurationError(f"{FILE}: no rule for table {table}. Remedy: say there what the analyst's copy holds of it.")

    def columns_of(self, table: str) -> Columns | None:
        """Give the column rules of a masked table; a version table has those of its resource. None where it is not masked."""
        return self.columns.get(table.removesuffix("_version"))

    def kind(self, table: str, column: str) -> str:
        """Give the kind of rule of one column of a masked table. Raises ConfigurationError where there is none."""
        kind = (self.columns_of(table) or {}).get(column)
        if kind is not None:
            return kind
        if table.endswith("_version") and fnmatchcase(column, self.version_marks):
            return "keep"
        raise ConfigurationError(f"{FILE}: no rule for {table}.{column}. Remedy: say there what becomes of it in the analyst's copy.")

    def require(self, tables: Mapping[str, Iterable[str]]) -> None:
        """Check that every table, and every column of a masked one, has a rule. Raises ConfigurationError naming the first without."""
        for table, columns in tables.items():
            if self.treatment(table) == "masked":
                for column in columns:
                    self.kind(table, column)


def shipped_copy_rules_text() -> str:
    """Give the text of the rules that ship with the product."""
    return resources.files("transforms.governance").joinpath("analyst_copy.yaml").read_text(encoding="utf-8")


def shipped_copy_rules() -> CopyRules:
    """Read the rules that ship with the product."""
    return load_copy_rules(shipped_copy_rules_text())


def load_copy_rules(text: str) -> CopyRules:
    """Read rules. Raises ConfigurationError where a kind is unknown or a column has two."""
    document: dict[str, Any] = yaml.safe_load(text)
    header = document["header"]
    columns = {f"canonical.{name}": _by_column(name, header, given) for name, given in document["resources"].items()}
    columns.update({table: _by_column(table, given) for table, given in document["tables"].items()})
    return CopyRules(
        resources=frozenset(document["resources"]), columns=columns, version_marks=document["version_marks"],
        whole={treatment: tuple(document[treatment]) for treatment in (REGISTRY, EMPTY, BUILT)},
        numbers=document["numbers"], parts_of_patient=tuple(document["parts_of_patient"]),
    )


def _by_column(table: str, *groups: Mapping[str, list[str]]) -> Columns:
    found: dict[str, str] = {}
    for kind, column in ((kind, column) for group in groups for kind, names in group.items() for column in names):
        if kind not in KINDS or column in found:
            raise ConfigurationError(f"{FILE}: {table}.{column} has {'two rules' if column in found else f'the unknown rule {kind}'}. "
                                     f"Remedy: one of {', '.join(sorted(KINDS))}.")
        found[column] = kind
    return found
